import KubeModel
import ObjectStore

/// Where a list in pieces goes on: the revision at which it began, and the last object that was given.
///
/// Opaque to clients: Base64 (URL alphabet) of a small JSON object, the same as in Kubernetes.
struct ContinueToken: Equatable {
    /// Nil: the list goes on with what there is by then.
    let revision: Int64?
    /// The last key that was given, behind the part that the path of the request names: `NAMESPACE/NAME` or `NAME`.
    let lastKey: String

    /// The token for what follows a key of a range.
    init(revision: Int64?, after key: StoreKey, in range: KeyRange) {
        self.revision = revision
        let isWithNamespace = range.namespace == nil
        lastKey = isWithNamespace ? [key.namespace, key.name].compactMap { $0 }.joined(separator: "/") : key.name
    }

    var text: String {
        let value: JSONValue = [
            "v": "meta.k8s.io/v1", "rv": .int(revision ?? -1), "start": .string(lastKey + "\0"),
        ]
        return Base64URL.encode(value.encoded)
    }

    /// The key after which a list of the range goes on.
    func key(in range: KeyRange) -> StoreKey {
        if let namespace = range.namespace {
            return StoreKey(resource: range.resource, namespace: namespace, name: lastKey)
        }
        let parts = lastKey.split(separator: "/", maxSplits: 1)
        return StoreKey(
            resource: range.resource, namespace: parts.count > 1 ? String(parts[0]) : nil,
            name: parts.last.map { String($0) } ?? "")
    }

    /// Reads a token; 400 for text that is none.
    init(parsing text: String) throws(Status) {
        func invalid(_ why: String) -> Status { .badRequest("invalid continue token: continue key is not valid\(why)") }
        guard let bytes = Base64URL.decode(text) else {
            throw invalid(": illegal base64 data at input byte \(Base64URL.firstFault(text))")
        }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw invalid(": \(error.message)")
        }
        let version = value["v"]?.string ?? ""
        guard version == "meta.k8s.io/v1" else {
            throw invalid(": server does not recognize this encoded version \(version)")
        }
        guard let number = value["rv"]?.int, number != 0 else {
            throw invalid(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
        }
        guard let start = value["start"]?.string, !start.isEmpty else {
            throw invalid(": encoded start key empty (version meta.k8s.io/v1)")
        }
        let parts = start.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { ["", ".", ".."].contains($0) }) else { throw invalid(": \(start)") }
        revision = number > 0 ? Int64(number) : nil
        lastKey = start.hasSuffix("\0") ? String(start.dropLast()) : start
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
        guard text.utf8.count % 4 != 1 else { return nil }
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

    /// The place of the first byte that is wrong, or the end of a text that is too short.
    static func firstFault(_ text: String) -> Int {
        Array(text.utf8).firstIndex { !alphabet.contains($0) } ?? text.utf8.count
    }
}
