/// A JSON value that keeps the order of its members, the form in which every object travels.
///
/// Integers and fractions are kept apart, because Kubernetes does: `replicas: 3.0` is not an integer.
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue {
    public var isNull: Bool { if case .null = self { true } else { false } }

    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The value as an integer; nil for fractions and everything else.
    public var int: Int? { if case .int(let value) = self { Int(value) } else { nil } }

    public var string: String? { if case .string(let value) = self { value } else { nil } }

    public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }

    public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

    /// The member `key`.
    ///
    /// Reading from anything but an object gives nil.
    ///
    /// Setting a member of `.null` (or of any other non-object) makes it an object first, so that
    /// `value["spec"]["replicas"] = 3` builds what is missing. Setting nil removes the member.
    public subscript(key: String) -> JSONValue? {
        get { if case .object(let members) = self { members[key] } else { nil } }
        _modify {
            var members: JSONObject
            if case .object(let present) = self { members = present } else { members = [:] }
            self = .null  // One owner only, so that the change happens in place.
            defer { self = .object(members) }
            yield &members[key]
        }
    }

    /// The value at a path of member names; nil where any step is missing.
    public subscript(path: [String]) -> JSONValue? {
        get {
            var current: JSONValue? = self
            for step in path { current = current?[step] }
            return current
        }
        set { set(newValue, at: path[...]) }
    }

    private mutating func set(_ value: JSONValue?, at path: ArraySlice<String>) {
        guard let first = path.first else {
            self = value ?? .null
            return
        }
        guard path.count > 1 else {
            self[first] = value
            return
        }
        if self[first] == nil {
            if value == nil { return }
            self[first] = [:]
        }
        self[first]?.set(value, at: path.dropFirst())
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }

    public init(_ value: Int) { self = .int(Int64(value)) }
    public init(_ labels: [String: String]) {
        self = .object(
            JSONObject(labels.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }
}
