import KubeClient
import NIOCore
import Synchronization

/// What one reader of a program's output has still to take: bounded, because its writer asks `isFull` before it goes on.
final class OutputQueue: Sendable {
    /// Beyond this it is full; until half of it is taken.
    static let bytesMax = 256 * 1024

    private struct State {
        var pieces = CircularBuffer<SessionOutput>()
        var byteCount = 0
        var isFull = false
        var isEnded = false
        var reader: CheckedContinuation<SessionOutput?, Never>?
    }

    private let state = Mutex(State())
    private let wants: @Sendable (_ isErrorOutput: Bool) -> Bool
    private let hasRoom: @Sendable () -> Void

    /// - Parameters:
    ///   - wants: Which of the two outputs the reader asked for; the other one is dropped.
    ///   - hasRoom: Called each time the queue is not full any more.
    init(wants: @escaping @Sendable (_ isErrorOutput: Bool) -> Bool, hasRoom: @escaping @Sendable () -> Void) {
        self.wants = wants
        self.hasRoom = hasRoom
    }

    var isFull: Bool { state.withLock { $0.isFull } }

    func append(_ piece: SessionOutput) {
        guard wants(piece.isErrorOutput), !piece.bytes.isEmpty else { return }
        let reader = state.withLock { state -> CheckedContinuation<SessionOutput?, Never>? in
            guard !state.isEnded else { return nil }
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            state.pieces.append(piece)
            state.byteCount += piece.bytes.count
            if state.byteCount >= Self.bytesMax { state.isFull = true }
            return nil
        }
        reader?.resume(returning: piece)
    }

    /// Nothing more will come; what is there can still be taken.
    func finish() { end { _ in } }

    /// Nobody takes anything any more.
    func discard() {
        end { state in
            state.pieces = CircularBuffer()
            state.byteCount = 0
            state.isFull = false
        }
        hasRoom()
    }

    private func end(_ change: (inout State) -> Void) {
        let reader = state.withLock { state in
            state.isEnded = true
            change(&state)
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    /// The next piece; nil at the end, or when the waiting task is cancelled.
    func next() async -> SessionOutput? {
        let piece = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isAnswered, piece) = state.withLock { state -> (Bool, SessionOutput?) in
                    if let piece = state.pieces.popFirst() {
                        state.byteCount -= piece.bytes.count
                        return (true, piece)
                    }
                    if state.isEnded || Task.isCancelled { return (true, nil) }
                    state.reader = continuation
                    return (false, nil)
                }
                if isAnswered { continuation.resume(returning: piece) }
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(returning: nil)
        }
        makeRoom()
        return piece
    }

    private func makeRoom() {
        let isNew = state.withLock { state in
            guard state.isFull, state.byteCount <= Self.bytesMax / 2 else { return false }
            state.isFull = false
            return true
        }
        if isNew { hasRoom() }
    }
}
