import CSandbox
import Glibc
import NIOCore
import NIOPosix

/// One event loop for the streams of all containers.
enum StreamLoop {
    static let group: MultiThreadedEventLoopGroup = {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        // A program that does not read its input any more must not end this one.
        group.next().execute { vs_block_broken_pipes() }
        return group
    }()
}

/// Reads a program's output from a descriptor and hands it to a hub; reads no further while the hub has no room.
final class OutputSource: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let hub: OutputHub
    private let isErrorOutput: Bool
    private let ended: @Sendable () -> Void

    private init(hub: OutputHub, isErrorOutput: Bool, ended: @escaping @Sendable () -> Void) {
        self.hub = hub
        self.isErrorOutput = isErrorOutput
        self.ended = ended
    }

    /// Begins to follow a descriptor until its end; it belongs to the channel from here on, and is closed when that fails.
    ///
    /// - Parameters:
    ///   - writing: A second descriptor of the same terminal, through which the channel writes.
    ///   - ended: Called once, after the hub has everything.
    static func open(
        _ reading: Int32, writing: Int32? = nil, hub: OutputHub, isErrorOutput: Bool,
        ended: @escaping @Sendable () -> Void
    ) -> EventLoopFuture<any Channel> {
        let bootstrap = NIOPipeBootstrap(group: StreamLoop.group)
            .channelInitializer { channel in
                hub.add(channel)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        OutputSource(hub: hub, isErrorOutput: isErrorOutput, ended: ended))
                }
            }
        let channel =
            if let writing {
                bootstrap.takingOwnershipOfDescriptors(input: reading, output: writing)
            } else {
                bootstrap.takingOwnershipOfDescriptor(input: reading)
            }
        return channel.flatMapErrorThrowing { error in
            Glibc.close(reading)
            if let writing { Glibc.close(writing) }
            throw RuntimeError.system("the output of the program cannot be read: \(error)")
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hub.receive(Array(unwrapInboundIn(data).readableBytesView), isErrorOutput: isErrorOutput)
    }

    func read(context: ChannelHandlerContext) {
        // The hub asks again when it has room.
        if !hub.isFull { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A terminal whose programs have ended answers with an error where a pipe has an end.
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        hub.remove(context.channel)
        ended()
    }
}
