/// A name for content: the same content has the same name in every run (FNV-1a, 64 bits).
public struct ContentHash: Sendable {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    public init() {}

    public mutating func mix(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
        state = (state ^ 0xFF) &* 0x100_0000_01B3
    }

    public mutating func mix(_ text: String) { mix(text.utf8) }

    public var text: String { String(state, radix: 16, uppercase: true) }

    public static func text(_ bytes: [UInt8]) -> String {
        var hash = ContentHash()
        hash.mix(bytes)
        return hash.text
    }
}
