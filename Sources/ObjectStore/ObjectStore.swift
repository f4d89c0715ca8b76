public import KubeModel
import Synchronization

/// The cluster's memory, in etcd's role: one total order of revisions, compare-and-swap, watch as a cursor over a bounded history.
///
/// A write is answered, and seen by readers and watchers, only when it is durable; writes that arrive while one is being
/// committed share the next transaction. A watcher owns no queue: it asks for what came after its revision, so a slow one
/// costs nothing and never blocks a writer.
public final class ObjectStore: Sendable {
    public enum Location: Sendable, Hashable {
        case memory
        /// A SQLite file; made if it is not there.
        case file(String)
    }

    /// A write that has its revision and waits for its transaction.
    struct Pending {
        let kind: StoreEvent.Kind
        let key: StoreKey
        let encoded: EncodedObject
        let revision: Revision
        let created: Revision
        let waiter: CheckedContinuation<Turn, Never>?

        /// The object with its revision in it; put together outside the lock where a log is written.
        var object: StoredObject { encoded.stored(key, revision, created: created) }
    }

    /// What a key will hold when all pending writes have happened.
    struct Ahead {
        let revision: Revision
        /// Nil: it will be deleted.
        let created: Revision?
    }

    /// What a waiting writer is told.
    enum Turn {
        case done(Result<StoredObject, StoreError>)
        /// Your write is first in the next batch: commit it.
        case lead
    }

    /// Somebody who sleeps until a range changes; told the revision up to which it has not.
    struct Watcher {
        let range: KeyRange
        let continuation: CheckedContinuation<Revision, Never>
    }

    /// Somebody who waits for a revision that has not come yet.
    struct Awaiting {
        let revision: Revision
        let continuation: CheckedContinuation<Void, Never>
    }

    struct Shared {
        var state: StoreState
        /// The last revision handed out; ahead of `state.revision` while writes are being committed.
        var handedOut: Revision
        /// What the pending writes will leave behind, for preconditions.
        var ahead: [StoreKey: Ahead] = [:]
        var logCompacted: Revision
        var pending: [Pending] = []
        var isCommitting = false
        /// By resource, so that a write looks only at those whom it can concern.
        var watchers: [String: [ObjectIdentifier: Watcher]] = [:]
        var awaiting: [Awaiting] = []
        var followers: [ObjectIdentifier: Following] = [:]
        var failure: StoreError?
    }

    let shared: Mutex<Shared>
    private let log: StoreLog?

    /// - Parameter historyCount: How many events a watch can lie behind before it has to list again; fewer, but no fewer than
    ///   1,000, when their objects take more than 16 MiB.
    public init(_ location: Location, historyCount: Int = 10_000) throws(StoreError) {
        let state: StoreState
        switch location {
        case .memory:
            log = nil
            state = StoreState(historyCount: historyCount)
        case .file(let path):
            let log = try StoreLog(path: path)
            state = try log.load(historyCount: historyCount)
            self.log = log
        }
        shared = Mutex(Shared(state: state, handedOut: state.revision, logCompacted: state.compacted))
    }

    /// The newest revision that readers see.
    public var revision: Revision { shared.withLock { $0.state.revision } }

    public func get(_ key: StoreKey) -> StoredObject? { shared.withLock { $0.state.get(key) } }

    /// Objects of a range in the order of their keys, as they were at one revision.
    ///
    /// - Parameters:
    ///   - limit: At most so many; `remaining` says how many others there are.
    ///   - after: Goes on behind this key: that of the last item of the part before.
    ///   - at: Nil is now. `StoreError.compacted` when the history does not reach back that far.
    public func list(
        _ range: KeyRange, limit: Int? = nil, after: StoreKey? = nil, at: Revision? = nil
    ) throws(StoreError) -> StoreList {
        // Under the lock: a copy of the state that outlived it would make the next write copy the whole store.
        try shared.withLock { (shared) throws(StoreError) in
            try shared.state.list(range, limit: limit, after: after, at: at)
        }
    }

    /// Writes an object; returns when it is durable.
    ///
    /// The revision is put into `metadata.resourceVersion`.
    @discardableResult
    public func put(
        _ key: StoreKey, _ object: KubeObject, _ precondition: Precondition = .none
    ) async throws(StoreError) -> StoredObject {
        try await write(key, EncodedObject(object), precondition, isDeletion: false)
    }

    /// Deletes an object and returns its last state, whose revision is that of the deletion.
    ///
    /// - Parameter final: The last state, when it is to differ from what is stored.
    @discardableResult
    public func delete(
        _ key: StoreKey, _ precondition: Precondition = .none, final: KubeObject? = nil
    ) async throws(StoreError) -> StoredObject {
        guard let object = final ?? get(key)?.object else { throw .notFound(key) }
        return try await write(key, EncodedObject(object), precondition, isDeletion: true)
    }

    private func write(
        _ key: StoreKey, _ encoded: EncodedObject, _ precondition: Precondition, isDeletion: Bool
    ) async throws(StoreError) -> StoredObject {
        if log == nil {
            let (object, woken) = try shared.withLock { (shared) throws(StoreError) in
                let pending = try Self.admit(key, encoded, precondition, isDeletion, &shared, waiter: nil)
                let object = pending.object
                return (object, Self.publish([(pending.kind, object)], &shared))
            }
            woken.resume()
            return object
        }
        switch await turn(key, encoded, precondition, isDeletion) {
        case .done(.success(let object)): return object
        case .done(.failure(let error)):
            // Refused because of a write that is still being committed: whoever looks again is to see that write.
            await waitUntilVisible(key)
            throw error
        case .lead: return try lead()
        }
    }

    /// Puts a write in line and waits until it is done, or is the first of those that are not; mostly that is at once.
    private func turn(
        _ key: StoreKey, _ encoded: EncodedObject, _ precondition: Precondition, _ isDeletion: Bool
    ) async -> Turn {
        let immediate = shared.withLock { Self.queue(key, encoded, precondition, isDeletion, &$0, waiter: nil) }
        if let immediate { return immediate }
        // The continuation is made first and the lock taken inside, so that no turn can be missed.
        return await withCheckedContinuation { (continuation: CheckedContinuation<Turn, Never>) in
            let immediate = shared.withLock {
                Self.queue(key, encoded, precondition, isDeletion, &$0, waiter: continuation)
            }
            if let immediate { continuation.resume(returning: immediate) }
        }
    }

    /// Puts a write in line; nil says that others are being committed, so that it waits, if it has a waiter.
    private static func queue(
        _ key: StoreKey, _ encoded: EncodedObject, _ precondition: Precondition, _ isDeletion: Bool,
        _ shared: inout Shared, waiter: CheckedContinuation<Turn, Never>?
    ) -> Turn? {
        if shared.isCommitting, waiter == nil { return nil }
        do throws(StoreError) {
            if let failure = shared.failure { throw failure }
            shared.pending.append(try admit(key, encoded, precondition, isDeletion, &shared, waiter: waiter))
            guard !shared.isCommitting else { return nil }
            shared.isCommitting = true
            return .lead
        } catch {
            return .done(.failure(error))
        }
    }

    /// Returns when no write of the key is being committed.
    private func waitUntilVisible(_ key: StoreKey) async {
        while !Task.isCancelled {
            let seen = shared.withLock { $0.ahead[key] == nil ? nil : $0.state.revision }
            guard let seen else { return }
            _ = await waitForChange(in: .one(key), after: seen, WatchTicket())
        }
    }

    /// Commits everything that is pending, this caller's write first among them, and hands the lead on.
    private func lead() throws(StoreError) -> StoredObject {
        let (batch, compaction) = shared.withLock { shared in
            defer { shared.pending = [] }
            return (shared.pending, Self.takeCompaction(&shared))
        }
        let changes = batch.map { (kind: $0.kind, object: $0.object) }
        var failure: StoreError?
        do throws(StoreError) {
            try log?.append(changes, compaction: compaction)
        } catch {
            failure = error
        }
        let (woken, dropped, next) = shared.withLock { shared in
            var woken = Woken()
            var dropped: [Pending] = []
            if failure == nil {
                woken = Self.publish(changes, &shared)
            } else {
                // Preconditions of what came after were judged by writes that never happened.
                dropped = shared.pending
                shared.pending = []
                shared.ahead = [:]
                shared.handedOut = shared.state.revision
            }
            let next = shared.pending.first?.waiter
            shared.isCommitting = next != nil
            return (woken, dropped, next)
        }
        woken.resume()
        for (pending, change) in zip(batch, changes).dropFirst() {
            pending.waiter?.resume(returning: .done(failure.map { .failure($0) } ?? .success(change.object)))
        }
        for pending in dropped { pending.waiter?.resume(returning: .done(.failure(failure ?? .cancelled))) }
        next?.resume(returning: .lead)
        if let failure { throw failure }
        return changes[0].object
    }

    /// Now and then, the revision up to which the log may forget what the history has forgotten.
    private static func takeCompaction(_ shared: inout Shared) -> Revision? {
        let compacted = shared.state.compacted
        guard compacted.rawValue - shared.logCompacted.rawValue >= 1000 else { return nil }
        shared.logCompacted = compacted
        return compacted
    }

    /// Checks the precondition against what will be there, and hands out a revision.
    private static func admit(
        _ key: StoreKey, _ encoded: EncodedObject, _ precondition: Precondition, _ isDeletion: Bool,
        _ shared: inout Shared, waiter: CheckedContinuation<Turn, Never>?
    ) throws(StoreError) -> Pending {
        let ahead = shared.ahead[key]
        let stored = ahead == nil ? shared.state.get(key) : nil
        let created = ahead?.created ?? stored?.createRevision
        let present = created == nil ? nil : ahead?.revision ?? stored?.revision
        switch (precondition, present) {
        case (.absent, .some): throw .exists(key)
        case (.revision, nil): throw .notFound(key)
        case (.revision(let wanted), .some(let found)) where found != wanted: throw .conflict(key, current: found)
        case (_, nil) where isDeletion: throw .notFound(key)
        default: break
        }
        let revision = Revision(shared.handedOut.rawValue + 1)
        shared.handedOut = revision
        shared.ahead[key] = Ahead(revision: revision, created: isDeletion ? nil : created ?? revision)
        return Pending(
            kind: isDeletion ? .deleted : present == nil ? .added : .modified, key: key, encoded: encoded,
            revision: revision, created: created ?? revision, waiter: waiter)
    }

    /// Makes durable changes visible, and takes out the watchers that they concern.
    private static func publish(
        _ changes: [(kind: StoreEvent.Kind, object: StoredObject)], _ shared: inout Shared
    ) -> Woken {
        var woken = Woken()
        for (kind, object) in changes {
            shared.state.apply(StoreEvent(kind: kind, object: object, previous: shared.state.get(object.key)))
            if shared.ahead[object.key]?.revision == object.revision { shared.ahead[object.key] = nil }
            woken.take(from: &shared.watchers, concernedBy: object)
            woken.take(from: &shared.followers, concernedBy: object)
        }
        woken.take(from: &shared.awaiting, at: shared.state.revision)
        return woken
    }

    /// Closes the file.
    ///
    /// Writes after this fail.
    public func close() async {
        shared.withLock { $0.failure = .io("The store is closed.") }
        log?.close()
    }
}
