/// What a patch needs to know of a type: which lists are merged, and by which key.
///
/// Schemas conform.
public protocol PatchStructure {
    /// The type of a member, or of any value where the type is a map.
    func member(_ name: String) -> (any PatchStructure)?
    /// The type of the elements of a list.
    var element: (any PatchStructure)? { get }
    /// The member by which elements of a merged list are told apart; nil in lists of plain values.
    var patchMergeKey: String? { get }
    /// `merge`, `replace`, `retainKeys`; an empty set means replace for lists.
    var patchStrategies: Set<String> { get }
    /// The keys by which server-side apply tells elements apart.
    var listMapKeys: [String] { get }
}

extension JSONValue {
    /// The value after a strategic merge patch: a merge patch in which lists of a known type are merged by a key.
    ///
    /// Directives: `$patch` (replace, delete, merge), `$retainKeys`, `$setElementOrder/LIST`, `$deleteFromPrimitiveList/LIST`.
    /// Source: Kubernetes' "Strategic Merge Patch" design (sig-api-machinery).
    ///
    /// - Parameter structure: The type of this value; without one, lists are replaced.
    public func applyingStrategicMergePatch(
        _ patch: JSONValue, structure: (any PatchStructure)?
    ) throws(PatchError) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        return try Self.merge(object ?? [:], changes, structure)
    }

    private static func merge(
        _ original: JSONObject, _ patch: JSONObject, _ structure: (any PatchStructure)?
    ) throws(PatchError) -> JSONValue {
        switch patch["$patch"]?.string {
        case nil, "merge": break
        case "replace":
            var replacement = patch
            replacement.removeValue(forKey: "$patch")
            return .object(replacement)
        case "delete": return .object([:])
        case let other?: throw PatchError(message: "unknown patch type: \(other)")
        }
        var result = original
        if let kept = patch["$retainKeys"]?.array?.compactMap(\.string) {
            for key in original.keys where !kept.contains(key) { result.removeValue(forKey: key) }
        }
        for (key, change) in patch {
            if key == "$patch" || key == "$retainKeys" { continue }
            if let list = key.suffix(after: "$deleteFromPrimitiveList/") {
                let gone = change.array ?? []
                if let elements = result[list]?.array { result[list] = .array(elements.filter { !gone.contains($0) }) }
                continue
            }
            if key.hasPrefix("$setElementOrder/") { continue }
            if change.isNull {
                result.removeValue(forKey: key)
                continue
            }
            let type = structure?.member(key)
            switch (change, result[key]) {
            case (.object(let changes), .object(let present)?): result[key] = try merge(present, changes, type)
            case (.object(let changes), _): result[key] = try merge([:], changes, type).withoutNulls
            case (.array(let changes), let present):
                guard let type, type.patchStrategies.contains("merge") else {
                    result[key] = change
                    continue
                }
                let order = patch["$setElementOrder/\(key)"]?.array
                result[key] = .array(try mergeLists(present?.array ?? [], changes, type, order: order))
            default: result[key] = change
            }
        }
        // An order may be given for a list that has no other change.
        for (key, order) in patch {
            guard let list = key.suffix(after: "$setElementOrder/"), patch[list] == nil, let order = order.array,
                let present = result[list]?.array, let type = structure?.member(list)
            else { continue }
            result[list] = .array(sort(present, type.patchMergeKey, order: order, original: present))
        }
        return .object(result)
    }

    private static func mergeLists(
        _ original: [JSONValue], _ changes: [JSONValue], _ type: any PatchStructure, order: [JSONValue]?
    ) throws(PatchError) -> [JSONValue] {
        guard let key = type.patchMergeKey else {
            var merged = original
            for change in changes where !merged.contains(change) { merged.append(change) }
            return sort(merged, nil, order: order, original: original)
        }
        if changes.contains(where: { $0["$patch"]?.string == "replace" && $0[key] == nil }) {
            return changes.filter { $0["$patch"] == nil }
        }
        var merged = original
        for change in changes {
            guard let members = change.object else {
                throw PatchError(message: "expected a map in a list that is merged by \(key)")
            }
            guard let identity = change[key] else {
                throw PatchError(message: "map: \(change.text) does not contain declared merge key: \(key)")
            }
            let index = merged.firstIndex { $0[key] == identity }
            if members["$patch"]?.string == "delete" {
                merged.removeAll { $0[key] == identity }
            } else if let index {
                merged[index] = try merge(merged[index].object ?? [:], members, type.element)
            } else {
                merged.append(try merge([:], members, type.element).withoutNulls)
            }
        }
        return sort(merged, key, order: order, original: original)
    }

    /// Brings elements into the order that a patch asks for; those it does not name keep their place among their neighbours.
    private static func sort(
        _ elements: [JSONValue], _ key: String?, order: [JSONValue]?, original: [JSONValue]
    ) -> [JSONValue] {
        guard let order else { return elements }
        func identity(_ element: JSONValue) -> JSONValue { key.flatMap { element[$0] } ?? element }
        let wanted = order.map(identity)
        let named = wanted.flatMap { name in elements.filter { identity($0) == name } }
        var result = named
        let before = original.map(identity)
        for element in elements where !wanted.contains(identity(element)) {
            // Behind the nearest element that preceded it before.
            let place = before.firstIndex(of: identity(element)) ?? before.count
            let anchor = before[..<place].last { name in result.contains { identity($0) == name } }
            let index = anchor.flatMap { name in result.lastIndex { identity($0) == name } }.map { $0 + 1 } ?? 0
            result.insert(element, at: place == before.count ? result.count : index)
        }
        return result
    }

    /// A new object from a patch has no use for the patch's removals.
    private var withoutNulls: JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(JSONObject(members.filter { !$0.value.isNull }.map { ($0.key, $0.value.withoutNulls) }))
    }
}

extension String {
    fileprivate func suffix(after prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
