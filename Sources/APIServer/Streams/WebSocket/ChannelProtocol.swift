import KubeModel
import NIOCore

/// The sub-protocols that put several channels on a WebSocket: the first byte of each message is the channel.
struct ChannelProtocol: Equatable {
    /// The name that is negotiated; empty for clients that name none.
    let name: String
    /// Messages are text, their channel a digit and the rest Base64.
    let isBase64: Bool
    /// The client can end its input (`v5`).
    var canClose: Bool { name == "v5.channel.k8s.io" }
    /// How a command ended is told as a `Status`, not as text.
    var hasStatus: Bool { name.hasPrefix("v4.") || name.hasPrefix("v5.") }

    static let commands = [
        ChannelProtocol(name: "v5.channel.k8s.io", isBase64: false),
        ChannelProtocol(name: "v4.channel.k8s.io", isBase64: false),
        ChannelProtocol(name: "v4.base64.channel.k8s.io", isBase64: true),
        ChannelProtocol(name: "channel.k8s.io", isBase64: false),
        ChannelProtocol(name: "base64.channel.k8s.io", isBase64: true),
    ]

    static let ports = commands.filter { $0.name.hasPrefix("v4.") }

    /// The first protocol of the client that is in `known`; without an offer, the one without a name.
    static func choose(_ offered: [String], from known: [ChannelProtocol]) -> ChannelProtocol? {
        if offered.isEmpty { return ChannelProtocol(name: "", isBase64: false) }
        for name in offered {
            if let found = known.first(where: { $0.name == name }) { return found }
        }
        return nil
    }

    func encode(_ channel: UInt8, _ bytes: [UInt8]) -> ByteBuffer {
        isBase64
            ? WebSocketFrame.text([channel + UInt8(ascii: "0")] + Array(Base64.encode(bytes).utf8))
            : WebSocketFrame.binary([channel], bytes)
    }
}

/// Sorts the messages of a client into channels.
struct ChannelReader {
    enum Event: Equatable {
        case data(channel: UInt8, bytes: [UInt8])
        /// The client writes no more on this channel.
        case end(channel: UInt8)
        case write(ByteBuffer)
        case closed
    }

    let form: ChannelProtocol
    /// Channels whose messages are wanted whole.
    let wholeChannels: Set<UInt8>

    private var parser = WebSocketParser()
    /// The channel of the message that is being read.
    private var channel: UInt8?
    private var collected: [UInt8] = []

    /// Of messages that have to be whole: text, and what is no more than a few words.
    private var wholeBytesMax: Int { form.isBase64 ? 4 << 20 : 64 * 1024 }
    private static let closeChannel: UInt8 = 255

    init(_ form: ChannelProtocol, wholeChannels: Set<UInt8> = []) {
        self.form = form
        self.wholeChannels = wholeChannels
    }

    mutating func receive(_ bytes: ByteBuffer) throws(StreamProtocolError) -> [Event] {
        parser.feed(bytes)
        var events: [Event] = []
        while let event = try parser.next() {
            switch event {
            case .ping(let bytes): events.append(.write(WebSocketFrame.pong(bytes)))
            case .pong: continue
            case .close(let code):
                events += [.write(WebSocketFrame.close(code ?? WebSocketFrame.normal)), .closed]
                return events
            case .piece(let piece): if let event = try sort(piece) { events.append(event) }
            }
        }
        return events
    }

    private mutating func sort(_ piece: WebSocketParser.Piece) throws(StreamProtocolError) -> Event? {
        if form.isBase64 { return try sortText(piece) }
        var bytes = piece.bytes[...]
        if piece.isStart { channel = nil }
        if channel == nil { channel = bytes.popFirst() }
        guard let channel else { return nil }
        guard channel == Self.closeChannel && form.canClose || wholeChannels.contains(channel) else {
            return bytes.isEmpty ? nil : .data(channel: channel, bytes: Array(bytes))
        }
        try collect(bytes)
        guard piece.isEnd else { return nil }
        defer { collected = [] }
        if channel == Self.closeChannel, form.canClose { return collected.first.map { .end(channel: $0) } }
        return .data(channel: channel, bytes: collected)
    }

    private mutating func sortText(_ piece: WebSocketParser.Piece) throws(StreamProtocolError) -> Event? {
        try collect(piece.bytes[...])
        guard piece.isEnd else { return nil }
        defer { collected = [] }
        guard let digit = collected.first else { return nil }
        guard let bytes = Base64.decode(String(decoding: collected.dropFirst(), as: UTF8.self)) else {
            throw StreamProtocolError("a message that is not Base64")
        }
        return .data(channel: digit &- UInt8(ascii: "0"), bytes: bytes)
    }

    private mutating func collect(_ bytes: ArraySlice<UInt8>) throws(StreamProtocolError) {
        guard collected.count + bytes.count <= wholeBytesMax else {
            throw StreamProtocolError("a message that is too long")
        }
        collected += bytes
    }
}
