/// The type of an expression, as far as it is known before it is evaluated.
public indirect enum ValueType: Sendable, Hashable {
    /// Anything: types are only looked at when there is a value.
    case dyn
    /// What an expression with a mistake has; fits everywhere, so that one mistake is told once.
    case error
    case null, bool, int, uint, double, string, bytes, timestamp, duration
    case list(ValueType)
    case map(ValueType, ValueType)
    case optional(ValueType)
    case type(ValueType)
    case object(ObjectType)
    /// A type that a library adds, by its name.
    case opaque(String)
    /// Any type, the same wherever the name occurs in one declaration.
    case parameter(String)
    /// A type that is not known yet.
    case unknown(Int)

    public static let strings = ValueType.list(.string)
}

/// A type with named fields.
public final class ObjectType: Sendable, Hashable {
    public let name: String
    public let fields: [String: Declaration]

    public init(_ name: String, _ fields: [String: Declaration]) {
        self.name = name
        self.fields = fields
    }

    public static func == (left: ObjectType, right: ObjectType) -> Bool { left === right }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// What is known of a variable or a field: its type, and how large it can be.
public final class Declaration: Sendable {
    public let type: ValueType
    /// The most signs, bytes or elements that it can have; nil without a limit.
    public let sizeMax: UInt64?
    /// The elements of a list, the values of a map.
    public let element: Declaration?

    public init(_ type: ValueType, sizeMax: UInt64? = nil, element: Declaration? = nil) {
        self.type = type
        self.sizeMax = sizeMax
        self.element = element
    }

    /// A field of an object.
    func field(_ name: String) -> Declaration? {
        if case .object(let object) = type { object.fields[name] } else { nil }
    }
}

extension ValueType: CustomStringConvertible {
    /// As messages show it: `list(int)`, `map(string, dyn)`.
    public var description: String {
        switch self {
        case .dyn: "dyn"
        case .error: "!error!"
        case .null: "null"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: "timestamp"
        case .duration: "duration"
        case .list(let element): "list(\(element))"
        case .map(let key, let value): "map(\(key), \(value))"
        case .optional(let value): "optional_type(\(value))"
        case .type(let type): "type(\(type))"
        case .object(let object): object.name
        case .opaque(let name): name
        case .parameter(let name): name
        case .unknown(let number): "_var\(number)"
        }
    }
}

extension ValueType {
    /// Whether a value is of the type, as far as its outermost layer tells.
    func admits(_ value: Value) -> Bool {
        switch (self, value) {
        case (.dyn, _), (.parameter, _), (.unknown, _), (.error, _): true
        case (.null, .null), (.bool, .bool), (.int, .int), (.uint, .uint), (.double, .double), (.string, .string),
            (.bytes, .bytes), (.timestamp, .timestamp), (.duration, .duration), (.list, .list), (.map, .map),
            (.optional, .optional), (.type, .type), (.object, .map):
            true
        case (.opaque(let name), .opaque(let value)): value.typeName == name
        case (.object(let object), .opaque(let value)): value.typeName == object.name
        default: false
        }
    }

    /// Whether its values have size 1, whatever they are.
    var isScalar: Bool {
        switch self {
        case .bool, .int, .uint, .double, .timestamp, .duration: true
        case .optional(let value): value.isScalar
        default: false
        }
    }
}
