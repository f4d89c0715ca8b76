import ControllerKit

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
        let (signals, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let (pauses, newPauses) = AsyncStream<Duration>.makeStream()
        await withDiscardingTaskGroup { group in
            for informer in informers {
                group.addTask { for await _ in informer.changes() { signal.yield() } }
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
}
