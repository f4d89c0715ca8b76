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
    /// What messages call the type.
    var patchName: String { get }
}

extension JSONValue {
    /// The value after a strategic merge patch: a merge patch in which lists of a known type are merged by a key.
    ///
    /// Directives: `$patch` (replace, delete), `$retainKeys`, `$setElementOrder/LIST`, `$deleteFromPrimitiveList/LIST`.
    /// Source: Kubernetes' "Strategic Merge Patch" design (sig-api-machinery).
    ///
    /// - Parameter structure: The type of this value; without one, lists are replaced.
    public func applyingStrategicMergePatch(
        _ patch: JSONValue, structure: (any PatchStructure)?
    ) throws(PatchError) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        return .object(try StrategicMerge.merge(object ?? [:], changes, structure))
    }
}

/// The steps of a strategic merge patch.
private enum StrategicMerge {
    private static let directive = "$patch"
    private static let retainKeys = "$retainKeys"
    private static let orderPrefix = "$setElementOrder/"
    private static let deletionPrefix = "$deleteFromPrimitiveList/"

    static func merge(
        _ original: JSONObject, _ patch: JSONObject, _ structure: (any PatchStructure)?
    ) throws(PatchError) -> JSONObject {
        var patch = patch
        if let wish = patch[directive] {
            switch wish.string {
            case "replace":
                patch.removeValue(forKey: directive)
                return patch
            case "delete": return [:]
            default: throw .unknownDirective(wish, patch)
            }
        }
        var result = try keepRetained(original, &patch)
        try mergeOrdered(&result, &patch, structure)
        for (key, change) in patch { try merge(key, change, structure, into: &result) }
        return result
    }

    private static func merge(
        _ key: String, _ change: JSONValue, _ structure: (any PatchStructure)?, into result: inout JSONObject
    ) throws(PatchError) {
        if let list = key.suffix(after: deletionPrefix) {
            guard let present = result[list]?.array else { return }
            guard let gone = change.array else { throw .badFormat("primitive list") }
            result[list] = .array(present.filter { !gone.contains($0) })
            return
        }
        if change.isNull {
            result.removeValue(forKey: key)
            return
        }
        switch (result[key], change) {
        case (.object(let present)?, .object(let changes)):
            let type = structure?.member(key)
            if type?.patchStrategies.contains("replace") == true {
                result[key] = change
            } else {
                result[key] = .object(try merge(present, changes, type))
            }
        case (.array(let present)?, .array(let changes)):
            guard let type = structure?.member(key), type.patchStrategies.contains("merge") else {
                result[key] = change
                return
            }
            result[key] = .array(try mergeLists(present, changes, type))
        default:
            if let clean = withoutDirectives(change.withoutNulls) {
                result[key] = clean
            } else {
                result.removeValue(forKey: key)
            }
        }
    }

    // MARK: Members

    /// Drops the members that `$retainKeys` does not name.
    private static func keepRetained(_ original: JSONObject, _ patch: inout JSONObject) throws(PatchError) -> JSONObject
    {
        guard let wish = patch.removeValue(forKey: retainKeys) else { return original }
        guard let kept = wish.array else { throw .badFormat("retainKeys") }
        for (key, value) in patch where !value.isNull && !key.hasPrefix(deletionPrefix) && !key.hasPrefix(orderPrefix) {
            guard kept.contains(.string(key)) else { throw .badFormat("retainKeys") }
        }
        return JSONObject(original.filter { kept.contains(.string($0.key)) }.map { ($0.key, $0.value) })
    }

    /// A value that is new needs no directives; an object that is one is left out (nil).
    private static func withoutDirectives(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .object(let members):
            guard members[directive] == nil else { return nil }
            return .object(
                JSONObject(
                    members.compactMap { key, value in withoutDirectives(value).map { (key, $0) } }))
        case .array(let elements): return .array(elements.compactMap(withoutDirectives))
        default: return value
        }
    }

    // MARK: Lists

    /// Merges the lists whose order the patch gives, and takes them out of the patch.
    private static func mergeOrdered(
        _ result: inout JSONObject, _ patch: inout JSONObject, _ structure: (any PatchStructure)?
    ) throws(PatchError) {
        for key in patch.keys where key.hasPrefix(orderPrefix) {
            guard let wish = patch.removeValue(forKey: key), let list = key.suffix(after: orderPrefix) else { continue }
            guard let order = wish.array else { throw .wrongType(wanted: "[]interface {}", found: wish) }
            for side in [result[list], patch[list]] {
                if let side, side.array == nil { throw .wrongType(wanted: "[]interface {}", found: side) }
            }
            let present = result[list]?.array
            let changes = patch.removeValue(forKey: list)?.array
            let type = structure?.member(list)
            let mergeKey = type?.patchMergeKey
            try checkOrder(changes ?? [], order, mergeKey)
            let merged: [JSONValue]
            switch (present, changes) {
            case (let present?, nil): merged = present
            case (nil, let changes?): merged = changes.compactMap(withoutDirectives)
            case (let present?, let changes?):
                if let type, type.patchStrategies.contains("merge") {
                    merged = try mergeLists(present, changes, type)
                } else {
                    merged = changes
                }
            case (nil, nil): continue
            }
            result[list] = .array(try sort(merged, by: order, was: present ?? [], mergeKey))
        }
    }

    /// The elements of a patch come in the order that the patch itself asks for.
    private static func checkOrder(
        _ changes: [JSONValue], _ order: [JSONValue], _ mergeKey: String?
    ) throws(PatchError) {
        guard !changes.isEmpty, !order.isEmpty else { return }
        let kept = changes.filter { $0[directive] == nil }
        var place = 0
        for wanted in order where place < kept.count {
            if try identity(kept[place], mergeKey) == identity(wanted, mergeKey) { place += 1 }
        }
        guard place == kept.count else {
            throw PatchError(
                message: "The order in patch list:\n\(GoText.plain(.array(changes)))\n doesn't match "
                    + "$setElementOrder list:\n\(GoText.plain(.array(order)))\n", fault: .server)
        }
    }

    private static func mergeLists(
        _ original: [JSONValue], _ changes: [JSONValue], _ type: any PatchStructure
    ) throws(PatchError) -> [JSONValue] {
        if original.isEmpty, changes.isEmpty { return original }
        let all = original + changes
        if all.contains(where: { $0.array != nil }) { throw .listOfLists }
        guard all.contains(where: { $0.object != nil }) else {
            var merged: [JSONValue] = []
            for value in all where !merged.contains(value) { merged.append(value) }
            return try sort(merged, by: changes, was: original, nil)
        }
        if let odd = all.first(where: { $0.object == nil }) {
            let types = Set([GoText.typeName(odd), "map[string]interface {}"]).sorted().joined(separator: " ")
            throw PatchError(message: "list element types are not identical: [\(types)]", fault: .server)
        }
        guard let mergeKey = type.patchMergeKey else {
            throw PatchError(message: "cannot merge lists without merge key for \(type.patchName)", fault: .server)
        }
        var present = original
        var plain: [JSONValue] = []
        var replaces = false
        for change in changes {
            guard let wish = change[directive] else {
                plain.append(change)
                continue
            }
            switch wish.string {
            case "delete":
                let gone = try identity(change, mergeKey)
                present.removeAll { $0[mergeKey] == gone }
            case "replace": replaces = true
            case "merge":
                throw PatchError(message: "merging lists cannot yet be specified in the patch", fault: .server)
            default: throw .unknownDirective(wish, change.object ?? [:])
            }
        }
        if replaces { return plain }
        var merged = present
        for change in plain {
            let name = try identity(change, mergeKey)
            if let place = merged.firstIndex(where: { $0[mergeKey] == name }) {
                merged[place] = .object(
                    try merge(merged[place].object ?? [:], change.object ?? [:], type.element))
            } else {
                merged.append(change)
            }
        }
        return try sort(merged, by: plain, was: present, mergeKey)
    }

    /// What tells an element from others: its merge key, or itself.
    private static func identity(_ element: JSONValue, _ mergeKey: String?) throws(PatchError) -> JSONValue {
        guard let mergeKey else { return element }
        guard let members = element.object else {
            throw .wrongType(wanted: "map[string]interface {}", found: element)
        }
        guard let name = members[mergeKey] else {
            throw PatchError(
                message: "map: \(GoText.plain(element)) does not contain declared merge key: \(mergeKey)",
                fault: .server)
        }
        return name
    }

    /// Brings elements into an order; those that it does not name stay behind the neighbours that they had.
    private static func sort(
        _ elements: [JSONValue], by order: [JSONValue], was original: [JSONValue], _ mergeKey: String?
    ) throws(PatchError) -> [JSONValue] {
        var wanted: [JSONValue: Int] = [:]
        for (place, element) in order.enumerated() {
            let name = try identity(element, mergeKey)
            if wanted[name] == nil { wanted[name] = place }
        }
        var before: [JSONValue: Int] = [:]
        for (place, element) in original.enumerated() {
            let name = try identity(element, mergeKey)
            if before[name] == nil { before[name] = place }
        }
        var named: [(name: JSONValue, element: JSONValue)] = []
        var others: [(name: JSONValue, element: JSONValue)] = []
        for element in elements {
            let name = try identity(element, mergeKey)
            if wanted[name] == nil { others.append((name, element)) } else { named.append((name, element)) }
        }
        named = stable(named) { wanted[$0] ?? 0 }
        others = stable(others) { before[$0] ?? Int.max }
        var result: [JSONValue] = []
        result.reserveCapacity(elements.count)
        var left = others[...]
        for item in named {
            while let other = left.first, let mine = before[other.name], let theirs = before[item.name], mine < theirs {
                result.append(other.element)
                left = left.dropFirst()
            }
            result.append(item.element)
        }
        return result + left.map(\.element)
    }

    private static func stable(
        _ items: [(name: JSONValue, element: JSONValue)], _ place: (JSONValue) -> Int
    ) -> [(name: JSONValue, element: JSONValue)] {
        items.enumerated().sorted { left, right in
            let (first, second) = (place(left.element.name), place(right.element.name))
            return first == second ? left.offset < right.offset : first < second
        }.map(\.element)
    }
}

extension PatchError {
    fileprivate static let listOfLists = PatchError(message: "lists of lists are not supported", fault: .unprocessable)

    fileprivate static func badFormat(_ what: String) -> PatchError {
        PatchError(message: "invalid patch format of \(what)")
    }

    fileprivate static func unknownDirective(_ directive: JSONValue, _ patch: JSONObject) -> PatchError {
        PatchError(
            message: "unknown patch type: \(GoText.plain(directive)) in map: \(GoText.plain(.object(patch)))",
            fault: .server)
    }

    fileprivate static func wrongType(wanted: String, found: JSONValue) -> PatchError {
        PatchError(message: "expected a \(wanted), but received a \(GoText.typeName(found))", fault: .server)
    }
}

extension JSONValue {
    /// A new object from a patch has no use for the patch's removals.
    fileprivate var withoutNulls: JSONValue {
        switch self {
        case .object(let members):
            .object(JSONObject(members.filter { !$0.value.isNull }.map { ($0.key, $0.value.withoutNulls) }))
        case .array(let elements): .array(elements.map(\.withoutNulls))
        default: self
        }
    }
}

extension String {
    fileprivate func suffix(after prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
