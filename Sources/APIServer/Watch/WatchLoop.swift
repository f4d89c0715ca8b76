import NIOCore
import ObjectStore

/// An event loop as watches see it from outside: they come in their tasks and wait there until they are over.
struct WatchLoop: Sendable {
    private let loop: any EventLoop
    private let watchers: NIOLoopBoundBox<LoopWatchers>

    /// A watch on its way to the loop and back.
    private final class Visit {
        var watcher: LoopWatcher?
        var isCancelled = false
    }

    init(_ store: ObjectStore, _ loop: any EventLoop) {
        self.loop = loop
        watchers = .makeBoxSendingValue(LoopWatchers(store, loop), eventLoop: loop)
    }

    /// Sends the events of a watch until its time is over, it cannot go on, or the task is cancelled.
    ///
    /// - Parameters:
    ///   - channel: A connection of this loop on which the head of the answer has been sent.
    ///   - isChunked: Whether the head says that the body comes in chunks.
    func serve(_ stream: WatchStream, on channel: any Channel, isChunked: Bool) async {
        let visit = NIOLoopBoundBox<Visit>.makeBoxSendingValue(Visit(), eventLoop: loop)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.execute {
                    guard !visit.value.isCancelled, let wire = try? WatchWire(channel, isChunked: isChunked) else {
                        continuation.resume()
                        return
                    }
                    visit.value.watcher = watchers.value.join(stream, wire) { continuation.resume() }
                }
            }
        } onCancel: {
            loop.execute {
                visit.value.isCancelled = true
                visit.value.watcher?.finish()
            }
        }
    }
}
