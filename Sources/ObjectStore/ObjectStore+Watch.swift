import Synchronization

/// What one watch is known by, so that its sleep can be ended from outside.
public final class WatchTicket: Sendable {
    /// Set before the sleeper is looked for, so that a wake that comes between two sleeps is not lost.
    fileprivate let isWoken = Atomic(false)

    public init() {}
}

/// Watchers that a change has woken, to be told when the lock is free again.
struct Woken {
    private var sleepers: [(continuation: CheckedContinuation<Revision, Never>, unchangedUpTo: Revision)] = []
    private var arrived: [CheckedContinuation<Void, Never>] = []
    private var followers: [StoreFollower] = []

    mutating func take(
        from watchers: inout [String: [ObjectIdentifier: ObjectStore.Watcher]], concernedBy object: StoredObject
    ) {
        let resource = object.key.resource
        guard let candidates = watchers[resource], !candidates.isEmpty else { return }
        let before = Revision(object.revision.rawValue - 1)
        var count = 0
        for (_, watcher) in candidates where watcher.range.contains(object.key) {
            sleepers.append((watcher.continuation, before))
            count += 1
        }
        if count == candidates.count {
            watchers[resource] = nil
        } else if count > 0 {
            watchers[resource] = candidates.filter { !$0.value.range.contains(object.key) }
        }
    }

    /// Takes those who follow the resource and have not been told since they last took.
    mutating func take(
        from following: inout [ObjectIdentifier: ObjectStore.Following], concernedBy object: StoredObject
    ) {
        for (id, one) in following where one.firstUnseen == nil && one.counts[object.key.resource] != nil {
            following[id]?.firstUnseen = object.revision
            followers.append(one.follower)
        }
    }

    /// Takes those who wait for a revision that has come.
    mutating func take(from awaiting: inout [ObjectStore.Awaiting], at revision: Revision) {
        guard !awaiting.isEmpty else { return }
        arrived += awaiting.filter { $0.revision <= revision }.map(\.continuation)
        awaiting.removeAll { $0.revision <= revision }
    }

    func resume() {
        for follower in followers { follower.notify() }
        for continuation in arrived { continuation.resume() }
        for sleeper in sleepers { sleeper.continuation.resume(returning: sleeper.unchangedUpTo) }
    }
}

extension ObjectStore {
    /// Events of a range after a revision; waits until there is at least one, or until `wake` is called with the ticket.
    ///
    /// - Returns: At most `limit` events, and the revision up to which the range has been looked at: the next cursor.
    ///   No events: somebody has called `wake`.
    /// - Throws: `.compacted` when the cursor lies before the history, `.cancelled` when the task is.
    public func events(
        after cursor: Revision, in range: KeyRange, limit: Int = 1000, ticket: WatchTicket = WatchTicket()
    ) async throws(StoreError) -> (events: [StoreEvent], upTo: Revision) {
        // What was looked at once need not stay in the history: a quiet range keeps up with a busy store.
        var cursor = cursor
        while true {
            let found = try shared.withLock { (shared) throws(StoreError) in
                try shared.state.events(after: cursor, in: range, limit: limit)
            }
            if !found.events.isEmpty { return found }
            if Task.isCancelled { throw .cancelled }
            let seen = await waitForChange(in: range, after: found.upTo, ticket)
            cursor = max(found.upTo, seen.unchangedUpTo)
            if seen.wasWoken { return ([], cursor) }
        }
    }

    /// The events of a range after a revision that are there already; does not wait.
    public func presentEvents(
        after cursor: Revision, in range: KeyRange, limit: Int = .max
    ) throws(StoreError) -> (events: [StoreEvent], upTo: Revision) {
        try shared.withLock { (shared) throws(StoreError) in
            try shared.state.events(after: cursor, in: range, limit: limit)
        }
    }

    /// Ends the sleep of a watch, now or when it next begins.
    public func wake(_ ticket: WatchTicket) {
        ticket.isWoken.store(true, ordering: .sequentiallyConsistent)
        let (watcher, revision) = shared.withLock { shared in
            (Self.remove(ticket, &shared), shared.state.revision)
        }
        watcher?.continuation.resume(returning: revision)
    }

    /// Returns when the newest revision is at least the one that is wanted, or the task is cancelled.
    public func reach(_ wanted: Revision) async {
        while !Task.isCancelled, revision < wanted {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isOver = shared.withLock { shared in
                        guard shared.state.revision < wanted, !Task.isCancelled else { return true }
                        shared.awaiting.append(Awaiting(revision: wanted, continuation: continuation))
                        return false
                    }
                    if isOver { continuation.resume() }
                }
            } onCancel: {
                // All of them: those who are not meant look once and wait again.
                let all = shared.withLock { shared in
                    defer { shared.awaiting = [] }
                    return shared.awaiting
                }
                for waiting in all { waiting.continuation.resume() }
            }
        }
    }

    /// Returns when something in the range has changed after a revision, `wake` was called, or the task is cancelled.
    ///
    /// - Returns: The revision up to which nothing in the range has changed, and whether it was `wake`.
    func waitForChange(
        in range: KeyRange, after seen: Revision, _ ticket: WatchTicket
    ) async -> (unchangedUpTo: Revision, wasWoken: Bool) {
        let unchanged = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known: Revision? = shared.withLock { shared in
                    if Task.isCancelled || shared.state.hasChanged(range, after: seen) { return seen }
                    if ticket.isWoken.load(ordering: .sequentiallyConsistent) { return shared.state.revision }
                    shared.watchers[range.resource, default: [:]][ObjectIdentifier(ticket)] = Watcher(
                        range: range, continuation: continuation)
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            shared.withLock { Self.remove(ticket, &$0) }?.continuation.resume(returning: seen)
        }
        return (unchanged, ticket.isWoken.exchange(false, ordering: .sequentiallyConsistent))
    }

    private static func remove(_ ticket: WatchTicket, _ shared: inout Shared) -> Watcher? {
        for resource in shared.watchers.keys {
            if let watcher = shared.watchers[resource]?.removeValue(forKey: ObjectIdentifier(ticket)) { return watcher }
        }
        return nil
    }
}
