import OrderedCollections

/// The members of a JSON object, in the order in which they were written.
///
/// Two objects are equal when they have the same members, whatever their order.
public struct JSONObject: Sendable {
    private var members: OrderedDictionary<String, JSONValue>

    public init() { members = [:] }

    /// The last value given for a key wins; its place is that of the first.
    public init(_ elements: some Sequence<(String, JSONValue)>) {
        members = OrderedDictionary(elements, uniquingKeysWith: { _, last in last })
    }

    public var keys: [String] { members.keys.elements }
    public var values: [JSONValue] { members.values.elements }

    public subscript(key: String) -> JSONValue? {
        get { members[key] }
        _modify { yield &members[key] }
    }

    /// Sets a member and returns what it was before.
    @discardableResult
    public mutating func updateValue(_ value: JSONValue, forKey key: String) -> JSONValue? {
        members.updateValue(value, forKey: key)
    }

    @discardableResult
    public mutating func removeValue(forKey key: String) -> JSONValue? { members.removeValue(forKey: key) }

    public func mapValues(_ transform: (JSONValue) throws -> JSONValue) rethrows -> JSONObject {
        var copy = self
        copy.members = try members.mapValues(transform)
        return copy
    }

    public mutating func reserveCapacity(_ count: Int) { members.reserveCapacity(count) }
}

extension JSONObject: RandomAccessCollection {
    public typealias Element = (key: String, value: JSONValue)
    public var startIndex: Int { 0 }
    public var endIndex: Int { members.count }
    public subscript(position: Int) -> Element {
        let element = members.elements[position]
        return (key: element.key, value: element.value)
    }
}

extension JSONObject: Hashable {
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right.members[$0.key] == $0.value }
    }

    public func hash(into hasher: inout Hasher) {
        var mixed = 0
        for (key, value) in members {
            var member = Hasher()
            member.combine(key)
            member.combine(value)
            mixed ^= member.finalize()
        }
        hasher.combine(mixed)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
