import KubeClient
import KubeModel
import NIOCore
import NIOPosix

/// What a client sends on a forwarded connection.
enum ForwardedInput: Sendable {
    case bytes([UInt8])
    /// The client writes no more, and may still read.
    case end
    /// The client has given the connection up.
    case reset
}

/// One connection to a port of a pod, between a client's stream and a socket.
struct ForwardedConnection: Sendable {
    let agent: any NodeAgent
    let pod: KubeObject
    let port: Int
    let eventLoop: any EventLoop

    /// What may wait for the pod, in bytes.
    static let inputBytesMax = 64 * 1024

    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Forwards until the pod closes the connection or the client gives it up.
    ///
    /// - Parameter send: Takes bytes of the pod; throws when the client has gone.
    /// - Returns: What to tell the client if the connection could not be made.
    func run(
        _ input: Mailbox<ForwardedInput>, send: @Sendable ([UInt8]) async throws -> Void
    ) async -> String? {
        let descriptor: Int32
        do throws(Status) {
            descriptor = try await agent.connect(to: pod, port: port)
        } catch {
            input.close()
            return "error forwarding port \(port) to pod \(pod.uid), uid : \(error.message)"
        }
        do {
            let connection = try await Self.adopt(descriptor, eventLoop)
            try await Self.relay(connection, input, send)
        } catch {
            // One of the two sides has gone.
        }
        input.close()
        return nil
    }

    private static func adopt(_ descriptor: Int32, _ eventLoop: any EventLoop) async throws -> Connection {
        try await ClientBootstrap(group: eventLoop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .withConnectedSocket(descriptor) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Connection(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(
                            backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2),
                            isOutboundHalfClosureEnabled: true))
                }
            }
    }

    private static func relay(
        _ connection: Connection, _ input: Mailbox<ForwardedInput>, _ send: @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        let channel = connection.channel
        try await connection.executeThenClose { inbound, outbound in
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    while let piece = await input.next() {
                        switch piece {
                        case .bytes(let bytes):
                            guard (try? await outbound.write(ByteBuffer(bytes: bytes))) != nil else { return }
                        case .end: outbound.finish()
                        case .reset: channel.close(promise: nil)
                        }
                    }
                }
                do {
                    for try await bytes in inbound { try await send(Array(bytes.readableBytesView)) }
                } catch {
                    // The pod reset the connection, or the client has gone.
                }
                input.close()
                group.cancelAll()
                channel.close(promise: nil)
            }
        }
    }
}
