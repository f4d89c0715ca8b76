import Crypto
import FoundationEssentials
import Synchronization

/// The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding.
struct ScramExchange {
    enum Failure: Error { case malformed, wrongServer }

    private struct Salted: Hashable {
        var password: String
        var salt: String
        var rounds: Int
    }
    /// Thousands of hashes make a key; the next connection to the same server finds it here.
    private static let keys = Mutex<[Salted: Data]>([:])

    private let password: String
    private let nonce: String
    private var serverSignature = Data()

    init(password: String) {
        self.password = password
        nonce = Data((0..<18).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
    }

    /// The user is left out: PostgreSQL takes the one that the start message names.
    private var firstBare: String { "n=,r=\(nonce)" }
    var first: String { "n,,\(firstBare)" }

    /// The answer to the server's first message.
    mutating func final(_ challenge: String) throws(Failure) -> String {
        let fields = Self.fields(challenge)
        guard let joint = fields["r"], joint.hasPrefix(nonce), let salt = fields["s"],
            let rounds = fields["i"].flatMap({ Int($0) }), 1...1_000_000 ~= rounds,
            let saltBytes = Data(base64Encoded: salt)
        else { throw .malformed }
        let key = Self.key(Salted(password: password, salt: salt, rounds: rounds), saltBytes)
        let withoutProof = "c=biws,r=\(joint)"
        let message = Data("\(firstBare),\(challenge),\(withoutProof)".utf8)
        let clientKey = Self.sign(Data("Client Key".utf8), key)
        let signature = Self.sign(message, Data(SHA256.hash(data: clientKey)))
        serverSignature = Self.sign(message, Self.sign(Data("Server Key".utf8), key))
        return withoutProof + ",p=" + Data(zip(clientKey, signature).map { $0 ^ $1 }).base64EncodedString()
    }

    /// Whether the server knows the password, too.
    func verify(_ last: String) throws(Failure) {
        guard Self.fields(last)["v"].flatMap({ Data(base64Encoded: $0) }) == serverSignature else { throw .wrongServer }
    }

    private static func fields(_ message: String) -> [String: String] {
        var fields: [String: String] = [:]
        for part in message.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { fields[String(pair[0])] = String(pair[1]) }
        }
        return fields
    }

    private static func sign(_ message: Data, _ key: Data) -> Data {
        Data(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
    }

    /// PBKDF2 with one block.
    private static func key(_ salted: Salted, _ salt: Data) -> Data {
        if let known = keys.withLock({ $0[salted] }) { return known }
        let password = Data(salted.password.utf8)
        var round = sign(salt + [0, 0, 0, 1], password)
        var key = round
        for _ in 1..<salted.rounds {
            round = sign(round, password)
            for index in key.indices { key[index] ^= round[index] }
        }
        keys.withLock { $0[salted] = key }
        return key
    }
}
