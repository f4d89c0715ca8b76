/// Writes protobuf's wire format by hand, as Go's generated code does; fields by the numbers of Kubernetes' `generated.proto` files.
enum Wire {
    static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func tag(_ field: Int, _ wireType: UInt64) -> [UInt8] { varint(UInt64(field) << 3 | wireType) }

    static func number(_ field: Int, _ value: Int64) -> [UInt8] { tag(field, 0) + varint(UInt64(bitPattern: value)) }

    static func flag(_ field: Int, _ value: Bool) -> [UInt8] { number(field, value ? 1 : 0) }

    static func bytes(_ field: Int, _ value: [UInt8]) -> [UInt8] { tag(field, 2) + varint(UInt64(value.count)) + value }

    static func text(_ field: Int, _ value: String) -> [UInt8] { bytes(field, Array(value.utf8)) }

    static func message(_ field: Int, _ parts: [UInt8]...) -> [UInt8] { bytes(field, parts.flatMap(\.self)) }

    /// An entry of a map of texts.
    static func entry(_ field: Int, _ key: String, _ value: String) -> [UInt8] {
        message(field, text(1, key), text(2, value))
    }

    /// An entry of a map of quantities.
    static func amount(_ field: Int, _ key: String, _ value: String) -> [UInt8] {
        message(field, text(1, key), message(2, text(1, value)))
    }

    /// `IntOrString` with a number, and with a text.
    static func either(_ field: Int, _ value: Int64) -> [UInt8] {
        message(field, number(1, 0), number(2, value), text(3, ""))
    }
    static func either(_ field: Int, _ value: String) -> [UInt8] {
        message(field, number(1, 1), number(2, 0), text(3, value))
    }

    /// A whole body: the magic number and `runtime.Unknown`.
    static func body(_ apiVersion: String, _ kind: String, _ parts: [UInt8]...) -> [UInt8] {
        magic + message(1, text(1, apiVersion), text(2, kind)) + bytes(2, parts.flatMap(\.self)) + text(3, "")
            + text(4, "")
    }

    static let magic: [UInt8] = [0x6B, 0x38, 0x73, 0x00]
}
