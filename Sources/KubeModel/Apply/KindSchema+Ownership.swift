extension KindSchema {
    /// Which differences count when somebody writes through the object itself or one of its sub-resources.
    ///
    /// What a request cannot change is nobody's to own: the status of the object itself, the rest of a status.
    func countedFields(_ set: FieldSet, subresource: String?) -> FieldSet {
        guard !set.isEmpty else { return set }
        switch subresource {
        case nil: return hasStatus ? set.removing([["f:status"]]) : set
        case "status":
            if root.traits.definition?.hasPrefix("io.k8s.") != true { return set.keeping("f:status") }
            var paths = [["f:spec"]]
            switch resource {
            case .deployments, .statefulSets, .daemonSets: paths.append(["f:metadata", "f:labels"])
            case .pods:
                paths += [["f:metadata", "f:deletionTimestamp"], ["f:metadata", "f:ownerReferences"]]
            default: break
            }
            return set.removing(paths)
        default: return set
        }
    }

    private func changes(from old: JSONValue, to new: JSONValue, subresource: String?) -> FieldChanges {
        var changes = FieldChanges(from: old, to: new, root)
        changes.filter { countedFields($0, subresource: subresource) }
        return changes
    }

    /// Notes in `object`, which is about to be written in place of `live`, who owns what of it.
    ///
    /// Called with defaults filled in, and before the server fills in anything else. The client may send `managedFields` of its
    /// own: they replace those that were there, an empty list forgets them.
    public func recordWrite(
        of object: inout KubeObject, over live: KubeObject?, by writer: FieldWriter, at time: Timestamp
    ) {
        let sent = object.value[Self.managedPath]
        let known = live?.value[Self.managedPath]
        let hasSent = sent != nil && sent != known && writer.subresource.isEmpty
        var fields: ManagedFields
        if hasSent, ManagedFields.isReset(sent) {
            fields = ManagedFields()
        } else if hasSent, let sent, let read = ManagedFields(sent: sent), !read.isEmpty {
            fields = read
        } else {
            fields = ManagedFields(stored: known)
        }
        if sent != nil { object.value[Self.managedPath] = nil }
        // Where nothing is known of an object that is there already, nothing is begun.
        if live != nil, fields.isEmpty { return }
        var before = live?.value ?? [:]
        if live != nil { before[Self.managedPath] = nil }
        let subresource = writer.subresource.isEmpty ? nil : writer.subresource
        let changes = changes(from: Self.typeless(before, as: object.value), to: object.value, subresource: subresource)
        if changes.isEmpty, !hasSent {
            object.value[Self.managedPath] = known
            return
        }
        fields.record(changes, by: writer, at: time.text)
        object.value[Self.managedPath] = fields.value
    }

    static let managedPath = ["metadata", "managedFields"]

    /// An object that is not there yet, as it is compared: its type is given.
    private static func typeless(_ value: JSONValue, as other: JSONValue) -> JSONValue {
        guard value.object?.isEmpty ?? true else { return value }
        return ["apiVersion": other["apiVersion"] ?? "", "kind": other["kind"] ?? ""]
    }
}

/// The outcome of a server-side apply.
public struct AppliedObject: Sendable {
    /// The merged object with its `managedFields`, before defaults.
    public let object: KubeObject
    /// False when the object is as it was, apart from who owns what.
    public let isChanged: Bool
}

extension KindSchema {
    static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

    /// Merges a configuration into an object, or makes a new one (`live` nil), as server-side apply does.
    ///
    /// Fields that the writer applied before and now leaves out go, unless somebody else owns them. Fields that others own
    /// and that would change are conflicts, unless the writer insists (`isForced`).
    public func apply(
        _ config: JSONValue, to live: KubeObject?, by writer: FieldWriter, isForced: Bool, at time: Timestamp
    ) throws(ApplyError) -> AppliedObject {
        if let sent = config[["metadata", "managedFields"]], sent != .null {
            throw .badRequest("metadata.managedFields must be nil")
        }
        let complaints = root.typingComplaints(config)
        if !complaints.isEmpty {
            let list = complaints.count == 1 ? complaints[0] : (["errors:"] + complaints.map { "  \($0)" }).joined(separator: "\n")
            let object = KubeObject(config)
            throw .untyped(
                "failed to create typed patch object (\(object.namespace ?? "")/\(object.name); "
                    + "\(resource.kindInVersion)): \(list)")
        }
        var outcome: AppliedObject
        do throws(ApplyError) {
            outcome = try merge(config, live, writer, isForced: isForced, time)
        } catch .conflicts(let conflicts) where writer.manager == "kubectl" {
            // What kubectl itself applied before on the client's side is its own.
            guard let live, let own = ownByAnnotation(of: live) else { throw .conflicts(conflicts) }
            let others = conflicts.filter { !own.contains($0.field) }
            guard others.isEmpty else { throw .conflicts(others) }
            outcome = try merge(config, live, writer, isForced: true, time)
        }
        if writer.manager == "kubectl", outcome.object.annotations[Self.lastApplied]?.isEmpty == false {
            var object = outcome.object
            var noted = config
            if noted[["metadata", "annotations"]] != nil { noted[["metadata", "annotations", Self.lastApplied]] = nil }
            object.value[["metadata", "annotations", Self.lastApplied]] = .string(noted.sortedText + "\n")
            outcome = AppliedObject(object: object, isChanged: outcome.isChanged || object != outcome.object)
        }
        return outcome
    }

    private func merge(
        _ config: JSONValue, _ live: KubeObject?, _ writer: FieldWriter, isForced: Bool, _ time: Timestamp
    ) throws(ApplyError) -> AppliedObject {
        let subresource = writer.subresource.isEmpty ? nil : writer.subresource
        var before = live?.value ?? ["apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind)]
        if live != nil { before[Self.managedPath] = nil }
        var fields = ManagedFields(stored: live?.value[Self.managedPath])
        if live != nil, fields.isEmpty {
            let all = changes(
                from: ["apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind)], to: before,
                subresource: subresource)
            var first = writer
            first.manager = "before-first-apply"
            fields.record(all, by: first, at: time.text)
        }
        let wanted = countedFields(root.fieldSet(of: config), subresource: subresource)
        var entry = ManagedFields.Entry(
            manager: writer.manager, operation: .apply, apiVersion: writer.apiVersion, subresource: writer.subresource,
            time: nil, fields: ManagedFields.owned(wanted))
        let last = fields.entries.first { $0.isSameWriter(as: entry) }
        entry.time = last?.time
        fields.entries.removeAll { $0.isSameWriter(as: entry) }
        let merged = root.merging(config, into: before)
        // The name, too, is wanted here, although nobody owns it.
        let all = fields.entries.reduce(wanted) { $0.union($1.fields) }
        let pruned = prune(merged, last: last?.fields, owned: all)
        let changes = changes(from: before, to: pruned, subresource: subresource)
        let conflicts = Self.conflicts(fields.entries, changes.written)
        if !isForced, !conflicts.isEmpty { throw .conflicts(conflicts) }
        fields.take(changes.written.union(changes.removed))
        let isChanged = live == nil || pruned != before
        if isChanged { entry.time = time.text }
        if !entry.fields.isEmpty { fields.entries.append(entry) }
        var object = KubeObject(pruned)
        object.value[Self.managedPath] = fields.value
        return AppliedObject(object: object, isChanged: isChanged)
    }

    private static func conflicts(_ entries: [ManagedFields.Entry], _ written: FieldSet) -> [ApplyConflict] {
        guard !written.isEmpty else { return [] }
        return entries.flatMap { entry in
            entry.fields.intersection(written).paths.map { ApplyConflict(entry, $0) }
        }
    }

    /// Takes out of a merged object what its writer no longer applies and nobody else owns.
    private func prune(_ merged: JSONValue, last: FieldSet?, owned: FieldSet) -> JSONValue {
        guard let last, !last.isEmpty else { return merged }
        let before = root.withNamedFields(last)
        let all = root.withNamedFields(root.fieldSet(of: merged))
        var pruned = root.removing(before, from: merged)
        // What others own, or the writer still applies, comes back.
        let kept = root.withNamedFields(root.fieldSet(of: pruned)).union(root.withNamedFields(owned))
        pruned = root.removing(all.subtracting(kept), from: merged)
        // So does what the writer never had.
        let left = root.withNamedFields(root.fieldSet(of: pruned))
        return root.removing(all.subtracting(left).intersection(before), from: merged)
    }

    /// The fields that an object still has as the annotation of client-side apply says, as messages show them; nil without one.
    private func ownByAnnotation(of live: KubeObject) -> Set<String>? {
        guard let text = live.annotations[Self.lastApplied], let config = try? JSONValue(parsing: text),
            config["apiVersion"]?.string == resource.apiVersion
        else { return nil }
        let changes = FieldChanges(from: config, to: live.value, root)
        let same = root.fieldSet(of: config).subtracting(changes.written).subtracting(changes.removed)
        return Set(same.paths.map(PathElement.show))
    }
}

extension ResourceType {
    /// The kind and its version as messages about apply name them: `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`.
    public var kindInVersion: String { "\(group)/\(version), Kind=\(kind)" }
}

extension JSONValue {
    /// The value as compact JSON with the members of every object in alphabetical order.
    var sortedText: String { sorted.text }

    private var sorted: JSONValue {
        switch self {
        case .object(let members):
            .object(JSONObject(members.sorted { $0.key < $1.key }.map { ($0.key, $0.value.sorted) }))
        case .array(let elements): .array(elements.map(\.sorted))
        default: self
        }
    }
}
