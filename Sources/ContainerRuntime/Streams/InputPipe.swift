import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// The writing end of a program's input.
final class InputPipe: Sendable {
    private let channel: any Channel
    /// A terminal stays open for its output; a character says that the input has ended.
    private let isTerminal: Bool

    /// - Parameter terminal: The channel of a terminal, which is also read.
    init(terminal: any Channel) {
        channel = terminal
        isTerminal = true
    }

    /// Takes over the writing end of a pipe; it is closed when this throws.
    init(_ writing: Int32) async throws(RuntimeError) {
        isTerminal = false
        do {
            channel = try await NIOPipeBootstrap(group: StreamLoop.group)
                .channelInitializer { $0.eventLoop.makeSucceededVoidFuture() }
                .takingOwnershipOfDescriptor(output: writing).get()
        } catch {
            Glibc.close(writing)
            throw .system("the input of the program cannot be written: \(error)")
        }
    }

    /// Returns when the bytes are in the pipe, nobody will read them, or the task is cancelled.
    func write(_ bytes: [UInt8]) async {
        guard !bytes.isEmpty, channel.isActive else { return }
        let turn = Turn()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                turn.wait(continuation)
                channel.writeAndFlush(ByteBuffer(bytes: bytes)).whenComplete { _ in turn.finish() }
            }
        } onCancel: {
            turn.finish()
        }
    }

    func end() {
        if isTerminal {
            let endOfTransmission: [UInt8] = [4]
            channel.writeAndFlush(ByteBuffer(bytes: endOfTransmission), promise: nil)
        } else {
            channel.close(promise: nil)
        }
    }
}

/// One thing that is waited for and happens once.
private final class Turn: Sendable {
    private let state = Mutex<(isOver: Bool, waiter: CheckedContinuation<Void, Never>?)>((false, nil))

    func wait(_ waiter: CheckedContinuation<Void, Never>) {
        let isOver = state.withLock { state in
            if !state.isOver { state.waiter = waiter }
            return state.isOver
        }
        if isOver { waiter.resume() }
    }

    func finish() {
        let waiter = state.withLock { state in
            state.isOver = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
