import KubeModel

/// What the server puts into the metadata of every new object.
enum ObjectMetadata {
    static func fill(_ object: inout KubeObject, now: Timestamp) {
        if object.name.isEmpty, let prefix = object.generateName, !prefix.isEmpty {
            object.name = generatedName(prefix)
        }
        object.uid = newUID()
        object.value[["metadata", "creationTimestamp"]] = .string(now.text)
    }

    /// No vowels and no digits that look like letters, so that no words come out.
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
    private static let prefixLengthMax = 58

    static func generatedName(_ prefix: String) -> String {
        var name = String(prefix.prefix(prefixLengthMax))
        for _ in 0..<5 { name.append(alphabet[Int.random(in: alphabet.indices)]) }
        return name
    }

    /// A random UUID (RFC 4122, version 4).
    static func newUID() -> String {
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }
        return text
    }
}
