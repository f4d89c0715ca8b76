/// Why a protobuf body cannot be read.
public struct ProtobufError: Error, Sendable, Hashable, CustomStringConvertible {
    public let message: String
    public init(message: String) { self.message = message }
    public var description: String { message }
}

/// Reads bodies of `application/vnd.kubernetes.protobuf`, which kubectl sends for `create` from 1.32 on.
///
/// A body is the magic number `k8s\0` and a `runtime.Unknown`, which names the type and holds the object (Kubernetes
/// docs, "Alternate representations of resources"). Answers are always JSON, so nothing here writes.
public enum ProtobufBody {
    public static let mediaType = "application/vnd.kubernetes.protobuf"

    /// The object as JSON, with `apiVersion` and `kind`.
    public static func decode(_ bytes: [UInt8]) throws(ProtobufError) -> JSONValue {
        guard bytes.starts(with: [0x6B, 0x38, 0x73, 0x00]) else {
            throw ProtobufError(
                message: "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
        }
        var apiVersion = ""
        var kind = ""
        var raw: ArraySlice<UInt8> = []
        var envelope = WireReader(bytes.dropFirst(4))
        while let field = try envelope.next() {
            switch field.number {
            case 1:
                var type = WireReader(try field.bytes())
                while let part = try type.next() {
                    if part.number == 1 { apiVersion = String(decoding: try part.bytes(), as: UTF8.self) }
                    if part.number == 2 { kind = String(decoding: try part.bytes(), as: UTF8.self) }
                }
            case 2: raw = try field.bytes()
            default: break
            }
        }
        guard let message = ProtobufTypes.message(apiVersion: apiVersion, kind: kind) else {
            throw ProtobufError(message: "no kind \"\(kind)\" is registered for version \"\(apiVersion)\" in protobuf")
        }
        var value = try decode(raw, message, depth: 0)
        value["apiVersion"] = .string(apiVersion)
        value["kind"] = .string(kind)
        return value
    }

    /// Members that Go keeps in an embedded struct: on the wire a message of its own, in JSON part of the parent.
    private static let inlined: Set<String> = [
        "localObjectReference", "volumeSource", "handler", "ephemeralContainerCommon", "persistentVolumeSource",
        "ingressRuleValue", "rule", "ruleWithOperations",
    ]

    /// Texts that are pointers in Go, by message and member: empty text is a value of theirs.
    private static let textPointers: Set<String> = ["core.v1.PersistentVolumeClaimSpec.storageClassName"]

    private static func decode(
        _ bytes: ArraySlice<UInt8>, _ message: ProtobufMessage, depth: Int
    ) throws(ProtobufError) -> JSONValue {
        guard depth < 64 else { throw ProtobufError(message: "the message is nested too deeply") }
        if let special = try decodeSpecial(bytes, message) { return special }
        var members: JSONObject = [:]
        var reader = WireReader(bytes)
        while let wire = try reader.next() {
            guard let field = message.fields[wire.number] else { continue }
            if let type = field.message, type.isMapEntry {
                let entry = try decode(try wire.bytes(), type, depth: depth + 1)
                insert(entry["value"] ?? type.emptyValue, at: entry["key"]?.string ?? "", into: &members[field.name])
                continue
            }
            guard
                let value = try decodeValue(
                    wire, field, depth: depth,
                    keepsEmpty: message.isMapEntry || textPointers.contains("\(message.name).\(field.name)"))
            else {
                continue
            }
            if field.isRepeated {
                append(value, to: &members[field.name])
            } else if inlined.contains(field.name), let parts = value.object {
                for (name, part) in parts { members[name] = part }
            } else {
                members[field.name] = value
            }
        }
        return .object(members)
    }

    // The member is emptied before it grows, so that it has one owner: copied for each element, a body of a few
    // megabytes would take hours.

    private static func append(_ value: JSONValue, to member: inout JSONValue?) {
        var elements = member?.array ?? []
        member = .null
        elements.append(value)
        member = .array(elements)
    }

    private static func insert(_ value: JSONValue, at key: String, into member: inout JSONValue?) {
        var entries = member?.object ?? [:]
        member = .null
        entries[key] = value
        member = .object(entries)
    }

    /// Nil for values that mean: absent.
    private static func decodeValue(
        _ wire: WireField, _ field: ProtobufField, depth: Int, keepsEmpty: Bool
    ) throws(ProtobufError) -> JSONValue? {
        switch field.type {
        case 11:
            guard let message = field.message else { return nil }
            let value = try decode(try wire.bytes(), message, depth: depth + 1)
            if value.isNull { return nil }
            // An empty message is a struct without content, unless its presence says something (`emptyDir: {}`).
            // A selector without demands selects everything, one that is absent nothing.
            if value.object?.isEmpty ?? false, !field.isRepeated, !message.name.hasSuffix("Source"),
                !message.name.hasSuffix("SecurityContext"), message.name != "meta.LabelSelector"
            {
                return nil
            }
            return value
        case 9:
            let text = String(decoding: try wire.bytes(), as: UTF8.self)
            return text.isEmpty && !keepsEmpty && !field.isRepeated ? nil : .string(text)
        case 12: return .string(Base64.encode(Array(try wire.bytes())))
        case 8:
            return try wire.integer() == 0 && !ZeroValues.significantScalars.contains(field.name)
                ? nil : .bool(try wire.integer() != 0)
        case 3, 5, 4, 13, 14:
            let number = try wire.integer()
            return number == 0 && !ZeroValues.significantScalars.contains(field.name) && !field.isRepeated
                ? nil : .int(number)
        case 1: return .double(Double(bitPattern: UInt64(bitPattern: try wire.integer())))
        default: return nil
        }
    }

    /// An object inside an object, which travels as JSON.
    private static func decodeRaw(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) -> JSONValue {
        var reader = WireReader(bytes)
        while let wire = try reader.next() {
            guard wire.number == 1 else { continue }
            let text = Array(try wire.bytes())
            do throws(JSONError) {
                return try JSONValue(parsing: text)
            } catch {
                throw ProtobufError(message: "\(error)")
            }
        }
        return .null
    }

    /// Types that JSON writes in a form of its own.
    private static func decodeSpecial(
        _ bytes: ArraySlice<UInt8>, _ message: ProtobufMessage
    ) throws(ProtobufError) -> JSONValue? {
        if message.name == "pkg.runtime.RawExtension" { return try decodeRaw(bytes) }
        guard
            ["meta.Time", "meta.MicroTime", "pkg.api.resource.Quantity", "pkg.util.intstr.IntOrString"].contains(
                message.name)
        else { return nil }
        var numbers: [Int: Int64] = [:]
        var texts: [Int: String] = [:]
        var reader = WireReader(bytes)
        while let wire = try reader.next() {
            if wire.isBytes {
                texts[wire.number] = String(decoding: try wire.bytes(), as: UTF8.self)
            } else {
                numbers[wire.number] = try wire.integer()
            }
        }
        switch message.name {
        case "meta.Time", "meta.MicroTime":
            // From the year 1 to the year 9999.
            guard let seconds = numbers[1], -62_135_596_800..<253_402_300_800 ~= seconds else { return .null }
            let micros = min(max(numbers[2] ?? 0, 0), 999_999_999) / 1000
            return .string(
                Timestamp.text(seconds: seconds, microseconds: message.name == "meta.Time" ? nil : micros))
        case "pkg.api.resource.Quantity": return .string(texts[1] ?? "0")
        default: return numbers[1] ?? 0 == 0 ? .int(numbers[2] ?? 0) : .string(texts[3] ?? "")
        }
    }
}

/// Fields of protobuf's wire format, one after another.
private struct WireReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func next() throws(ProtobufError) -> WireField? {
        guard !rest.isEmpty else { return nil }
        let tag = try varint()
        guard let number = Int32(exactly: tag >> 3), number > 0 else {
            throw ProtobufError(message: "proto: illegal tag \(tag >> 3) (wire type \(tag & 7))")
        }
        switch tag & 7 {
        case 0: return WireField(number: Int(number), content: .number(Int64(bitPattern: try varint())))
        case 1: return WireField(number: Int(number), content: .number(Int64(bitPattern: try fixed(8))))
        case 2: return WireField(number: Int(number), content: .bytes(try take(try varint())))
        case 5: return WireField(number: Int(number), content: .number(Int64(try fixed(4))))
        default: throw ProtobufError(message: "proto: illegal wireType \(tag & 7)")
        }
    }

    private mutating func varint() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { throw ProtobufError(message: "unexpected EOF") }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw ProtobufError(message: "proto: integer overflow")
    }

    private mutating func fixed(_ count: Int) throws(ProtobufError) -> UInt64 {
        try take(UInt64(count)).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func take(_ count: UInt64) throws(ProtobufError) -> ArraySlice<UInt8> {
        guard count <= UInt64(rest.count) else { throw ProtobufError(message: "unexpected EOF") }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }
}

private struct WireField {
    enum Content {
        case number(Int64)
        case bytes(ArraySlice<UInt8>)
    }

    let number: Int
    let content: Content

    var isBytes: Bool { if case .bytes = content { true } else { false } }

    func bytes() throws(ProtobufError) -> ArraySlice<UInt8> {
        guard case .bytes(let bytes) = content else {
            throw ProtobufError(message: "proto: wrong wireType for field \(number)")
        }
        return bytes
    }

    func integer() throws(ProtobufError) -> Int64 {
        guard case .number(let value) = content else {
            throw ProtobufError(message: "proto: wrong wireType for field \(number)")
        }
        return value
    }
}
