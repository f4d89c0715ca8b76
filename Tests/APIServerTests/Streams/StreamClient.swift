import APIServer
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// A client that speaks for itself: bytes over TLS, to say what no library says.
struct StreamClient {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private(set) var received: [UInt8] = []

    /// Runs an action with a connection to a server on this machine.
    static func with<Result: Sendable>(
        port: Int, _ action: @Sendable (inout StreamClient) async throws -> Result
    ) async throws -> Result {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let tls = try NIOSSLContext(configuration: configuration)
        let channel = try await ClientBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: tls, serverHostname: nil))
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var client = StreamClient(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            return try await action(&client)
        }
    }

    func send(_ bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// Asks for an upgrade and reads the head of the answer.
    mutating func upgrade(_ path: String, token: String, _ headers: [String], method: String = "GET") async throws
        -> String
    {
        try await send(
            "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n"
                + headers.map { "\($0)\r\n" }.joined() + "\r\n")
        return try await readHead()
    }

    mutating func webSocket(_ path: String, token: String, _ form: String?) async throws -> String {
        try await upgrade(
            path, token: token,
            [
                "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ] + (form.map { ["Sec-WebSocket-Protocol: \($0)"] } ?? []))
    }

    mutating func readHead() async throws -> String {
        let mark = Array("\r\n\r\n".utf8)
        while true {
            if let end = received.indices.first(where: { received[$0...].starts(with: mark) }) {
                let head = String(decoding: received[..<end], as: UTF8.self)
                received = Array(received[(end + 4)...])
                return head
            }
            guard try await readMore() else { throw Unrefused() }
        }
    }

    /// - Returns: False when the server has closed the connection.
    mutating func readMore() async throws -> Bool {
        do {
            guard let bytes = try await inbound.next(isolation: #isolation) else { return false }
            received += bytes.readableBytesView
            return true
        } catch is NIOSSLError {
            return false
        }
    }

    /// Everything until the server closes the connection.
    mutating func readRest() async throws -> [UInt8] {
        while try await readMore() {}
        return received
    }

    struct Message: Equatable {
        var opcode: UInt8
        var bytes: [UInt8]

        init(_ opcode: UInt8, _ bytes: [UInt8]) {
            self.opcode = opcode
            self.bytes = bytes
        }
    }

    /// The next WebSocket message of the server; nil when the connection is closed.
    mutating func nextMessage() async throws -> Message? {
        while true {
            if let (message, count) = Self.message(in: received) {
                received = Array(received[count...])
                return message
            }
            guard try await readMore() else { return nil }
        }
    }

    /// All messages until the server closes its side, the close frame included.
    mutating func messages() async throws -> [Message] {
        var messages: [Message] = []
        while let message = try await nextMessage() {
            messages.append(message)
            if message.opcode == 8 { break }
        }
        return messages
    }

    private static func message(in bytes: [UInt8]) -> (Message, Int)? {
        guard bytes.count >= 2 else { return nil }
        var header = 2
        var count = Int(bytes[1])
        if count == 126 || count == 127 {
            header = count == 126 ? 4 : 10
            guard bytes.count >= header else { return nil }
            count = bytes[2..<header].reduce(0) { $0 << 8 | Int($1) }
        }
        guard bytes.count >= header + count else { return nil }
        return (Message(bytes[0] & 15, Array(bytes[header..<(header + count)])), header + count)
    }
}
