/// Text as HTTP/2 headers shorten it.
///
/// The code is canonical: with the length of each symbol's code the codes are known, too. Source: RFC 7541, appendix B.
enum HuffmanCode {
    /// Bits of the code of each byte.
    private static let lengths: [UInt8] = [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28,
        28,
        28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6,
        12,
        10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5,
        6, 5,
        6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22,
        22,
        23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20,
        22,
        22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26,
        26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28,
        27,
        27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28,
        27,
        27, 27, 27, 27, 26,
    ]

    /// A code with a one in front of it, so that leading zeros count.
    private static let symbols: [UInt32: UInt8] = {
        var symbols: [UInt32: UInt8] = [:]
        var code: UInt32 = 0
        var length: UInt8 = 0
        for symbol in lengths.indices.sorted(by: { (lengths[$0], $0) < (lengths[$1], $1) }) {
            code <<= UInt32(lengths[symbol] - length)
            length = lengths[symbol]
            symbols[1 << UInt32(length) | code] = UInt8(symbol)
            code += 1
        }
        return symbols
    }()

    /// The bytes behind the code; what is left over at the end is padding.
    static func decode(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var decoded: [UInt8] = []
        var path: UInt32 = 1
        for byte in bytes {
            for bit in stride(from: 7, through: 0, by: -1) {
                path = path << 1 | UInt32(byte >> bit & 1)
                if let symbol = symbols[path] {
                    decoded.append(symbol)
                    path = 1
                } else if path >> 30 != 0 {
                    return decoded
                }
            }
        }
        return decoded
    }
}
