extension Value {
    /// The name of the value's type, as `type()` and messages give it.
    public var typeName: String {
        switch self {
        case .null: "null_type"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .list: "list"
        case .map: "map"
        case .timestamp: "google.protobuf.Timestamp"
        case .duration: "google.protobuf.Duration"
        case .type: "type"
        case .optional: "optional_type"
        case .opaque(let value): value.typeName
        }
    }

    public static func list(_ elements: [Value]) -> Value { .list(ListValue(elements)) }

    /// The largest text that a function makes, in bytes.
    static let textBytesMax = 10 * 1024 * 1024
    /// The most elements of a list that is made of two.
    static let elementsMax = 1_000_000

    /// Throws where a text of so many bytes would be too large.
    static func checkSize(_ bytes: Int) throws(EvaluationError) {
        if bytes > textBytesMax { throw .tooLarge }
    }

    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var int: Int64? { if case .int(let value) = self { value } else { nil } }
    public var elements: [Value]? { if case .list(let value) = self { value.elements } else { nil } }
    public var map: MapValue? { if case .map(let value) = self { value } else { nil } }

    /// The value of a library's type.
    public func opaque<T: OpaqueValue>(_ type: T.Type) -> T? {
        if case .opaque(let value) = self { value as? T } else { nil }
    }

    /// How much there is of it: signs, bytes, elements; 1 for what has no size.
    public var size: Int {
        switch self {
        case .string(let text): text.unicodeScalars.count
        case .bytes(let bytes): bytes.count
        case .list(let list): list.elements.count
        case .map(let map): map.count
        case .optional(let value?): value.size
        case .opaque(let value): value.size
        default: 1
        }
    }

    /// Whether it is the zero of its type (`optional.ofNonZeroValue`).
    var isZero: Bool {
        switch self {
        case .null: true
        case .bool(let value): !value
        case .int(let value): value == 0
        case .uint(let value): value == 0
        case .double(let value): value == 0
        case .string(let value): value.isEmpty
        case .bytes(let value): value.isEmpty
        case .list(let value): value.elements.isEmpty
        case .map(let value): value.count == 0
        case .duration(let value): value == 0
        case .timestamp(let value): value == Instant(seconds: 0)
        case .optional(let value): value == nil
        default: false
        }
    }

    /// The value as a part of a message about it.
    var shown: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .uint(let value): "\(value)"
        case .double(let value): NumberText.shortest(value)
        case .string(let value): value
        default: typeName
        }
    }
}

// MARK: Equality and order

extension Value {
    /// Whether two values are equal; values of different types are not, numbers apart.
    public func isEqual(to other: Value) -> Bool {
        switch (self, other) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.bytes(let left), .bytes(let right)): left == right
        case (.list(let left), .list(let right)): left.isEqual(to: right)
        case (.map(let left), .map(let right)):
            left.count == right.count
                && zip(left.keys, left.values).allSatisfy { key, value in right[key]?.isEqual(to: value) ?? false }
        case (.timestamp(let left), .timestamp(let right)): left == right
        case (.duration(let left), .duration(let right)): left == right
        case (.type(let left), .type(let right)): left == right
        case (.optional(nil), .optional(nil)): true
        case (.optional(let left?), .optional(let right?)): left.isEqual(to: right)
        case (.opaque(let left), .opaque(let right)): left.isEqual(to: right)
        default: numericOrder(to: other) == .same
        }
    }

    enum Order { case less, same, greater, none }

    private static func order<T: Comparable>(_ left: T, _ right: T) -> Order {
        left < right ? .less : left > right ? .greater : left == right ? .same : .none
    }

    /// How two numbers compare, of whatever types; nil for everything else.
    func numericOrder(to other: Value) -> Order? {
        switch (self, other) {
        case (.int(let left), .int(let right)): Self.order(left, right)
        case (.uint(let left), .uint(let right)): Self.order(left, right)
        case (.double(let left), .double(let right)): Self.order(left, right)
        case (.int(let left), .uint(let right)): left < 0 ? .less : Self.order(UInt64(left), right)
        case (.uint(let left), .int(let right)): right < 0 ? .greater : Self.order(left, UInt64(right))
        case (.double(let left), .int(let right)): Self.order(left, right)
        case (.double(let left), .uint(let right)): Self.order(left, right)
        case (.int, .double), (.uint, .double):
            switch other.numericOrder(to: self) {
            case .less: .greater
            case .greater: .less
            case let order: order
            }
        default: nil
        }
    }

    /// A fraction and a whole number, compared as fractions, as cel-go does.
    private static func order<T: FixedWidthInteger>(_ left: Double, _ right: T) -> Order { order(left, Double(right)) }

    /// How two values of one type compare; nil where they have no order.
    func order(to other: Value) -> Order? {
        switch (self, other) {
        case (.bool(let left), .bool(let right)): Self.order(left ? 1 : 0, right ? 1 : 0)
        case (.string(let left), .string(let right)): Self.order(left.utf8, right.utf8)
        case (.bytes(let left), .bytes(let right)): Self.order(left, right)
        case (.timestamp(let left), .timestamp(let right)): Self.order(left, right)
        case (.duration(let left), .duration(let right)): Self.order(left, right)
        default: numericOrder(to: other)
        }
    }

    private static func order<Bytes: Collection<UInt8>>(_ left: Bytes, _ right: Bytes) -> Order {
        left.elementsEqual(right) ? .same : left.lexicographicallyPrecedes(right) ? .less : .greater
    }
}

extension ListValue {
    func isEqual(to other: ListValue) -> Bool {
        guard elements.count == other.elements.count else { return false }
        switch identity {
        case .place: return zip(elements, other.elements).allSatisfy { $0.isEqual(to: $1) }
        case .value: return other.elements.allSatisfy(contains)
        case .members:
            return other.elements.allSatisfy { element in
                index(of: element).map { elements[$0].isEqual(to: element) } ?? false
            }
        }
    }

    func contains(_ value: Value) -> Bool { elements.contains { $0.isEqual(to: value) } }

    /// The place of the element that is the same as another, by what tells elements apart.
    func index(of element: Value) -> Int? {
        guard case .members(let names) = identity else { return elements.firstIndex { $0.isEqual(to: element) } }
        func key(_ value: Value) -> [Value] { names.map { value.map?[$0] ?? .null } }
        let wanted = key(element)
        return elements.firstIndex { zip(key($0), wanted).allSatisfy { $0.isEqual(to: $1) } }
    }

    /// Both lists: elements of the second take the place of those that are the same in the first.
    func joined(with other: ListValue) -> ListValue {
        var joined = self
        guard identity != .place else {
            joined.elements += other.elements
            return joined
        }
        for element in other.elements {
            if let place = joined.index(of: element) {
                joined.elements[place] = element
            } else {
                joined.elements.append(element)
            }
        }
        return joined
    }
}
