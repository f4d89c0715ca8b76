/// A set of places in an object, as `metadata.managedFields` records them (FieldsV1).
///
/// A tree in the very form that goes over the wire, so that reading and writing it costs nothing: `f:NAME` is a member,
/// `k:{…}` an element of a list by its keys, `v:…` a plain value of a set, `i:N` a position. A leaf `{}` is in the set; a
/// node with children is in the set if one of them is `.`.
///
/// Source: "Server-Side Apply" in the Kubernetes docs, and sigs.k8s.io/structured-merge-diff for the meaning of the operations.
public struct FieldSet: Sendable, Hashable {
    private(set) var tree: JSONObject

    public init() { tree = [:] }

    init(tree: JSONObject) { self.tree = tree }

    public var isEmpty: Bool { tree.isEmpty }

    /// The set as FieldsV1.
    public var value: JSONValue { .object(tree) }

    static let selfKey = "."
    private static let leaf: JSONObject = [selfKey: [:]]

    // MARK: Operations

    public func union(_ other: FieldSet) -> FieldSet {
        if isEmpty { return other }
        if other.isEmpty { return self }
        return FieldSet(tree: Self.merge(tree, other.tree))
    }

    public func intersection(_ other: FieldSet) -> FieldSet {
        FieldSet(tree: Self.common(tree, other.tree))
    }

    /// The places of this set that are not in the other.
    ///
    /// Taking away a node does not take away what is below it.
    public func subtracting(_ other: FieldSet) -> FieldSet {
        switch Self.cut(tree, other.tree) {
        case .same: self
        case .gone: FieldSet()
        case .rest(let rest): FieldSet(tree: rest)
        }
    }

    /// The set without some nodes and all that is below them; paths are keys of the tree.
    func removing(_ paths: [[String]]) -> FieldSet {
        var result = self
        for path in paths { Self.remove(path[...], from: &result.tree) }
        return result
    }

    /// Only what is below one member of the object.
    func keeping(_ key: String) -> FieldSet {
        guard let kept = tree[key] else { return FieldSet() }
        return FieldSet(tree: [key: kept])
    }

    func contains(_ path: some Collection<String>) -> Bool {
        var node = tree
        for (index, key) in path.enumerated() {
            guard let child = node[key]?.object else { return false }
            if index == path.count - 1 { return child.isEmpty || child[Self.selfKey] != nil }
            node = child
        }
        return false
    }

    mutating func insert(_ path: [String]) {
        guard let set = path.reversed().reduce(nil as JSONObject?, { below, key in [key: .object(below ?? [:])] })
        else {
            return
        }
        self = union(FieldSet(tree: set))
    }

    /// The paths of the set: those that end at a node before those that go through it.
    var paths: [[String]] {
        var result: [[String]] = []
        Self.collect(tree, below: [], into: &result)
        return result
    }

    // MARK: Nodes

    private static func merge(_ left: JSONObject, _ right: JSONObject) -> JSONObject {
        var result = left
        for (key, value) in right {
            guard let present = result[key] else {
                result[key] = value
                continue
            }
            guard let mine = present.object, let theirs = value.object, mine != theirs else { continue }
            result[key] = .object(merge(mine.isEmpty ? leaf : mine, theirs.isEmpty ? leaf : theirs))
        }
        return result
    }

    private static func common(_ left: JSONObject, _ right: JSONObject) -> JSONObject {
        var result: JSONObject = [:]
        for (key, value) in right {
            guard let mine = left[key]?.object, let theirs = value.object else { continue }
            if mine.isEmpty || theirs.isEmpty {
                let other = mine.isEmpty ? theirs : mine
                if other.isEmpty || other[selfKey] != nil { result[key] = [:] }
                continue
            }
            let both = common(mine, theirs)
            if !both.isEmpty { result[key] = .object(normal(both)) }
        }
        return result
    }

    private enum Cut {
        case same, gone
        case rest(JSONObject)
    }

    private static func cut(_ left: JSONObject, _ right: JSONObject) -> Cut {
        var result: JSONObject?
        for (key, value) in right {
            guard let mine = left[key]?.object, let theirs = value.object else { continue }
            let outcome: Cut
            if key == selfKey || mine.isEmpty && (theirs.isEmpty || theirs[selfKey] != nil) {
                outcome = .gone
            } else if mine.isEmpty {
                outcome = .same
            } else {
                outcome = cut(mine, theirs.isEmpty ? leaf : theirs)
            }
            switch outcome {
            case .same: continue
            case .gone:
                if result == nil { result = left }
                result?.removeValue(forKey: key)
            case .rest(let rest):
                if result == nil { result = left }
                result?[key] = .object(normal(rest))
            }
        }
        guard let result else { return .same }
        return result.isEmpty ? .gone : .rest(result)
    }

    /// A node that holds nothing but itself is written as a leaf.
    private static func normal(_ node: JSONObject) -> JSONObject {
        node.count == 1 && node[selfKey] != nil ? [:] : node
    }

    private static func remove(_ path: ArraySlice<String>, from node: inout JSONObject) {
        guard let key = path.first, let child = node[key]?.object else { return }
        guard path.count > 1 else {
            node.removeValue(forKey: key)
            return
        }
        guard !child.isEmpty else { return }
        var rest = child
        remove(path.dropFirst(), from: &rest)
        if rest.isEmpty { node.removeValue(forKey: key) } else { node[key] = .object(normal(rest)) }
    }

    private static func collect(_ node: JSONObject, below path: [String], into paths: inout [[String]]) {
        let keys = node.keys.filter { $0 != selfKey }.sorted(by: PathElement.precedes)
        for key in keys {
            if let child = node[key]?.object, child.isEmpty || child[selfKey] != nil { paths.append(path + [key]) }
        }
        for key in keys {
            if let child = node[key]?.object, !child.isEmpty { collect(child, below: path + [key], into: &paths) }
        }
    }
}

// MARK: - From outside

/// Why a field set that a client sent cannot be read.
struct FieldSetError: Error, Equatable {
    let message: String
}

extension FieldSet {
    /// Reads FieldsV1 that anybody may have written: brings keys into the form that this server uses.
    init(reading value: JSONValue) throws(FieldSetError) {
        guard let tree = value.object else { throw FieldSetError(message: "a field set is an object") }
        self.tree = try Self.read(tree, isRoot: true, depth: 0)
    }

    private static func read(_ node: JSONObject, isRoot: Bool, depth: Int) throws(FieldSetError) -> JSONObject {
        guard depth < 256 else { throw FieldSetError(message: "a field set is nested too deeply") }
        var result: JSONObject = [:]
        for (key, value) in node {
            guard let child = value.object else { throw FieldSetError(message: "a node is an object") }
            if key == selfKey {
                // The whole object is nobody's field.
                if !isRoot { result[selfKey] = [:] }
                continue
            }
            let name = try PathElement.canonical(key)
            let below = try read(child, isRoot: false, depth: depth + 1)
            if let twin = result[name]?.object {
                result[name] = .object(merge(twin.isEmpty ? leaf : twin, below.isEmpty ? leaf : below))
            } else {
                result[name] = .object(below)
            }
        }
        return isRoot ? result : normal(result)
    }
}
