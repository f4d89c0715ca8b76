import KubeModel
import SwiftASN1
import X509

/// Who is behind a connection: a bearer token, else the client's certificate, else nobody.
struct Authenticator: Sendable {
    /// Tokens that were given when the server was set up.
    let tokens: [String: UserInfo]
    /// Tokens that the server has issued.
    let accounts: ServiceAccountTokens

    /// - Parameters:
    ///   - authorization: The value of the header, if there is one.
    ///   - certificateUser: Whom the verified certificate of the connection names.
    /// - Returns: Nil for a token that is not known: such a request is refused even with a good certificate.
    func user(authorization: String?, certificateUser: UserInfo?) -> UserInfo? {
        if let authorization {
            let parts = authorization.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else { return certificateUser }
            return user(ofToken: String(parts[1]))
        }
        return certificateUser ?? .anonymous
    }

    /// Whom a bearer token stands for; nil when it is not, or no longer, good.
    func user(ofToken token: String) -> UserInfo? {
        if var user = tokens[token] {
            if !user.groups.contains(UserInfo.authenticated) { user.groups.append(UserInfo.authenticated) }
            return user
        }
        return try? accounts.user(of: token, now: .now)?.user
    }

    /// The subject of a certificate: its common name is the user, its organizations are the groups.
    static func user(ofCertificate der: [UInt8]) -> UserInfo? {
        guard let certificate = try? Certificate(derEncoded: der) else { return nil }
        var user = UserInfo(name: "")
        for attribute in certificate.subject.flatMap({ Array($0) }) {
            guard let text = String(attribute.value) else { continue }
            switch attribute.type {
            case .RDNAttributeType.commonName: user.name = text
            case .RDNAttributeType.organizationName: user.groups.append(text)
            default: break
            }
        }
        guard !user.name.isEmpty else { return nil }
        user.groups.append("system:authenticated")
        return user
    }
}
