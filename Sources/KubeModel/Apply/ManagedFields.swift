/// Who wrote, in the words of `metadata.managedFields`.
public struct FieldWriter: Sendable, Hashable {
    /// For example `kubectl-client-side-apply` or `kubelet`.
    public var manager: String
    /// The version in which the request speaks, for example `apps/v1`.
    public var apiVersion: String
    /// Empty for the object itself, else for example `status`.
    public var subresource: String

    public init(manager: String, apiVersion: String, subresource: String = "") {
        self.manager = manager.isEmpty ? "unknown" : manager
        self.apiVersion = apiVersion
        self.subresource = subresource
    }
}

/// Which writer owns which fields of an object (`metadata.managedFields`).
///
/// Source: "Server-Side Apply" in the Kubernetes docs.
public struct ManagedFields: Sendable, Hashable {
    public enum Operation: String, Sendable {
        case apply = "Apply"
        case update = "Update"
    }

    public struct Entry: Sendable, Hashable {
        public var manager: String
        public var operation: Operation
        public var apiVersion: String
        public var subresource: String
        /// RFC 3339; nil when it was never told.
        public var time: String?
        public var fields: FieldSet

        /// Whether both stand for the same writer: those who apply keep their entry when they change the version.
        func isSameWriter(as other: Entry) -> Bool {
            manager == other.manager && operation == other.operation && subresource == other.subresource
                && (operation == .apply || apiVersion == other.apiVersion)
        }
    }

    public internal(set) var entries: [Entry] = []

    public init() {}

    public var isEmpty: Bool { entries.isEmpty }

    // MARK: Reading and writing

    /// Reads what this server wrote.
    public init(stored value: JSONValue?) {
        entries = (value?.array ?? []).compactMap { entry in
            guard let operation = entry["operation"]?.string.flatMap(Operation.init(rawValue:)) else { return nil }
            return Entry(entry, operation, FieldSet(tree: entry["fieldsV1"]?.object ?? [:]))
        }
    }

    /// Reads what a client sent; nil if it cannot be read.
    public init?(sent value: JSONValue) {
        guard let list = value.array else { return nil }
        for entry in list {
            guard let operation = entry["operation"]?.string.flatMap(Operation.init(rawValue:)),
                entry["fieldsType"] == "FieldsV1", entry["apiVersion"]?.string?.isEmpty == false,
                let fields = try? FieldSet(reading: entry["fieldsV1"] ?? [:])
            else { return nil }
            let read = Entry(entry, operation, fields)
            if let twin = entries.firstIndex(where: { $0.isSameWriter(as: read) }) {
                entries[twin] = read
            } else {
                entries.append(read)
            }
        }
    }

    /// Whether a client asks to forget who owns what: an empty list, or a list of one empty entry.
    public static func isReset(_ value: JSONValue?) -> Bool {
        guard let list = value?.array else { return false }
        return list.isEmpty || list.count == 1 && list[0] == [:]
    }

    /// The list as objects carry it; nil when there is nothing to say.
    public var value: JSONValue? {
        guard !entries.isEmpty else { return nil }
        return .array(
            entries.sorted(by: Self.precedes).map { entry in
                var value: JSONObject = [:]
                value.reserveCapacity(7)
                value.updateValue(.string(entry.manager), forKey: "manager")
                value.updateValue(.string(entry.operation.rawValue), forKey: "operation")
                value.updateValue(.string(entry.apiVersion), forKey: "apiVersion")
                if let time = entry.time { value.updateValue(.string(time), forKey: "time") }
                value.updateValue("FieldsV1", forKey: "fieldsType")
                value.updateValue(entry.fields.value, forKey: "fieldsV1")
                if !entry.subresource.isEmpty { value.updateValue(.string(entry.subresource), forKey: "subresource") }
                return .object(value)
            })
    }

    /// Those who apply first, then by time, oldest first.
    private static func precedes(_ left: Entry, _ right: Entry) -> Bool {
        if left.operation != right.operation { return left.operation == .apply }
        if left.time != right.time { return left.time ?? "" < right.time ?? "" }
        if left.manager != right.manager { return left.manager < right.manager }
        if left.apiVersion != right.apiVersion { return left.apiVersion < right.apiVersion }
        return left.subresource < right.subresource
    }

    // MARK: Changing

    /// Members of every object that nobody owns.
    private static let ownerless: FieldSet = {
        var set = FieldSet()
        for name in ["apiVersion", "kind", "metadata"] { set.insert([PathElement.field(name)]) }
        for name in [
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
            "resourceVersion",
        ] { set.insert([PathElement.field("metadata"), PathElement.field(name)]) }
        return set
    }()

    static func owned(_ set: FieldSet) -> FieldSet { set.subtracting(ownerless) }

    /// Gives what has changed to its writer, and takes it from everybody else.
    ///
    /// - Returns: Whether anything was written at all.
    @discardableResult
    mutating func record(_ changes: FieldChanges, by writer: FieldWriter, at time: String) -> Bool {
        let written = Self.owned(changes.written)
        let gone = changes.written.union(changes.removed)
        if !gone.isEmpty { take(gone) }
        guard !written.isEmpty else { return false }
        let entry = Entry(
            manager: writer.manager, operation: .update, apiVersion: writer.apiVersion, subresource: writer.subresource,
            time: time, fields: written)
        if let place = entries.firstIndex(where: { $0.isSameWriter(as: entry) }) {
            entries[place].fields = entries[place].fields.union(written)
            entries[place].time = time
        } else {
            entries.append(entry)
        }
        limitUpdates()
        return true
    }

    /// Takes fields from all, or from all but one; those who are left with nothing go.
    mutating func take(_ set: FieldSet, except kept: Entry? = nil) {
        for index in entries.indices.reversed() {
            if let kept, entries[index].isSameWriter(as: kept) { continue }
            let rest = entries[index].fields.subtracting(set)
            if rest.isEmpty { entries.remove(at: index) } else { entries[index].fields = rest }
        }
    }

    /// How many writers who do not apply are remembered by name.
    static let updatersMax = 10

    /// Brings the oldest writers together under one name for each version when there are too many.
    private mutating func limitUpdates() {
        var updaters = entries.filter { $0.operation == .update }
        guard updaters.count > Self.updatersMax else { return }
        updaters.sort(by: Self.precedes)
        var surplus = updaters.count - Self.updatersMax
        var first: [String: Entry] = [:]
        for entry in updaters where surplus > 0 {
            guard let oldest = first[entry.apiVersion] else {
                first[entry.apiVersion] = entry
                continue
            }
            var bucket = oldest
            bucket.manager = "ancient-changes"
            bucket.subresource = ""
            bucket.fields = oldest.fields.union(entry.fields)
            bucket.time = entry.time
            entries.removeAll { $0.isSameWriter(as: oldest) || $0.isSameWriter(as: entry) }
            if let present = entries.firstIndex(where: { $0.isSameWriter(as: bucket) }) {
                bucket.fields = bucket.fields.union(entries.remove(at: present).fields)
                surplus -= 1
            }
            entries.append(bucket)
            first[entry.apiVersion] = bucket
            surplus -= 1
        }
    }
}

extension ManagedFields.Entry {
    fileprivate init(_ value: JSONValue, _ operation: ManagedFields.Operation, _ fields: FieldSet) {
        self.init(
            manager: value["manager"]?.string ?? "", operation: operation,
            apiVersion: value["apiVersion"]?.string ?? "", subresource: value["subresource"]?.string ?? "",
            time: value["time"]?.string, fields: fields)
    }
}
