import Crypto
import KubeModel

/// The key by which the tokens of service accounts are signed and known again.
///
/// Tokens are JSON Web Tokens with ES256 (RFC 7515, RFC 7519).
struct TokenSigner: Sendable {
    private let key: P256.Signing.PrivateKey
    /// By what clients find the key: the hash of the public key, as Kubernetes takes it.
    let keyID: String

    /// A new key, kept nowhere.
    init() { self.init(key: P256.Signing.PrivateKey()) }

    /// A key as PEM text; nil if it is damaged.
    init?(pem: String) {
        guard let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) else { return nil }
        self.init(key: key)
    }

    private init(key: P256.Signing.PrivateKey) {
        self.key = key
        keyID = Base64URL.encode(Array(SHA256.hash(data: key.publicKey.derRepresentation)))
    }

    var pem: String { key.pemRepresentation + "\n" }

    /// A signed token.
    func sign(_ claims: JSONValue) -> String {
        let header: JSONValue = ["alg": "ES256", "kid": .string(keyID)]
        let signed = "\(Base64URL.encode(header.encoded)).\(Base64URL.encode(claims.encoded))"
        guard let signature = try? key.signature(for: Array(signed.utf8)) else {
            preconditionFailure("a P-256 key signs everything")
        }
        return "\(signed).\(Base64URL.encode(Array(signature.rawRepresentation)))"
    }

    /// The claims of a token that this key has signed; nil for everything else.
    func claims(of token: String) -> JSONValue? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Base64URL.decode(String(parts[0])),
            let header = try? JSONValue(parsing: head), header["alg"] == "ES256",
            let bytes = Base64URL.decode(String(parts[2])),
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: bytes)
        else { return nil }
        let signed = Array(token.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
        guard key.publicKey.isValidSignature(signature, for: signed),
            let body = Base64URL.decode(String(parts[1]))
        else { return nil }
        return try? JSONValue(parsing: body)
    }

    /// The public key for others who want to check tokens (`/openid/v1/jwks`).
    var keySet: JSONValue {
        let point = Array(key.publicKey.rawRepresentation)
        return [
            "keys": [
                [
                    "use": "sig", "kty": "EC", "kid": .string(keyID), "crv": "P-256", "alg": "ES256",
                    "x": .string(Base64URL.encode(Array(point[..<32]))),
                    "y": .string(Base64URL.encode(Array(point[32...]))),
                ]
            ]
        ]
    }
}
