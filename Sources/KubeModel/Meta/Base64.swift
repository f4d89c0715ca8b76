/// Base64 with the common alphabet and padding (RFC 4648, section 4), as Secrets keep their data.
public enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    /// What each byte stands for; 255 for what is no digit.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()

    /// The offset of the first byte that cannot be; nil if the text is right.
    static func firstError(_ text: String) -> Int? {
        var padding = 0
        var count = 0
        for (offset, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): continue
            case UInt8(ascii: "="):
                padding += 1
                if padding > 2 || count % 4 < 2 { return offset }
            default:
                if padding > 0 || values[Int(byte)] == 255 { return offset }
            }
            count += 1
        }
        return count % 4 == 0 ? nil : text.utf8.count / 4 * 4
    }

    /// The number of bytes that the text stands for.
    static func byteCount(_ text: String) -> Int {
        let digits = text.utf8.count { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        return digits * 3 / 4
    }

    /// The bytes that a text stands for, line ends left out; nil if it is not base64.
    public static func decode(_ text: String) -> [UInt8]? {
        guard firstError(text) == nil else { return nil }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.utf8.count / 4 * 3)
        var (group, count) = (UInt32(0), 0)
        for byte in text.utf8 {
            let value = values[Int(byte)]
            guard value < 64 else { continue }
            group = group << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                decoded.append(UInt8(truncatingIfNeeded: group >> UInt32(count)))
            }
        }
        return decoded
    }

    /// The UTF-8 bytes of a text.
    public static func encode(_ text: String) -> String { encode(Array(text.utf8)) }

    public static func encode(_ bytes: [UInt8]) -> String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let rest = bytes[start..<min(start + 3, bytes.count)]
            var group: UInt32 = 0
            for byte in rest { group = group << 8 | UInt32(byte) }
            group <<= UInt32(8 * (3 - rest.count))
            for position in 0..<4 {
                let isPadding = position > rest.count
                encoded.append(
                    isPadding ? UInt8(ascii: "=") : digits[Int(group >> UInt32(18 - 6 * position) & 63)])
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
