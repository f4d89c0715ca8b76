import Synchronization

/// Somebody who serves many watchers: told once that there is news, however much and for however many of them it is.
public final class StoreFollower: Sendable {
    let notify: @Sendable () -> Void

    /// - Parameter notify: Called by the writer, so it must not wait; not again before the news is taken.
    public init(notify: @escaping @Sendable () -> Void) { self.notify = notify }
}

extension ObjectStore {
    /// What a follower follows, and from where on it has not taken.
    struct Following {
        let follower: StoreFollower
        /// How many times each resource is followed.
        var counts: [String: Int] = [:]
        /// The first change of a followed resource since the follower last took; nil: there is none.
        var firstUnseen: Revision?
    }

    /// Tells a follower of the changes of a resource from now on, as often as this is called without `unfollow`.
    public func follow(_ resource: String, by follower: StoreFollower) {
        shared.withLock { shared in
            shared.followers[ObjectIdentifier(follower), default: Following(follower: follower)]
                .counts[resource, default: 0] += 1
        }
    }

    public func unfollow(_ resource: String, by follower: StoreFollower) {
        let id = ObjectIdentifier(follower)
        shared.withLock { shared in
            guard let count = shared.followers[id]?.counts[resource] else { return }
            shared.followers[id]?.counts[resource] = count > 1 ? count - 1 : nil
            if shared.followers[id]?.counts.isEmpty == true { shared.followers[id] = nil }
        }
    }

    /// The changes of all followed resources since the last time, oldest first, and the revision up to which these are all.
    ///
    /// - Throws: `.compacted` when the history no longer reaches back to the last time.
    public func take(
        _ follower: StoreFollower
    ) throws(StoreError) -> (events: [StoreEvent], upTo: Revision) {
        let id = ObjectIdentifier(follower)
        return try shared.withLock { (shared) throws(StoreError) in
            let upTo = shared.state.revision
            guard let following = shared.followers[id], let first = following.firstUnseen else { return ([], upTo) }
            shared.followers[id]?.firstUnseen = nil
            return (try shared.state.events(from: first) { following.counts[$0] != nil }, upTo)
        }
    }
}
