import KubeClient
import KubeModel

/// The states of a StatefulSet or DaemonSet that are kept as ControllerRevisions.
struct RevisionHistory: Sendable {
    static let hashLabel = "controller.kubernetes.io/hash"

    let client: any ClusterClient
    let owner: KubeObject
    /// The label under which a revision shows its hash besides the common one; nil for none.
    let ownHashLabel: String?
    /// Lowest number first.
    private(set) var revisions: [KubeObject] = []

    init(_ client: any ClusterClient, of owner: KubeObject, ownHashLabel: String? = nil) {
        self.client = client
        self.owner = owner
        self.ownHashLabel = ownHashLabel
    }

    /// Reads the revisions of the owner, and adopts orphans that match its selector.
    mutating func load(matching selector: LabelSelector) async throws {
        var owned: [KubeObject] = []
        for var revision in try await client.list(.controllerRevisions, in: owner.namespace).items {
            if let controller = revision.controllerOwner {
                if controller.uid == owner.uid { owned.append(revision) }
            } else if selector.matches(revision.labels), !owner.isBeingDeleted, !revision.isBeingDeleted,
                revision.name.hasPrefix("\(owner.name)-")
            {
                revision.ownerReferences.append(OwnerReference(controller: owner))
                owned.append(
                    try await client.update(.controllerRevisions, revision, subresource: nil, options: WriteOptions()))
            }
        }
        revisions = owned
        sort()
    }

    private mutating func sort() {
        let origin = Timestamp(seconds: 0)
        revisions.sort {
            ($0.revisionNumber, $0.creationTimestamp ?? origin, $0.name)
                < ($1.revisionNumber, $1.creationTimestamp ?? origin, $1.name)
        }
    }

    subscript(name: String) -> KubeObject? { revisions.first { $0.name == name } }

    /// What brings the owner's template back: a strategic merge patch.
    private var data: JSONValue {
        var template = owner.value[["spec", "template"]] ?? [:]
        template["$patch"] = "replace"
        Self.addZeroes(to: &template)
        return ["spec": ["template": template.sorted]]
    }

    /// Adds what Kubernetes' own encoding never leaves out: clients such as `kubectl rollout undo` compare the bytes of a revision with
    /// those of the present template, which they encode themselves.
    private static func addZeroes(to template: inout JSONValue) {
        template[["metadata", "creationTimestamp"]] = .null
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            guard let containers = template[["spec", list]]?.array else { continue }
            template[["spec", list]] = .array(
                containers.map { container in
                    var container = container
                    if container["resources"] == nil { container["resources"] = [:] }
                    return container
                })
        }
    }

    /// The revision of the present template; an old one of the same content gets the newest number.
    ///
    /// - Parameter collisions: Grows when the name of a new revision is taken by one of other content.
    mutating func current(collisions: inout Int) async throws -> KubeObject {
        let data = data
        let newest = revisions.last?.revisionNumber ?? 0
        if let last = revisions.last, last.value["data"] == data { return last }
        if var old = revisions.last(where: { $0.value["data"] == data }) {
            old.value["revision"] = JSONValue(newest + 1)
            let written = try await client.update(
                .controllerRevisions, old, subresource: nil, options: WriteOptions())
            revisions.removeAll { $0.name == written.name }
            revisions.append(written)
            return written
        }
        while true {
            let hash = PodTemplateHash.of(owner.value[["spec", "template"]] ?? [:], collisionCount: collisions)
            var revision = KubeObject(.controllerRevisions, namespace: owner.namespace, name: "\(owner.name)-\(hash)")
            revision.labels = KubeObject(owner.value[["spec", "template"]] ?? [:]).labels
            revision.labels[Self.hashLabel] = hash
            if let ownHashLabel { revision.labels[ownHashLabel] = hash }
            revision.annotations = owner.annotations
            revision.ownerReferences = [OwnerReference(controller: owner)]
            revision.value["data"] = data
            revision.value["revision"] = JSONValue(newest + 1)
            do throws(Status) {
                let created = try await client.create(.controllerRevisions, revision)
                revisions.append(created)
                return created
            } catch {
                guard error.isAlreadyExists else { throw error }
                let present = try await client.find(.controllerRevisions, ObjectKey(revision))
                if let present, present.value["data"] == data, present.controllerOwner?.uid == owner.uid {
                    return present
                }
                collisions += 1
            }
        }
    }

    /// Removes the oldest of the revisions that nothing uses, down to a number.
    func trim(keeping limit: Int, inUse names: Set<String>) async throws {
        let idle = revisions.filter { !names.contains($0.name) }
        for revision in idle.prefix(max(0, idle.count - limit)) {
            try await client.deleteIfPresent(.controllerRevisions, revision.name, in: owner.namespace)
        }
    }
}

extension KubeObject {
    /// The number of a ControllerRevision.
    var revisionNumber: Int { value["revision"]?.int ?? 0 }

    /// The template that a ControllerRevision keeps.
    var revisionTemplate: JSONValue? {
        guard var template = value[["data", "spec", "template"]] else { return nil }
        template["$patch"] = nil
        template[["metadata", "creationTimestamp"]] = nil
        return template
    }

    /// What tells the pods of a ControllerRevision from others.
    var revisionHash: String { labels[RevisionHistory.hashLabel] ?? "" }
}

extension JSONValue {
    /// The same value with the members of every object in the order of their names.
    fileprivate var sorted: JSONValue {
        switch self {
        case .array(let items): return .array(items.map(\.sorted))
        case .object(let members):
            var ordered: JSONObject = [:]
            for key in members.map(\.key).sorted(by: { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }) {
                ordered[key] = members[key]?.sorted
            }
            return .object(ordered)
        default: return self
        }
    }
}
