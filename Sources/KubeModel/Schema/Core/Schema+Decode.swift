/// Why a JSON value cannot be an object of its kind at all, in the words of Kubernetes' decoder.
public struct DecodeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// For example `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`.
    public let message: String
    public var description: String { message }

    public init(message: String) { self.message = message }
}

/// Holds the types in a value against a schema.
struct SchemaDecoder {
    /// Paths of members that the schema does not know, for example `spec.template.spec.containers[0].imagee`.
    private(set) var unknownFields: [String] = []
    /// Whether `pruned` would change anything.
    private(set) var needsPruning = false
    /// The declared members on the way to the value that is checked, without list positions and names in maps.
    private var names: [String] = []

    mutating func check(_ value: JSONValue, _ schema: Schema) throws(DecodeError) {
        try check(value, schema, at: .root, inside: "")
    }

    /// Messages name the type that holds the member: the last part of `owner`.
    private mutating func check(
        _ value: JSONValue, _ schema: Schema, at path: FieldPath, inside owner: String
    ) throws(DecodeError) {
        let schema = schema.resolved
        if value.isNull {
            if !schema.keepsNull { needsPruning = true }
            return
        }
        switch (schema.shape, value) {
        case (.any, _), (.string, .string), (.bool, .bool), (.int64, .int), (.number, .int), (.number, .double),
            (.intOrString, .string):
            return
        case (.int32, .int(let number)), (.intOrString, .int(let number)):
            if Int32(exactly: number) != nil { return }
            throw mismatch("number \(number)", Schema.int32, owner)
        case (.object, .object(let members)):
            try checkMembers(members, schema, at: path, owner: owner)
        case (.map(let element), .object(let members)):
            for (key, value) in members {
                try check(value, element, at: .field(path, key), inside: owner)
            }
        case (.array(let element), .array(let elements)):
            for (index, value) in elements.enumerated() {
                try check(value, element, at: path[index], inside: owner)
            }
        case (.quantity, .string), (.quantity, .int), (.quantity, .double):
            guard let canonical = Quantity(value)?.description else { throw Self.notAnAmount }
            if value != .string(canonical) { needsPruning = true }
        case (.time, .string(let text)), (.microTime, .string(let text)):
            if Timestamp(parsing: text) != nil { return }
            throw DecodeError(message: Self.timeComplaint(text, isMicro: schema.isMicroTime))
        case (.bytes, .string(let text)):
            if let offset = Base64.firstError(text) {
                throw DecodeError(message: "illegal base64 data at input byte \(offset)")
            }
        case (.intOrString, _):
            throw DecodeError(
                message: "json: cannot unmarshal \(Self.name(of: value)) into Go value of type int32")
        case (_, .int(let number)) where !schema.isText: throw mismatch("number \(number)", schema, owner)
        case (.int32, .double), (.int64, .double): throw mismatch("number \(value.text)", schema, owner)
        default: throw mismatch(Self.name(of: value), schema, owner)
        }
    }

    private mutating func checkMembers(
        _ members: JSONObject, _ schema: Schema, at path: FieldPath, owner: String
    ) throws(DecodeError) {
        let owner = schema.traits.definition ?? owner
        for (key, value) in members {
            if let field = schema.field(key) {
                if field.dropsZero, ZeroValues.isZero(value) { needsPruning = true }
                names.append(key)
                try check(value, field.schema, at: .field(path, key), inside: owner)
                names.removeLast()
            } else if !schema.traits.keepsUnknownFields {
                unknownFields.append(FieldPath.field(path, key).description)
                needsPruning = true
            }
        }
    }

    private func mismatch(_ found: String, _ schema: Schema, _ owner: String) -> DecodeError {
        let place =
            names.isEmpty ? "Go value" : "Go struct field \(Schema.lastPart(owner)).\(names.joined(separator: "."))"
        return DecodeError(message: "json: cannot unmarshal \(found) into \(place) of type \(schema.typeName)")
    }

    private static func name(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "bool"
        case .int, .double: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    private static let notAnAmount = DecodeError(
        message: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")

    private static func timeComplaint(_ text: String, isMicro: Bool) -> String {
        let layout = isMicro ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00"
        return "parsing time \(GoText.quote(text)) as \"\(layout)\": cannot parse \(GoText.quote(text)) as \"2006\""
    }

    /// The value without unknown members, nulls and zeros that say nothing, with amounts in their shortest form (`0.5` becomes `500m`).
    ///
    /// A null in a map or list of text becomes empty text, as in Go.
    func pruned(_ value: JSONValue, _ schema: Schema) -> JSONValue {
        let schema = schema.resolved
        switch (schema.shape, value) {
        case (.object, .object(let members)):
            var kept: JSONObject = [:]
            kept.reserveCapacity(members.count)
            for (key, value) in members {
                guard let field = schema.field(key) else {
                    if schema.traits.keepsUnknownFields { kept.updateValue(value, forKey: key) }
                    continue
                }
                if value.isNull, !field.schema.keepsNull { continue }
                if field.dropsZero, ZeroValues.isZero(value) { continue }
                kept.updateValue(pruned(value, field.schema), forKey: key)
            }
            return .object(kept)
        case (.map(let element), .object(let members)):
            return .object(members.mapValues { pruned($0, element) })
        case (.array(let element), .array(let elements)):
            return .array(elements.map { pruned($0, element) })
        case (.quantity, _): return Quantity(value).map { .string($0.description) } ?? value
        case (.string, .null), (.bytes, .null): return ""
        case (.object, .null), (.map, .null): return [:]
        default: return value
        }
    }
}

extension Schema {
    fileprivate var isMicroTime: Bool { if case .microTime = shape { true } else { false } }

    /// Messages say `number` without the digits where text was expected.
    fileprivate var isText: Bool {
        switch shape {
        case .int32, .int64, .number: false
        default: true
        }
    }

    fileprivate var keepsNull: Bool {
        if traits.isNullable { return true }
        if case .any = resolved.shape { return true }
        return false
    }

    static func lastPart(_ definition: String) -> String {
        definition.split(separator: ".").last.map(String.init) ?? definition
    }

    /// The type as Go's decoder names it, for example `int32` or `[]v1.Container`.
    var typeName: String {
        let schema = resolved
        if let name = schema.traits.typeName { return name }
        return switch schema.shape {
        case .object:
            schema.traits.definition.map { $0.split(separator: ".").suffix(2).joined(separator: ".") }
                ?? "map[string]interface {}"
        case .map(let value): "map[string]\(value.typeName)"
        case .array(let element): "[]\(element.typeName)"
        case .string: "string"
        case .int32: "int32"
        case .int64: "int64"
        case .bool: "bool"
        case .number: "float64"
        case .quantity: "resource.Quantity"
        case .intOrString: "intstr.IntOrString"
        case .time, .microTime: "string"
        case .bytes: "[]uint8"
        case .any, .lazy: "interface {}"
        }
    }
}
