import KubeModel

struct HTTPRequest: Sendable {
    var method: String
    /// Without the query.
    var path: String
    var query: [String: String] = [:]
    /// By their names in lower case.
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    var remoteAddress: String
    var keepsAlive: Bool

    var isRead: Bool { method == "GET" || method == "HEAD" }
}

struct HTTPResponse: Sendable {
    var status: Int
    var body: JSONValue
    var headers: [(String, String)] = []

    init(_ status: Int, _ body: JSONValue, headers: [(String, String)] = []) {
        self.status = status
        self.body = body
        self.headers = headers
    }

    static func notFound(_ request: HTTPRequest) -> HTTPResponse {
        HTTPResponse(404, ["error": .string("there is no \(request.path) here")])
    }

    static func wrongMethod(_ allowed: String) -> HTTPResponse {
        HTTPResponse(405, ["error": .string("use \(allowed)")], headers: [("Allow", allowed)])
    }

    private static let reasons = [
        200: "OK", 201: "Created", 202: "Accepted", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
        413: "Content Too Large", 422: "Unprocessable Content", 500: "Internal Server Error",
        503: "Service Unavailable",
    ]

    func bytes(for request: HTTPRequest) -> [UInt8] {
        let content = body.text + "\n"
        var head = "HTTP/1.1 \(status) \(Self.reasons[status] ?? "")\r\nContent-Type: application/json\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        head += "Content-Length: \(content.utf8.count)\r\n"
        head += "Connection: \(request.keepsAlive ? "keep-alive" : "close")\r\n\r\n"
        return Array((request.method == "HEAD" ? head : head + content).utf8)
    }
}

/// What a service says to a request: at once, or after work that would keep others waiting.
enum HTTPAnswer: Sendable {
    case now(HTTPResponse)
    case later(@Sendable () -> HTTPResponse)
}
