import KubeModel

/// An answer, whatever will carry it.
struct APIResponse: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// Pieces that are made when they are asked for; each is sent at once.
        case stream(AsyncThrowingStream<[UInt8], any Error>)
    }

    var code: Int
    var headers: [(name: String, value: String)] = []
    var body: Body

    private static let noCache = (name: "Cache-Control", value: "no-cache, private")

    static func json(_ bytes: [UInt8], code: Int = 200, warnings: [String] = []) -> APIResponse {
        var response = APIResponse(code: code, body: .bytes(bytes))
        response.headers = [noCache, ("Content-Type", "application/json")]
        for warning in warnings { response.warn(warning) }
        return response
    }

    /// Adds a text that clients show to people.
    mutating func warn(_ text: String) {
        let quoted = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        headers.append(("Warning", "299 - \"\(quoted)\""))
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

    static func stream(
        _ stream: AsyncThrowingStream<[UInt8], any Error>, contentType: String
    ) -> APIResponse {
        APIResponse(code: 200, headers: [noCache, ("Content-Type", contentType)], body: .stream(stream))
    }
}
