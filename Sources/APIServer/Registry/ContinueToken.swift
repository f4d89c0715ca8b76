import KubeModel
import ObjectStore

/// Where a list in pieces goes on: the revision at which it began, and the last object that was given.
///
/// Opaque to clients: Base64 (URL alphabet) of a small JSON object.
struct ContinueToken: Equatable {
    let revision: Int64
    let namespace: String?
    let name: String

    init(revision: Int64, namespace: String?, name: String) {
        self.revision = revision
        self.namespace = namespace
        self.name = name
    }

    var text: String {
        var value: JSONValue = ["v": "1", "rv": .int(revision), "name": .string(name)]
        if let namespace { value["namespace"] = .string(namespace) }
        return Base64URL.encode(value.encoded)
    }

    init?(parsing text: String) {
        guard let bytes = Base64URL.decode(text), let value = try? JSONValue(parsing: bytes),
            value["v"]?.string == "1", let revision = value["rv"]?.int, revision > 0, let name = value["name"]?.string
        else { return nil }
        self.init(revision: Int64(revision), namespace: value["namespace"]?.string, name: name)
    }
}

/// Base64 with the alphabet for URLs and no padding (RFC 4648, section 5).
enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for byte in group { bits = bits << 8 | UInt32(byte) }
            bits <<= UInt32(8 * (3 - group.count))
            for digit in 0...group.count {
                text.append(alphabet[Int(bits >> UInt32(18 - 6 * digit)) & 63])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for unit in text.utf8 {
            guard let digit = alphabet.firstIndex(of: unit) else { return nil }
            bits = (bits << 6 | UInt32(digit)) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bytes
    }
}
