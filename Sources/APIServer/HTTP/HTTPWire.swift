import NIOCore
import NIOHTTP1

/// What arrives on a connection: requests, and after an upgrade plain bytes.
enum HTTPInput: Sendable {
    case request(CollectedRequest)
    case bytes(ByteBuffer)
}

/// What leaves on a connection: answers, and after an upgrade plain bytes.
enum HTTPOutput: Sendable {
    case part(HTTPServerResponsePart)
    /// The head of a 101 answer; from here on the connection carries another protocol.
    case upgrade(HTTPResponseHead)
    case bytes(ByteBuffer)
}

/// The bytes that a client sends after an upgrade, pulled: nothing is read from the socket while nobody asks.
struct WireReader {
    private var inputs: NIOAsyncChannelInboundStream<HTTPInput>.AsyncIterator

    init(_ inputs: NIOAsyncChannelInboundStream<HTTPInput>.AsyncIterator) { self.inputs = inputs }

    /// The next bytes; nil when the client has gone, the connection is closed, or the task is cancelled.
    mutating func next() async -> ByteBuffer? {
        while let input = try? await inputs.next(isolation: #isolation) {
            if case .bytes(let bytes) = input { return bytes }
        }
        return nil
    }
}

/// The way to a client after an upgrade; several tasks may write, each piece stays whole.
struct WireWriter: Sendable {
    let outbound: NIOAsyncChannelOutboundWriter<HTTPOutput>
    let channel: any Channel

    /// Suspends while the client does not read; throws when it has gone.
    func write(_ bytes: ByteBuffer) async throws { try await outbound.write(.bytes(bytes)) }

    /// Closes the connection, which ends every wait for it.
    func close() { channel.close(promise: nil) }
}

/// An answer that gives the connection to another protocol.
struct ConnectionUpgrade: Sendable {
    /// The headers of the 101 answer.
    var headers: [(name: String, value: String)]
    /// Speaks the other protocol until its end; called exactly once, also when the client has gone meanwhile.
    var run: @Sendable (inout WireReader, WireWriter) async -> Void
}
