import KubeModel

/// Who asks a registry: it is never shown.
public struct RegistryLogin: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    var user: String
    var password: String
    /// What some registries give instead of a password (`docker login` keeps it); it fetches tokens.
    var identityToken: String?

    public init(user: String, password: String, identityToken: String? = nil) {
        self.user = user
        self.password = password
        self.identityToken = identityToken
    }

    public var description: String { "a login" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension RegistryLogin {
    /// As the header `Authorization` has it.
    var basic: String { "Basic " + Base64.encode("\(user):\(password)") }

    /// An entry of `auths`; nil where it holds no login.
    ///
    /// - Throws: If its `auth` is not `USER:PASSWORD` in Base64.
    init?(_ entry: JSONValue) throws(RegistryKeyring.Malformed) {
        user = entry["username"]?.string ?? ""
        password = entry["password"]?.string ?? ""
        identityToken = entry["identitytoken"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        if let auth = entry["auth"]?.string, !auth.isEmpty {
            // Padding may be left out.
            let padding = auth.hasSuffix("=") ? 0 : (4 - auth.utf8.count % 4) % 4
            guard let bytes = Base64.decode(auth + String(repeating: "=", count: padding)) else {
                throw .init(sentence: "an 'auth' in it is not Base64")
            }
            let parts = String(decoding: bytes, as: UTF8.self).split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw .init(sentence: "unable to parse auth field, must be formatted as base64(username:password)")
            }
            user = String(parts[0])
            password = String(parts[1].prefix { $0 != "\0" })
        }
        if user.isEmpty, identityToken == nil { return nil }
    }
}
