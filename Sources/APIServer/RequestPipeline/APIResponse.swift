import KubeModel

/// An answer, whatever will carry it.
struct APIResponse: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// Pieces that are made when they are asked for; each is sent at once.
        case stream(AsyncThrowingStream<[UInt8], any Error>)
        /// A long answer, put together while it is sent.
        case pieces(AnswerPieces)
        /// Lines of events, for as long as the watch lasts.
        case watch(WatchStream)
        /// The connection goes over to another protocol.
        case upgrade(ConnectionUpgrade)
    }

    var code: Int
    var headers: [(name: String, value: String)] = []
    var body: Body
    /// The request that this answers, for as long as it is being sent.
    var request: OpenRequest?

    private static let noCache = (name: "Cache-Control", value: "no-cache, private")

    /// JSON that is encoded already; it ends with a line break, as Kubernetes' does.
    static func json(_ bytes: [UInt8], code: Int = 200, warnings: [String] = []) -> APIResponse {
        var response = APIResponse(code: code, body: .bytes(bytes.last == 0x0A ? bytes : bytes + [0x0A]))
        response.headers = [noCache, ("Content-Type", "application/json")]
        for warning in warnings { response.warn(warning) }
        return response
    }

    /// Adds a text that clients show to people.
    mutating func warn(_ text: String) {
        let quoted = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        headers.append(("Warning", "299 - \"\(quoted)\""))
    }

    /// A list, sent in pieces if it needs more than one.
    static func json(_ pieces: AnswerPieces) -> APIResponse {
        var place = AnswerPieces.Place()
        let first = pieces.piece(&place) ?? []
        var response = json([])
        response.body = place.isOver ? .bytes(first) : .pieces(pieces)
        return response
    }

    static func json(_ value: JSONValue, code: Int = 200, warnings: [String] = []) -> APIResponse {
        json(value.encoded, code: code, warnings: warnings)
    }

    static func text(_ text: String, code: Int = 200) -> APIResponse {
        APIResponse(
            code: code,
            headers: [
                noCache, ("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff"),
            ],
            body: .bytes(Array(text.utf8)))
    }

    static func refusal(_ status: Status) -> APIResponse {
        var response = json(status.value, code: status.code)
        if let seconds = status.details?["retryAfterSeconds"]?.int {
            response.headers.append(("Retry-After", "\(seconds)"))
        }
        return response
    }

    static func watch(_ watch: WatchStream) -> APIResponse {
        APIResponse(code: 200, headers: [noCache, ("Content-Type", "application/json")], body: .watch(watch))
    }

    static func stream(
        _ stream: AsyncThrowingStream<[UInt8], any Error>, contentType: String
    ) -> APIResponse {
        APIResponse(code: 200, headers: [noCache, ("Content-Type", contentType)], body: .stream(stream))
    }

    static func upgrade(_ upgrade: ConnectionUpgrade) -> APIResponse {
        APIResponse(code: 101, body: .upgrade(upgrade))
    }
}
