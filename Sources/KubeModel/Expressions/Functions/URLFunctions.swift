import CEL

/// URLs: `url('https://example.com:80/a?b=c').getHostname()` (Kubernetes docs, "Common Expression Language", URLs).
struct URLValue: OpaqueValue {
    let text: String
    let scheme: String
    let host: String
    let path: String
    let query: Substring

    /// A whole URL with a scheme, or a path from the root; nil for everything else (Go's `url.ParseRequestURI`).
    init?(parsing text: String) {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
        var rest = text[...]
        var scheme = ""
        if !rest.hasPrefix("/") {
            guard let colon = rest.firstIndex(of: ":"), let first = rest.first, first.isASCII, first.isLetter,
                rest[..<colon].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) })
            else { return nil }
            scheme = rest[..<colon].lowercased()
            rest = rest[rest.index(after: colon)...]
        }
        let mark = rest.firstIndex(of: "?") ?? rest.endIndex
        query = mark == rest.endIndex ? "" : rest[rest.index(after: mark)...]
        rest = rest[..<mark]
        var host = ""
        if rest.hasPrefix("//"), !scheme.isEmpty {
            rest = rest.dropFirst(2)
            let authority = rest.prefix { $0 != "/" }
            rest = rest.dropFirst(authority.count)
            host = String(authority.split(separator: "@", omittingEmptySubsequences: false).last ?? "")
        } else if !rest.hasPrefix("/") {
            return nil
        }
        guard Self.isEscaped(rest), Self.isHost(host) else { return nil }
        self.text = text
        self.scheme = scheme
        self.host = host
        path = String(rest)
    }

    var typeName: String { "kubernetes.URL" }
    static let type = ValueType.opaque("kubernetes.URL")

    func isEqual(to other: any OpaqueValue) -> Bool { (other as? URLValue)?.text == text }

    private static func isEscaped(_ text: Substring) -> Bool {
        text.split(separator: "%", omittingEmptySubsequences: false).dropFirst()
            .allSatisfy { $0.count >= 2 && $0.prefix(2).allSatisfy(\.isHexDigit) }
    }

    private static func isHost(_ host: String) -> Bool {
        if host.hasPrefix("["), !host.contains("]") { return false }
        let port = port(of: host)
        return port.allSatisfy { $0.isASCII && $0.isNumber }
            && host.allSatisfy { !" <>\"^`{}|\\".contains($0) }
    }

    private static func port(of host: String) -> Substring {
        let start = host.lastIndex(of: "]") ?? host.startIndex
        guard let colon = host[start...].lastIndex(of: ":") else { return "" }
        return host[host.index(after: colon)...]
    }

    var port: String { String(Self.port(of: host)) }

    /// The host without its port, and without brackets.
    var hostname: String {
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[..<end].dropFirst()) }
        return String(host.prefix { $0 != ":" })
    }

    /// The parameters, each with all its values.
    var parameters: MapValue {
        var names: [String] = []
        var values: [String: [Value]] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.unescaped(parts[0]), let value = Self.unescaped(parts.count > 1 ? parts[1] : "")
            else { continue }
            if values[name] == nil { names.append(name) }
            values[name, default: []].append(.string(value))
        }
        return MapValue(names.map { ($0, Value.list(values[$0] ?? [])) })
    }

    private static func unescaped(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%") {
                guard let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2
                else { return nil }
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

enum URLFunctions {
    static let all: [Function] = [
        Function(
            "url",
            [
                .global("string_to_url", [.string], URLValue.type) { arguments throws(EvaluationError) in
                    let text = arguments[0].string ?? ""
                    guard let url = URLValue(parsing: text) else {
                        throw EvaluationError(
                            "URL parse error during conversion from string: parse \(GoText.quote(text)): invalid URI for request"
                        )
                    }
                    return .opaque(url)
                }
            ]),
        Function(
            "isURL",
            [
                .global("is_url_string", [.string], .bool) {
                    .bool(URLValue(parsing: $0[0].string ?? "") != nil)
                }
            ]),
        part("getScheme") { .string($0.scheme) }, part("getHost") { .string($0.host) },
        part("getHostname") { .string($0.hostname) }, part("getPort") { .string($0.port) },
        part("getEscapedPath") { .string($0.path) },
        part("getQuery", .map(.string, .strings)) { .map($0.parameters) },
    ]

    private static func part(
        _ name: String, _ type: ValueType = .string, _ body: @escaping @Sendable (URLValue) -> Value
    ) -> Function {
        Function(
            name,
            [
                .member("url_\(name)", [URLValue.type], type) { arguments throws(EvaluationError) in
                    guard let url = arguments[0].opaque(URLValue.self) else {
                        throw EvaluationError("no such overload")
                    }
                    return body(url)
                }
            ])
    }
}
