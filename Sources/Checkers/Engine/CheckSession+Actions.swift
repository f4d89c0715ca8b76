import CourseModel
import KubeClient
import KubeModel

/// What stopped a check before it could judge.
enum Stop: Error, Sendable {
    /// The learner's cluster is not as the check needs it.
    case failed(Assessment)
    /// Not the learner's fault.
    case unknown(String)
}

extension CheckSession {
    mutating func perform(_ action: CheckAction) async throws(Stop) {
        switch action {
        case .delete(let selection, let name): try await delete(selection, as: name)
        case .scale(let ref, let replicas): try await scale(ref, to: replicas)
        }
    }

    private mutating func delete(_ selection: Selection, as name: String) async throws(Stop) {
        guard let resource = ResourceType.ofKind(selection.kind) else {
            throw .unknown("the kind '\(selection.kind)' is not known")
        }
        let candidates = judge.find(selection).filter(\.isActivePod)
        let label = selection.selector.map { " with \($0)" } ?? ""
        guard let target = candidates.first(where: \.isReadyPod) ?? candidates.first else {
            let text = "There is no \(selection.kind)\(label) in the namespace '\(namespace)'."
            throw .failed(
                Assessment(
                    .hopeless, expected: "a \(selection.kind)\(label) to delete", found: "none",
                    finding: Finding(.missing, text, isFinal: true)))
        }
        // What nobody looks after would be lost for good: nothing is deleted that cannot come back.
        guard let owner = target.controllerOwner else {
            let text =
                "The \(selection.kind) '\(target.name)' has no owner, so nobody would replace it. The check did not delete it."
            throw .failed(
                Assessment(
                    .hopeless, expected: "a \(selection.kind)\(label) that a controller looks after",
                    found: "'\(target.name)' has no owner", finding: Finding(.other, text, isFinal: true)))
        }
        let known = Set(view.list(resource, in: target.namespace).map(\.uid))
        victims[name] = Victim(
            name: target.name, namespace: target.namespace, uid: target.uid, owner: owner, known: known)
        record("The check deletes \(target.kind) \(target.name)", target, resource)
        progress(.acted(current, "deleted \(target.kind) '\(target.name)'"))
        do {
            try await client.delete(
                resource, namespace: target.namespace, name: target.name, options: DeleteOptions(uid: target.uid))
        } catch {
            throw .unknown("the \(target.kind) '\(target.name)' could not be deleted: \(error)")
        }
        let victim = victims[name]
        _ = await wait(.seconds(10)) { session in victim.map { session.judge.isGoing($0) } ?? true }
    }

    private mutating func scale(_ ref: ObjectRef, to replicas: Int) async throws(Stop) {
        let home = ref.namespace ?? namespace
        guard let resource = ResourceType.ofKind(ref.kind) else {
            throw .unknown("the kind '\(ref.kind)' is not known")
        }
        guard let object = view.get(resource, ref.name, in: home) else {
            throw .failed(
                Assessment(
                    .hopeless, expected: "\(ref) to scale", found: "it does not exist",
                    finding: Finding(.missing, "There is no \(ref) in the namespace '\(home)'.", isFinal: true)))
        }
        let before = object.value[["spec", "replicas"]]?.int ?? 1
        if !undo.contains(where: { $0.name == ref.name && $0.namespace == home && $0.resource == resource }) {
            undo.append(ReplicaUndo(resource: resource, namespace: home, name: ref.name, replicas: before))
        }
        record("The check scales \(ref.kind) \(ref.name) from \(before) to \(replicas)", object, resource)
        progress(.acted(current, "scaled \(ref) from \(before) to \(replicas)"))
        do {
            try await client.setReplicas(resource, namespace: home, name: ref.name, to: replicas)
        } catch {
            throw .unknown("\(ref) could not be scaled: \(error)")
        }
        // Judging goes by what the watch shows, so the change must have arrived there.
        _ = await wait(.seconds(10)) { session in
            session.view.get(resource, ref.name, in: home)?.value[["spec", "replicas"]]?.int == replicas
        }
    }

    /// Sets back what the check has changed.
    ///
    /// It also runs when the learner has pressed Ctrl-C.
    mutating func undoActions() async {
        for change in undo.reversed() {
            let client = client
            let present = view.get(change.resource, change.name, in: change.namespace)?.value[["spec", "replicas"]]?.int
            guard let present, present != change.replicas else { continue }
            record("The check scales \(change.resource.kind) \(change.name) back to \(change.replicas)")
            progress(.acted(current, "scaled \(change.resource.kind) '\(change.name)' back to \(change.replicas)"))
            // A task of its own: a cancelled one could no longer reach the cluster, and the learner's object would
            // stay changed.
            let error = await Task { () -> Status? in
                do throws(Status) {
                    try await client.setReplicas(
                        change.resource, namespace: change.namespace, name: change.name, to: change.replicas)
                    return nil
                } catch {
                    return error
                }
            }.value
            if let error { record("\(change.name) could not be scaled back to \(change.replicas): \(error)") }
        }
        undo = []
    }
}

extension ClusterClient {
    /// What `kubectl scale` does.
    func setReplicas(_ resource: ResourceType, namespace: String, name: String, to replicas: Int) async throws(Status) {
        let body: JSONValue = ["spec": ["replicas": JSONValue(replicas)]]
        _ = try await patch(
            resource, namespace: namespace, name: name, .merge(body), subresource: "scale", options: WriteOptions())
    }
}
