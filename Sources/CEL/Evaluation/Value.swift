/// A value of the expression language.
public indirect enum Value: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case list(ListValue)
    case map(MapValue)
    case timestamp(Instant)
    /// A length of time in nanoseconds.
    case duration(Int64)
    /// A type by its name.
    case type(String)
    case optional(Value?)
    /// A value of a library's own type.
    case opaque(any OpaqueValue)
}

/// A value of a type that a library adds: quantities, addresses, questions to the authorizer.
public protocol OpaqueValue: Sendable {
    /// As `type()` gives it.
    var typeName: String { get }
    /// What `value.name` gives; nil where there is no such member.
    func member(_ name: String) throws(EvaluationError) -> Value?
    func isEqual(to other: any OpaqueValue) -> Bool
    /// What counts as its size for the cost of a call.
    var size: Int { get }
}

extension OpaqueValue {
    public func member(_ name: String) throws(EvaluationError) -> Value? { nil }
    public var size: Int { 1 }
}

/// The elements of a list, and what makes two lists equal.
public struct ListValue: Sendable, ExpressibleByArrayLiteral {
    /// How a list of Kubernetes tells its elements apart (`x-kubernetes-list-type`).
    public enum Identity: Sendable, Equatable {
        /// By their place.
        case place
        /// By their value: order does not count.
        case value
        /// By some members: order does not count.
        case members([String])
    }

    public var elements: [Value]
    public var identity: Identity

    public init(_ elements: [Value], identity: Identity = .place) {
        self.elements = elements
        self.identity = identity
    }

    public init(arrayLiteral elements: Value...) { self.init(elements) }
}

/// The entries of a map, in the order in which they were given.
public struct MapValue: Sendable {
    public private(set) var keys: [Value] = []
    public private(set) var values: [Value] = []
    private var places: [MapKey: Int] = [:]

    public init() {}

    /// A map with text for keys, which is what objects are.
    public init(_ members: some Sequence<(String, Value)>) {
        for (name, value) in members { insert(.string(name), value) }
    }

    public var count: Int { keys.count }

    public subscript(name: String) -> Value? { places[.string(name)].map { values[$0] } }

    public subscript(key: Value) -> Value? { MapKey(key).flatMap { places[$0] }.map { values[$0] } }

    /// Adds an entry.
    ///
    /// - Returns: False when the key cannot be one, or is there already.
    @discardableResult
    public mutating func insert(_ key: Value, _ value: Value) -> Bool {
        guard let place = MapKey(key), places[place] == nil else { return false }
        places[place] = keys.count
        keys.append(key)
        values.append(value)
        return true
    }
}

/// What a map is looked up by: numbers of all types are the same key when they are equal.
enum MapKey: Hashable, Sendable {
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case string(String)

    init?(_ value: Value) {
        switch value {
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .uint(let value): self = Int64(exactly: value).map { .int($0) } ?? .uint(value)
        case .double(let value):
            if let whole = Int64(exactly: value) {
                self = .int(whole)
            } else if let whole = UInt64(exactly: value) {
                self = .uint(whole)
            } else {
                return nil
            }
        case .string(let value): self = .string(value)
        default: return nil
        }
    }
}

/// Why an expression has no value.
public struct EvaluationError: Error, Sendable, Hashable, CustomStringConvertible {
    public let message: String
    /// Whether the evaluation ends here, whatever the rest of the expression would make of an error.
    public let isFinal: Bool

    public init(_ message: String, isFinal: Bool = false) {
        self.message = message
        self.isFinal = isFinal
    }

    public var description: String { message }

    /// What would take more memory than any rule needs; Kubernetes, which joins lists without copying them, has no such bound.
    static let tooLarge = EvaluationError("the result is too large")

    static let costLimit = EvaluationError("operation cancelled: actual cost limit exceeded", isFinal: true)
    static let intOverflow = EvaluationError("integer overflow")
    static let uintOverflow = EvaluationError("unsigned integer overflow")
    static let durationOverflow = EvaluationError("duration overflow")
    static let timestampOverflow = EvaluationError("timestamp overflow")

    static func noOverload(_ function: String, _ arguments: [Value]) -> EvaluationError {
        EvaluationError("no such overload: \(function)(\(arguments.map(\.typeName).joined(separator: ", ")))")
    }

    static func noKey(_ key: String) -> EvaluationError { EvaluationError("no such key: \(key)") }
}
