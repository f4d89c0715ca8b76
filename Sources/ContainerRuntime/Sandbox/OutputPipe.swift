import CSandbox
import Glibc
import NIOCore
import NIOPosix

/// One event loop for the output of all containers.
enum OutputLoop {
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
}

/// The reading end of a program's output: hands on what arrives, and says when nothing more will come.
enum OutputPipe {
    /// A pipe whose reading end is followed; returns the writing end, which the caller hands on and closes.
    ///
    /// - Parameters:
    ///   - received: Called on the event loop with each piece.
    ///   - ended: Called once, when the last writer has closed the pipe.
    static func open(
        received: @escaping @Sendable ([UInt8]) -> Void, ended: @escaping @Sendable () -> Void
    ) async throws(RuntimeError) -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard vs_pipe(&ends) == 0 else { throw .system("a pipe cannot be made: \(String(cString: strerror(errno)))") }
        let reading = ends[0]
        do {
            _ = try await NIOPipeBootstrap(group: OutputLoop.group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(OutputHandler(received: received, ended: ended))
                    }
                }
                .takingOwnershipOfDescriptor(input: reading).get()
            return ends[1]
        } catch {
            close(ends[0])
            close(ends[1])
            throw .system("the output of the program cannot be read: \(error)")
        }
    }
}

private final class OutputHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let received: @Sendable ([UInt8]) -> Void
    private let ended: @Sendable () -> Void

    init(received: @escaping @Sendable ([UInt8]) -> Void, ended: @escaping @Sendable () -> Void) {
        self.received = received
        self.ended = ended
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received(Array(unwrapInboundIn(data).readableBytesView))
    }

    func channelInactive(context: ChannelHandlerContext) { ended() }
}
