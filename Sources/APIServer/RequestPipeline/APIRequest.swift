import NIOCore

/// A request as the pipeline sees it, whatever carried it here.
struct APIRequest: Sendable {
    var method: String
    var path: String
    /// Path and parameters as they were sent.
    let uri: String
    var query: Query
    var accept: String?
    var contentType: String?
    var ifNoneMatch: String?
    var body: [UInt8]
    /// All headers, for what passes them on or asks for an upgrade.
    var headers: [(name: String, value: String)]
    /// Where the connection of the request lives, so that what it leads to can live there too.
    var eventLoop: (any EventLoop)?
    /// Nil: a token was given that is not known.
    var user: UserInfo?
    /// Where it came from, for the audit journal.
    var origin = RequestOrigin()
    /// Takes warnings and remarks.
    var open: OpenRequest?
    /// Whom the user wants to be for this request.
    var impersonation: Impersonation?

    /// A request for a URI: the path and, after a question mark, the parameters.
    init(
        _ method: String, _ uri: String, accept: String? = nil, contentType: String? = nil,
        ifNoneMatch: String? = nil, body: [UInt8] = [], headers: [(name: String, value: String)] = [],
        user: UserInfo?
    ) {
        self.method = method
        self.uri = uri
        self.headers = headers
        let sides = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(sides.first ?? "")
        query = Query(sides.count > 1 ? sides[1] : "")
        self.accept = accept
        self.contentType = contentType
        self.ifNoneMatch = ifNoneMatch
        self.body = body
        self.user = user
    }

    /// The values of a header, in order.
    func values(of header: String) -> [String] {
        headers.filter { $0.name.lowercased() == header }.map(\.value)
    }
}

/// What a connection tells of a request besides who makes it.
struct RequestOrigin: Sendable {
    var userAgent = ""
    var address = "127.0.0.1"
}
