/// A place in the one total order of changes; the first write has revision 1.
public struct Revision: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let rawValue: Int64

    public init(_ rawValue: Int64) { self.rawValue = rawValue }

    public var description: String { String(rawValue) }

    public static func < (left: Revision, right: Revision) -> Bool { left.rawValue < right.rawValue }
}

/// Where an object lives: its resource (`deployments.apps`), its namespace, its name.
///
/// Lists come in this order.
public struct StoreKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let resource: String
    /// Nil for objects of the cluster.
    public let namespace: String?
    public let name: String

    public init(resource: String, namespace: String?, name: String) {
        self.resource = resource
        self.namespace = namespace
        self.name = name
    }

    public var description: String { [resource, namespace, name].compactMap { $0 }.joined(separator: "/") }

    public static func < (left: StoreKey, right: StoreKey) -> Bool {
        if left.resource != right.resource { return left.resource < right.resource }
        if left.namespace != right.namespace {
            return segment(left.namespace ?? "", precedes: right.namespace ?? "")
        }
        return left.name < right.name
    }

    /// Whether a namespace comes before another one in a path such as `pods/NAMESPACE/NAME`: `a-b/` before `a/`.
    static func segment(_ left: String, precedes right: String) -> Bool {
        let slash = UInt8(ascii: "/")
        var rest = right.utf8[...]
        for byte in left.utf8 {
            guard let other = rest.popFirst() else { return byte < slash }
            if byte != other { return byte < other }
        }
        return rest.first.map { slash < $0 } ?? false
    }
}

/// Which keys a list or a watch is about.
public struct KeyRange: Sendable, Hashable {
    public let resource: String
    /// Nil: every namespace.
    public let namespace: String?
    /// Nil: every name.
    public let name: String?

    public static func all(resource: String) -> KeyRange { KeyRange(resource: resource, namespace: nil, name: nil) }

    public static func namespace(resource: String, namespace: String) -> KeyRange {
        KeyRange(resource: resource, namespace: namespace, name: nil)
    }

    public static func one(_ key: StoreKey) -> KeyRange {
        KeyRange(resource: key.resource, namespace: key.namespace, name: key.name)
    }

    /// Every range that a key is in which a list or a watch can be about: the object, its namespace, all of its resource.
    public static func around(_ key: StoreKey) -> [KeyRange] {
        let all = KeyRange.all(resource: key.resource)
        guard let namespace = key.namespace else { return [.one(key), all] }
        return [.one(key), .namespace(resource: key.resource, namespace: namespace), all]
    }

    public func contains(_ key: StoreKey) -> Bool {
        resource == key.resource && (namespace == nil || namespace == key.namespace)
            && (name == nil || name == key.name)
    }
}
