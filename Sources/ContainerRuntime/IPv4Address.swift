/// An IPv4 address: four bytes, written with dots.
public struct IPv4Address: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The address as a number, its first byte highest.
    public let number: UInt32

    public init(_ number: UInt32) { self.number = number }

    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        number = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    /// Reads an address such as `10.96.0.1`.
    ///
    /// Four decimal numbers of at most three digits, nothing else.
    public init?(parsing text: some StringProtocol) {
        var (number, part, digits, points): (UInt32, UInt32, Int, Int) = (0, 0, 0, 0)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                part = part * 10 + UInt32(byte - UInt8(ascii: "0"))
                digits += 1
                guard digits <= 3, part < 256 else { return nil }
            case UInt8(ascii: "."):
                guard digits > 0, points < 3 else { return nil }
                number = number << 8 | part
                (part, digits, points) = (0, 0, points + 1)
            default: return nil
            }
        }
        guard digits > 0, points == 3 else { return nil }
        number = number << 8 | part
        self.number = number
    }

    /// The four bytes, in the order in which they are written.
    public var bytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }

    public var description: String { bytes.map(String.init).joined(separator: ".") }

    public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.number < right.number }
}
