import NIOCore
import NIOPosix
import NIOSSL

/// A client that sends whatever bytes it is told to, and reads whatever comes.
final class RawClient {
    private typealias Channel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var received = ByteBuffer()

    private init(
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.inbound = inbound
        self.outbound = outbound
    }

    /// Runs an action with a connection to a port of this machine.
    ///
    /// - Parameter isSecure: False leaves out TLS, which the server expects.
    static func with<Result>(
        port: Int, isSecure: Bool = true, _ body: (RawClient) async throws -> Result
    ) async throws -> Result {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        let context = isSecure ? try NIOSSLContext(configuration: tls) : nil
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: nil))
                    }
                    return try Channel(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await body(RawClient(inbound: inbound.makeAsyncIterator(), outbound: outbound))
        }
    }

    func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    func send(_ bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

    /// Everything until the server closes the connection; how it closes does not matter.
    func readToEnd() async -> String {
        do {
            while let piece = try await inbound.next(isolation: #isolation) { received.writeImmutableBuffer(piece) }
        } catch {}
        return String(buffer: received)
    }

    /// Reads until a text has come; false when the connection ends before.
    func readUntil(_ text: String) async throws -> Bool {
        while !String(buffer: received).contains(text) {
            guard let piece = try await inbound.next(isolation: #isolation) else { return false }
            received.writeImmutableBuffer(piece)
        }
        return true
    }

    struct Answer {
        let code: Int
        let head: String
        let body: String
    }

    /// The next answer, of those that say how long they are; nil when the connection ends before.
    func readAnswer() async throws -> Answer? {
        while true {
            if let answer = takeAnswer() { return answer }
            guard let piece = try await inbound.next(isolation: #isolation) else { return nil }
            received.writeImmutableBuffer(piece)
        }
    }

    private func takeAnswer() -> Answer? {
        let text = String(buffer: received)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let head = String(text[..<end.lowerBound])
        let lines = head.split(separator: "\r\n")
        let length = lines.compactMap { line -> Int? in
            guard line.lowercased().hasPrefix("content-length:") else { return nil }
            return Int(line.split(separator: " ").last ?? "")
        }.first
        let count = head.utf8.count + 4 + (length ?? 0)
        guard received.readableBytes >= count, let bytes = received.readBytes(length: count) else { return nil }
        let code = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return Answer(
            code: code, head: head, body: String(decoding: bytes.dropFirst(head.utf8.count + 4), as: UTF8.self))
    }
}
