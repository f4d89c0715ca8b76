import ControllerKit
import KubeClient
import KubeModel

/// What all owners of pods do alike: claim them, make them, remove them, and tell about it.
struct PodControl: Sendable {
    let client: any ClusterClient
    let events: EventRecorder

    /// Slow start never makes more than this many at a time.
    static let burstMax = 500

    // MARK: Whose pods they are

    /// The pods that belong to an owner: owned ones that still match, and orphans that match, which it adopts.
    ///
    /// Owned ones that no longer match are let go.
    func claim(_ pods: [Pod], for owner: KubeObject, _ selector: LabelSelector) async throws -> [Pod] {
        var claimed: [Pod] = []
        for pod in pods {
            let matches = selector.matches(pod.object.labels)
            if let controller = pod.object.controllerOwner {
                guard controller.uid == owner.uid else { continue }
                if matches {
                    claimed.append(pod)
                } else if !pod.object.isBeingDeleted {
                    try await setOwners(pod.object.ownerReferences.filter { $0.uid != owner.uid }, of: pod)
                }
            } else if matches, pod.isActive, !owner.isBeingDeleted {
                try await setOwners(pod.object.ownerReferences + [OwnerReference(controller: owner)], of: pod)
                claimed.append(pod)
            }
        }
        return claimed
    }

    private func setOwners(_ owners: [OwnerReference], of pod: Pod) async throws {
        let patch = ObjectPatch.merge([
            "metadata": [
                "uid": .string(pod.uid), "ownerReferences": owners.isEmpty ? .null : .array(owners.map(\.value)),
            ]
        ])
        _ = try await client.patch(
            .pods, namespace: pod.namespace, name: pod.name, patch, subresource: nil, options: WriteOptions())
    }

    // MARK: Making and removing

    /// A pod from a template, owned by `owner`, whose name the server completes.
    static func pod(from template: JSONValue, owner: KubeObject) -> KubeObject {
        var metadata: JSONValue = [:]
        for member in ["labels", "annotations", "finalizers"] {
            metadata[member] = template[["metadata", member]]
        }
        metadata["generateName"] = .string("\(owner.name)-")
        metadata["namespace"] = owner.namespace.map(JSONValue.string)
        var pod = KubeObject([
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"] ?? [:],
        ])
        pod.ownerReferences = [OwnerReference(controller: owner)]
        return pod
    }

    func create(_ pod: KubeObject, for owner: KubeObject) async throws {
        do throws(Status) {
            let created = try await client.create(.pods, pod)
            await events.record(owner, .normal, reason: "SuccessfulCreate", message: "Created pod: \(created.name)")
        } catch {
            // A namespace on its way out refuses for good; nobody needs to read that.
            if error.details?["causes"]?.array?.contains(where: { $0["reason"] == "NamespaceTerminating" }) != true {
                await events.record(
                    owner, .warning, reason: "FailedCreate", message: "Error creating: \(error.message)")
            }
            throw error
        }
    }

    /// Makes pods, first one, then two, then four … at a time.
    ///
    /// A template that is refused is refused once and not five hundred times.
    func createSlowly(_ pods: [KubeObject], for owner: KubeObject) async throws {
        var (left, batch) = (pods.prefix(Self.burstMax), 1)
        while !left.isEmpty {
            let now = Array(left.prefix(batch))
            try await inParallel(now.count) { try await create(now[$0], for: owner) }
            left = left.dropFirst(batch)
            batch *= 2
        }
    }

    func delete(_ names: [String], of owner: KubeObject) async throws {
        try await inParallel(names.count) { index in
            let name = names[index]
            try await client.deleteIfPresent(.pods, name, in: owner.namespace)
            await events.record(owner, .normal, reason: "SuccessfulDelete", message: "Deleted pod: \(name)")
        }
    }
}

/// How much shorter the waits are that Kubernetes prescribes.
struct Pace: Sendable {
    let factor: Double

    func prescribed(_ duration: Duration) -> Duration { factor == 1 ? duration : duration / factor }
}
