import KubeClient

/// What a registry asks for before it answers: `Bearer realm="https://…",service="…",scope="…"`.
struct RegistryChallenge: Sendable, Hashable {
    /// In lower case.
    let scheme: String
    let parameters: [String: String]

    /// The one that this understands, where a registry leaves the choice.
    init?(in answer: HTTPDownload.Answer) {
        let all = answer.headers.filter { $0.name.lowercased() == "www-authenticate" }
            .compactMap { RegistryChallenge($0.value) }
        guard let chosen = all.first(where: { $0.scheme == "bearer" }) ?? all.first else { return nil }
        self = chosen
    }

    init?(_ text: String) {
        let text = DockerfileParser.trimmed(text[...])
        let name = text.prefix { $0 != " " }
        guard !name.isEmpty else { return nil }
        scheme = name.lowercased()
        var parameters: [String: String] = [:]
        var rest = text[name.endIndex...]
        while let equals = rest.firstIndex(of: "=") {
            let key = rest[..<equals].drop { $0 == " " || $0 == "," }.lowercased()
            rest = rest[rest.index(after: equals)...]
            let value: Substring
            if rest.first == "\"" {
                rest = rest.dropFirst()
                value = rest.prefix { $0 != "\"" }
                rest = rest[value.endIndex...].dropFirst()
            } else {
                value = rest.prefix { $0 != "," }
                rest = rest[value.endIndex...]
            }
            parameters[key] = String(value)
        }
        self.parameters = parameters
    }

    /// Where the token is to be had; nil where that is not said.
    ///
    /// - Parameter scope: What it is for, where the registry does not say; nil: the address says none, a form does.
    func address(scope: String?) -> WebAddress? {
        guard var address = parameters["realm"].flatMap(WebAddress.init) else { return nil }
        guard let scope else { return address }
        var query = "scope=\(Self.escaped(parameters["scope"] ?? scope))"
        if let service = parameters["service"] { query = "service=\(Self.escaped(service))&" + query }
        address.path += (address.path.contains("?") ? "&" : "?") + query
        return address
    }

    /// What is sent there to get a token for an identity token (Docker's "OAuth2 token authentication").
    func form(identity: String, scope: String) -> String {
        let fields = [
            ("grant_type", "refresh_token"), ("client_id", "velocitylab"), ("service", parameters["service"] ?? ""),
            ("scope", parameters["scope"] ?? scope), ("refresh_token", identity),
        ]
        return fields.map { "\($0.0)=\(Self.escaped($0.1))" }.joined(separator: "&")
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            if isPlain || "-._~:/".utf8.contains(byte) { return String(UnicodeScalar(byte)) }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
