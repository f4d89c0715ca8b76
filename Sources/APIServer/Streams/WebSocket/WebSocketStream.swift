import KubeModel
import NIOCore

/// An answer that goes on, a log or a watch, sent as messages to a client that prefers a WebSocket.
struct WebSocketStream: Sendable {
    enum Form: Equatable {
        /// Logs: bytes as they come.
        case binary
        case base64
        /// Watches: each event is a message of text.
        case lines
    }

    let body: APIResponse.Body
    let form: Form

    /// The answer as a WebSocket if the client asks for one and the answer goes on; otherwise as it is.
    static func wrap(_ response: APIResponse, _ request: APIRequest) throws(Status) -> APIResponse {
        guard case .webSocket(let key, let protocols)? = UpgradeOffer(request) else { return response }
        let known = ["binary.k8s.io", "base64.binary.k8s.io"]
        let form: Form
        let chosen: String?
        switch response.body {
        case .stream:
            chosen = protocols.first(where: known.contains)
            if !protocols.isEmpty, chosen == nil { throw .unknownProtocols(protocols) }
            form = chosen == known[1] ? .base64 : .binary
        case .watch: (form, chosen) = (.lines, protocols.first)
        case .bytes, .pieces, .upgrade: return response
        }
        return .upgrade(
            ConnectionUpgrade(headers: WebSocketFrame.acceptHeaders(key: key, chosen: chosen)) { reader, writer in
                await WebSocketStream(body: response.body, form: form).run(&reader, writer)
            })
    }

    /// How long a client has to close after the end.
    private static let lingerTime = Duration.seconds(60)

    func run(_ reader: inout WireReader, _ writer: WireWriter) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await send(writer) }
            var channels = ChannelReader(ChannelProtocol(name: "", isBase64: false))
            do {
                reading: while let bytes = await reader.next() {
                    for event in try channels.receive(bytes) {
                        if case .write(let answer) = event { try await writer.write(answer) }
                        if case .closed = event { break reading }
                    }
                }
            } catch {
                try? await writer.write(WebSocketFrame.close(WebSocketFrame.protocolError))
            }
            group.cancelAll()
        }
    }

    private func send(_ writer: WireWriter) async {
        do {
            switch body {
            case .stream(let pieces):
                for try await piece in pieces where !piece.isEmpty { try await send(piece, writer) }
            case .watch(let watch):
                try await watch.run { try await send(Array($0.readableBytesView), writer) }
            case .bytes, .pieces, .upgrade: break
            }
            try await writer.write(WebSocketFrame.close(WebSocketFrame.normal))
            try await ContinuousClock().sleep(for: Self.lingerTime)
            writer.close()
        } catch {
            if !Task.isCancelled { writer.close() }
        }
    }

    private func send(_ piece: [UInt8], _ writer: WireWriter) async throws {
        for message in messages(of: piece) { try await writer.write(message) }
    }

    private func messages(of piece: [UInt8]) -> [ByteBuffer] {
        switch form {
        case .binary: [WebSocketFrame.binary(piece)]
        case .base64: [WebSocketFrame.text(Array(Base64.encode(piece).utf8))]
        case .lines:
            piece.split(separator: UInt8(ascii: "\n")).map { WebSocketFrame.text(Array($0) + [UInt8(ascii: "\n")]) }
        }
    }
}
