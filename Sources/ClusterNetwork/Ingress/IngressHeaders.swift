import NIOHTTP1

/// Headers as they go on to the other side.
enum IngressHeaders {
    /// What belongs to one connection alone (RFC 9110, 7.6.1), apart from how the body is framed.
    private static let hopByHop = ["connection", "keep-alive", "proxy-connection", "te", "upgrade"]

    /// What is known about the client.
    struct Client {
        var address: String
        var isTLS: Bool
        var port: Int
    }

    /// The request that the backend gets.
    static func request(_ head: HTTPRequestHead, uri: String, client: Client) -> HTTPRequestHead {
        var head = head
        head.uri = uri
        head.version = .http1_1
        let upgrade = isUpgrade(head) ? head.headers.first(name: "upgrade") : nil
        removeHopByHop(&head.headers)
        head.headers.remove(name: "expect")
        if let upgrade {
            head.headers.add(name: "Connection", value: "upgrade")
            head.headers.add(name: "Upgrade", value: upgrade)
        }
        let scheme = client.isTLS ? "https" : "http"
        let host = head.headers.first(name: "host") ?? ""
        let identifier = head.headers.first(name: "x-request-id") ?? makeIdentifier()
        for (name, value) in [
            ("X-Request-ID", identifier), ("X-Real-IP", client.address), ("X-Forwarded-For", client.address),
            ("X-Forwarded-Host", host), ("X-Forwarded-Port", String(client.port)), ("X-Forwarded-Proto", scheme),
            ("X-Forwarded-Scheme", scheme), ("X-Scheme", scheme),
        ] {
            head.headers.replaceOrAdd(name: name, value: value)
        }
        return head
    }

    /// The response that the client gets.
    static func response(_ head: HTTPResponseHead, isTLS: Bool, closes: Bool) -> HTTPResponseHead {
        var head = head
        if head.status != .switchingProtocols {
            removeHopByHop(&head.headers)
            head.headers.add(name: "Connection", value: closes ? "close" : "keep-alive")
        }
        head.version = .http1_1
        if isTLS {
            head.headers.replaceOrAdd(name: "Strict-Transport-Security", value: "max-age=31536000; includeSubDomains")
        }
        return head
    }

    static func isUpgrade(_ head: HTTPRequestHead) -> Bool {
        head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
            && head.headers.contains(name: "upgrade")
    }

    private static func removeHopByHop(_ headers: inout HTTPHeaders) {
        for name in headers[canonicalForm: "connection"].map(String.init) + hopByHop
        where !["content-length", "transfer-encoding", "host"].contains(name.lowercased()) {
            headers.remove(name: name)
        }
    }

    private static func makeIdentifier() -> String {
        (0..<2).map { _ in
            let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
