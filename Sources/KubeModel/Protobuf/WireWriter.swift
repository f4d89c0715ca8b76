/// Writes fields of protobuf's wire format, one after another.
///
/// What is nil is left out.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func text(_ number: Int, _ text: String?) {
        guard let text else { return }
        tag(number, wireType: 2)
        varint(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func bool(_ number: Int, _ value: Bool?) {
        guard let value else { return }
        tag(number, wireType: 0)
        varint(value ? 1 : 0)
    }

    mutating func integer(_ number: Int, _ value: Int?) {
        guard let value else { return }
        tag(number, wireType: 0)
        varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func double(_ number: Int, _ value: Double?) {
        guard let value else { return }
        tag(number, wireType: 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A message within the message.
    mutating func message(_ number: Int, _ write: (inout WireWriter) -> Void) {
        var inner = WireWriter()
        write(&inner)
        tag(number, wireType: 2)
        varint(UInt64(inner.bytes.count))
        bytes.append(contentsOf: inner.bytes)
    }

    private mutating func tag(_ number: Int, wireType: UInt64) { varint(UInt64(number) << 3 | wireType) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
