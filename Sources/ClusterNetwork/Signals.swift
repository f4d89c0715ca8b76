import ControllerKit
import KubeModel
import Synchronization

/// Turns bursts of changes into single calls.
enum Signals {
    /// Calls `body` when the first lists are there and after every burst of changes, until the task is cancelled.
    ///
    /// One call at a time; what happens during a call leads to one more.
    ///
    /// - Parameter body: May ask to be called again after a while.
    static func follow(
        _ informers: [Informer], _ body: (_ again: @escaping @Sendable (Duration) -> Void) async -> Void
    ) async {
        await follow(informers, note: { _, _ in }, body)
    }

    /// - Parameter note: Told of every change before the call that it leads to, with the informer's place in the list.
    private static func follow(
        _ informers: [Informer], note: @escaping @Sendable (Int, Informer.Change) -> Void,
        _ body: (_ again: @escaping @Sendable (Duration) -> Void) async -> Void
    ) async {
        let (signals, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let (pauses, newPauses) = AsyncStream<Duration>.makeStream()
        await withDiscardingTaskGroup { group in
            for (index, informer) in informers.enumerated() {
                group.addTask {
                    for await change in informer.changes() {
                        note(index, change)
                        signal.yield()
                    }
                }
            }
            group.addTask {
                await withDiscardingTaskGroup { group in
                    for await pause in pauses {
                        group.addTask {
                            try? await ContinuousClock().sleep(for: pause)
                            signal.yield()
                        }
                    }
                }
            }
            for informer in informers { await informer.waitUntilSynced() }
            signal.yield()
            for await _ in signals { await body { newPauses.yield($0) } }
        }
    }

    /// The same, with the keys of what has changed: all at first, and none where `body` only asked to be called again.
    ///
    /// - Parameter body: Gets a set of keys for each of the informers.
    static func followKeys(
        _ informers: [Informer],
        _ body: (_ changed: [Set<ObjectKey>], _ again: @escaping @Sendable (Duration) -> Void) async -> Void
    ) async {
        let pending = Pending(count: informers.count)
        var isFirst = true
        await follow(informers, note: { index, change in pending.note(ObjectKey(change.object), index) }) { again in
            // What was listed may not have been told of yet.
            for (index, informer) in informers.enumerated() where isFirst {
                for object in informer.list() { pending.note(ObjectKey(object), index) }
            }
            isFirst = false
            await body(pending.take(), again)
        }
    }

    private final class Pending: Sendable {
        private let keys: Mutex<[Set<ObjectKey>]>

        init(count: Int) { keys = Mutex(Array(repeating: [], count: count)) }

        func note(_ key: ObjectKey, _ index: Int) { keys.withLock { _ = $0[index].insert(key) } }

        func take() -> [Set<ObjectKey>] {
            keys.withLock { keys in
                defer { keys = Array(repeating: [], count: keys.count) }
                return keys
            }
        }
    }
}
