import Synchronization

/// The last requests to the server, oldest first; the older ones are forgotten.
///
/// Written by whoever answers a request, read by checkers as evidence and by the one who writes the file.
public final class AuditJournal: Sendable {
    private struct State {
        var ring: [AuditEvent] = []
        /// Where the oldest event is, once the ring is full.
        var start = 0
        var last: Int64 = 0
        var waiter: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// - Parameter capacity: So many events are kept.
    public init(capacity: Int = 8192) {
        precondition(capacity > 0, "a journal of \(capacity) events holds nothing")
        self.capacity = capacity
    }

    /// The number of the newest event; 0 when there is none yet.
    public var lastSequence: Int64 { state.withLock { $0.last } }

    /// The events after a number that are still kept, oldest first.
    public func events(after sequence: Int64 = 0) -> [AuditEvent] {
        state.withLock { Self.events(after: sequence, $0) }
    }

    private static func events(after sequence: Int64, _ state: State) -> [AuditEvent] {
        let count = Int(min(Int64(state.ring.count), max(0, state.last - sequence)))
        let first = state.start + state.ring.count - count
        return (first..<first + count).map { state.ring[$0 % state.ring.count] }
    }

    func record(_ event: AuditEvent) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            var event = event
            state.last += 1
            event.sequence = state.last
            if state.ring.count < capacity {
                state.ring.append(event)
            } else {
                state.ring[state.start] = event
                state.start = (state.start + 1) % capacity
            }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Waits until there are events after a number; returns at once when the journal is closed or the task cancelled.
    ///
    /// For one reader at a time.
    func waitForEvents(after sequence: Int64) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let mayGoOn = state.withLock { state in
                    if state.last > sequence || state.isClosed || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if mayGoOn { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }?.resume()
        }
    }
}
