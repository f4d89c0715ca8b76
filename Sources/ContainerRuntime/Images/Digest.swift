import Crypto

/// The name of content: `sha256:` and 64 hexadecimal digits.
struct Digest: Hashable, Sendable, CustomStringConvertible {
    let hex: String

    /// Nil when the text is no SHA-256 digest.
    init?(_ text: String) {
        let digits = text.utf8.dropFirst(7)
        guard text.hasPrefix("sha256:"), digits.count == 64,
            digits.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        hex = String(text.dropFirst(7))
    }

    init(of bytes: [UInt8]) {
        var hash = ContentHash()
        hash.update(bytes)
        self = hash.digest
    }

    fileprivate init(_ digest: SHA256.Digest) {
        hex = digest.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    var description: String { "sha256:" + hex }

    /// As lists show it: the first twelve digits.
    var short: String { String(hex.prefix(12)) }
}

/// Computes the digest of content that comes in pieces.
struct ContentHash {
    private var hash = SHA256()

    mutating func update(_ bytes: [UInt8]) { hash.update(data: bytes) }

    /// Of one field among others: no two lists of fields have the same bytes.
    mutating func update(field text: String) { update(Array("\(text.utf8.count):\(text)".utf8)) }

    var digest: Digest { Digest(hash.finalize()) }
}
