/// Which headers pass a proxy (RFC 9110, 7.6.1).
enum ProxyHeaders {
    typealias Headers = [(name: String, value: String)]

    private static let ofOneHop: Set = [
        "connection", "proxy-connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    static func value(_ name: String, in headers: Headers) -> String? {
        headers.first { $0.name.lowercased() == name }?.value
    }

    private static func passing(_ headers: Headers, without others: Set<String>) -> Headers {
        let named = headers.filter { $0.name.lowercased() == "connection" }
            .flatMap { $0.value.split(separator: ",") }
            .map { $0.filter { $0 != " " }.lowercased() }
        let dropped = ofOneHop.union(named).union(others)
        return headers.filter { !dropped.contains($0.name.lowercased()) }
    }

    /// What the program in the pod sees of a request.
    ///
    /// The credentials are the API server's business, and compression would hide the links in pages.
    static func request(_ headers: Headers, path: ProxyPath, bodyCount: Int, upgrade: String?) -> Headers {
        var passed = passing(headers, without: ["authorization", "accept-encoding", "content-length", "expect"])
        let before = value("x-forwarded-for", in: passed).map { "\($0), " } ?? ""
        passed.removeAll {
            let name = $0.name.lowercased()
            return name == "x-forwarded-for" || name.hasPrefix("impersonate-")
        }
        passed.append(("X-Forwarded-For", before + "127.0.0.1"))
        passed.append(("X-Forwarded-Uri", path.prefix + path.rest))
        if let upgrade {
            passed += [("Connection", "Upgrade"), ("Upgrade", upgrade)]
        } else {
            passed.append(("Connection", "close"))
            if bodyCount > 0 { passed.append(("Content-Length", "\(bodyCount)")) }
        }
        return passed
    }

    /// What the client sees of an answer.
    static func response(_ headers: Headers, path: ProxyPath, host: String?) -> Headers {
        passing(headers, without: []).map { header in
            guard header.name.lowercased() == "location" else { return header }
            return (header.name, link(header.value, path: path, host: host))
        }
    }

    /// A link to the program's own root, led through the proxy; others stay as they are.
    static func link(_ link: String, path: ProxyPath, host: String?) -> String {
        var rest = link[...]
        for scheme in ["http://", "https://", "//"] where rest.hasPrefix(scheme) {
            let target = rest.dropFirst(scheme.count)
            let name = target.prefix { !"/?#".contains($0) }
            guard let host, name == host else { return link }
            rest = target.dropFirst(name.count)
            break
        }
        guard rest.hasPrefix("/") else { return link }
        return rest.hasPrefix(path.prefix) ? String(rest) : path.prefix + rest
    }
}
