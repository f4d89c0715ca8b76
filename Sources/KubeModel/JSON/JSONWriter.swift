extension JSONValue {
    /// The value as compact JSON, members in their order.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }

    /// The value as compact JSON text.
    public var text: String { String(decoding: encoded, as: UTF8.self) }

    /// Appends the value as compact JSON.
    public func encode(into bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .int(let value): bytes.append(contentsOf: String(value).utf8)
        case .double(let value): bytes.append(contentsOf: Self.digits(of: value).utf8)
        case .string(let value): Self.encode(value, into: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.encode(into: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            var isFirst = true
            for (key, value) in members {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                Self.encode(key, into: &bytes)
                bytes.append(UInt8(ascii: ":"))
                value.encode(into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func digits(of value: Double) -> String {
        precondition(value.isFinite, "JSON has no number for \(value)")
        // A zero below zero would be another number, an integer, when it is read again.
        let text = value == 0 ? "0" : "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)

    private static func encode(_ string: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var string = string
        string.withUTF8 { units in
            var clean = 0  // start of the run that needs no escape
            for index in units.indices {
                let unit = units[index]
                guard unit < 0x20 || unit == UInt8(ascii: "\"") || unit == UInt8(ascii: "\\") else { continue }
                bytes.append(contentsOf: units[clean..<index])
                clean = index + 1
                bytes.append(UInt8(ascii: "\\"))
                switch unit {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(unit)
                case 0x0A: bytes.append(UInt8(ascii: "n"))
                case 0x0D: bytes.append(UInt8(ascii: "r"))
                case 0x09: bytes.append(UInt8(ascii: "t"))
                default:
                    bytes.append(contentsOf: "u00".utf8)
                    bytes.append(hexadecimal[Int(unit >> 4)])
                    bytes.append(hexadecimal[Int(unit & 15)])
                }
            }
            bytes.append(contentsOf: units[clean...])
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
