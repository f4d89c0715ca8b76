import KubeModel
import LabTesting
import NIOCore
import Testing

@testable import APIServer

@Suite("WebSocket") struct WebSocketTests {
    private static func read(
        _ reader: inout ChannelReader, _ bytes: some Sequence<UInt8>
    ) throws -> [ChannelReader.Event] {
        try reader.receive(ByteBuffer(bytes: bytes))
    }

    private static let v5 = ChannelProtocol(name: "v5.channel.k8s.io", isBase64: false)
    private static let base64 = ChannelProtocol(name: "v4.base64.channel.k8s.io", isBase64: true)

    @Test("messages go to the channel that their first byte names; input ends by channel 255")
    func channels() throws {
        var reader = ChannelReader(Self.v5, wholeChannels: [4])
        let bytes =
            ClientFrame.binary([0, 1, 2, 3]) + ClientFrame.frame(2, [0, 4], isLast: false)
            + ClientFrame.frame(9, [7]) + ClientFrame.frame(0, [5], isLast: false) + ClientFrame.frame(0, [6])
            + ClientFrame.frame(2, [4, 8], isLast: false) + ClientFrame.frame(0, [9]) + ClientFrame.binary([255, 0])
            + ClientFrame.frame(8, [0x03, 0xE8])
        let events = try Self.read(&reader, bytes)
        #expect(
            events == [
                .data(channel: 0, bytes: [1, 2, 3]), .data(channel: 0, bytes: [4]), .write(WebSocketFrame.pong([7])),
                .data(channel: 0, bytes: [5]), .data(channel: 0, bytes: [6]), .data(channel: 4, bytes: [8, 9]),
                .end(channel: 0), .write(WebSocketFrame.close(1000)), .closed,
            ])
    }

    @Test("before version 5 channel 255 is nothing special")
    func olderProtocol() throws {
        var reader = ChannelReader(ChannelProtocol(name: "v4.channel.k8s.io", isBase64: false))
        #expect(try Self.read(&reader, ClientFrame.binary([255, 0])) == [.data(channel: 255, bytes: [0])])
    }

    @Test("Base64 channels are digits, and other text is refused")
    func base64() throws {
        var reader = ChannelReader(Self.base64)
        let text = ClientFrame.frame(1, Array("0aGVsbG8=".utf8))
        #expect(try Self.read(&reader, text) == [.data(channel: 0, bytes: Array("hello".utf8))])
        #expect(throws: StreamProtocolError.self) { try Self.read(&reader, ClientFrame.frame(1, Array("0a-b*".utf8))) }
        for count in 0..<5 {
            let bytes = [UInt8](repeating: 0xFB, count: count)
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }

    @Test("a frame of more than 1 MiB arrives in pieces, whatever the cuts", arguments: 1...2)
    func largeFrame(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let message = (0..<(5 << 18)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
        var rest = ClientFrame.binary([0] + message)[...]
        var reader = ChannelReader(Self.v5)
        var received: [UInt8] = []
        while !rest.isEmpty {
            let count = Int.random(in: 1...200_000, using: &random)
            for event in try Self.read(&reader, rest.prefix(count)) {
                if case .data(0, let bytes) = event { received += bytes }
            }
            rest = rest.dropFirst(count)
        }
        #expect(received == message)
    }

    @Test(
        "what is no WebSocket of a client is refused",
        arguments: [
            ("no mask", [0x82, 1, 0]), ("reserved bits", [0xC2, 0x81, 0, 0, 0, 0, 0]),
            ("unknown opcode", ClientFrame.frame(3, [0])),
            ("a long ping", ClientFrame.frame(9, [UInt8](repeating: 0, count: 126))),
            ("a ping in parts", ClientFrame.frame(9, [0], isLast: false)),
            ("a continuation of nothing", ClientFrame.frame(0, [0])),
            ("a message inside a message", ClientFrame.frame(2, [0], isLast: false) + ClientFrame.frame(2, [0])),
            ("a close of one byte", ClientFrame.frame(8, [3])),
            ("no measure", [0x82, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("an endless size of the terminal", ClientFrame.frame(2, [4] + [UInt8](repeating: 32, count: 70_000))),
        ] as [(String, [UInt8])])
    func malformed(name: String, bytes: [UInt8]) {
        var reader = ChannelReader(Self.v5, wholeChannels: [4])
        #expect(throws: StreamProtocolError.self) { try Self.read(&reader, bytes) }
    }

    @Test("any bytes are either understood or refused", arguments: 1...50)
    func noise(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var reader = ChannelReader(seed % 2 == 0 ? Self.v5 : Self.base64, wholeChannels: [4])
        let bytes = (0..<400).map { _ in UInt8.random(in: 0...255, using: &random) }
        _ = try? Self.read(&reader, ClientFrame.binary([0, 1]) + bytes)
    }

    @Test("the answer to a handshake is that of the RFC's example")
    func handshake() {
        let headers = WebSocketFrame.acceptHeaders(key: "dGhlIHNhbXBsZSBub25jZQ==", chosen: nil)
        #expect(headers.contains { $0.value == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" })
    }

    @Test(
        "sizes of terminals",
        arguments: [
            (#"{"Width":80,"Height":24}"#, true), (#"{"Width":0,"Height":24}"#, false),
            (#"{"Width":70000,"Height":24}"#, false), ("[", false), ("{}", false),
        ])
    func sizes(text: String, isSize: Bool) {
        #expect((TerminalSize.parse(Array(text.utf8)) != nil) == isSize)
    }
}

/// Frames as clients send them: masked.
enum ClientFrame {
    static func binary(_ bytes: [UInt8]) -> [UInt8] { frame(2, bytes) }

    static func frame(_ opcode: UInt8, _ bytes: [UInt8], isLast: Bool = true) -> [UInt8] {
        let mask: [UInt8] = [0x12, 0x34, 0x56, 0x78]
        var frame: [UInt8] = [(isLast ? 0x80 : 0) | opcode]
        let count = bytes.count
        if count < 126 {
            frame.append(0x80 | UInt8(count))
        } else if count <= UInt16.max {
            frame += [0x80 | 126, UInt8(count >> 8), UInt8(count & 0xFF)]
        } else {
            frame.append(0x80 | 127)
            for shift in stride(from: 56, through: 0, by: -8) { frame.append(UInt8(count >> shift & 0xFF)) }
        }
        return frame + mask + bytes.enumerated().map { $1 ^ mask[$0 & 3] }
    }
}
