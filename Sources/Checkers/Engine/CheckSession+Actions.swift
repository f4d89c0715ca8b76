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
        case .patch(let ref, let change): try await patch(ref, change)
        case .restart(let ref): try await restart(ref)
        case .load(let http, let name): await startLoad(http, as: name)
        }
    }

    private func target(_ ref: ObjectRef, _ verb: String) throws(Stop) -> (ResourceType, KubeObject) {
        let home = ref.namespace ?? namespace
        guard let resource = ResourceType.ofKind(ref.kind) else {
            throw .unknown("the kind '\(ref.kind)' is not known")
        }
        guard let object = view.get(resource, ref.name, in: home) else {
            throw .failed(
                Assessment(
                    .hopeless, expected: "\(ref) to \(verb)", found: "it does not exist",
                    finding: Finding(.missing, "There is no \(ref) in the namespace '\(home)'.", isFinal: true)))
        }
        return (resource, object)
    }

    private mutating func patch(_ ref: ObjectRef, _ change: YAMLValue) async throws(Stop) {
        let (resource, object) = try target(ref, "change")
        let members = ["spec", "data", "stringData"].filter { change[$0] != nil }
        let before = Dictionary(uniqueKeysWithValues: members.map { ($0, object.value[$0]) })
        undo.append(Undo(resource: resource, namespace: object.namespace, name: ref.name, change: .members(before)))
        record("The check changes \(ref.kind) \(ref.name): \(change.text)", object, resource)
        progress(.acted(current, "changed \(ref)"))
        try await send(resource, object, ObjectPatch(.strategic, JSONValue(change)), "changed")
    }

    private mutating func restart(_ ref: ObjectRef) async throws(Stop) {
        let (resource, object) = try target(ref, "restart")
        record("The check restarts \(ref.kind) \(ref.name)", object, resource)
        progress(.acted(current, "restarted \(ref)"))
        let annotations: JSONValue = ["kubectl.kubernetes.io/restartedAt": .string(options.now().text)]
        let body: JSONValue = ["spec": ["template": ["metadata": ["annotations": annotations]]]]
        try await send(resource, object, .merge(body), "restarted")
    }

    /// Patches, and waits until the watch shows it: judging goes by what is seen there.
    private mutating func send(
        _ resource: ResourceType, _ object: KubeObject, _ patch: ObjectPatch, _ verb: String
    ) async throws(Stop) {
        let home = object.namespace
        let after: KubeObject
        do {
            after = try await client.patch(
                resource, namespace: home, name: object.name, patch, subresource: nil, options: WriteOptions())
        } catch {
            throw .unknown("\(object.kind) '\(object.name)' could not be \(verb): \(error)")
        }
        // By its generation: changes of its status come in between, and say nothing of ours.
        _ = await wait(.seconds(10)) { session in
            session.view.get(resource, object.name, in: home).map { $0.generation >= after.generation } ?? true
        }
    }

    private mutating func startLoad(_ http: HTTPExpectation, as name: String) async {
        record("The check begins to send requests to \(http.url)")
        loads[name] = Load(http, hosts: await hosts(for: http.url), options: options)
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
        let (resource, object) = try target(ref, "scale")
        let home = ref.namespace ?? namespace
        let before = object.value[["spec", "replicas"]]?.int ?? 1
        if !undo.contains(where: { $0.name == ref.name && $0.namespace == home && $0.resource == resource }) {
            undo.append(Undo(resource: resource, namespace: home, name: ref.name, change: .replicas(before)))
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
        for (name, load) in loads {
            load.stop()
            let count = load.count
            measured[name == "load" ? "downtime" : name] = count.downtimeMilliseconds
            record("Of \(count.sent) requests \(count.failed) found nobody")
        }
        for change in undo.reversed() {
            guard let present = view.get(change.resource, change.name, in: change.namespace) else { continue }
            let kind = change.resource.kind
            var body: JSONValue = .object([:])
            var what = "changes \(kind) \(change.name) back"
            switch change.change {
            case .replicas(let replicas):
                if present.value[["spec", "replicas"]]?.int == replicas { continue }
                body = ["spec": ["replicas": JSONValue(replicas)]]
                what = "scales \(kind) \(change.name) back to \(replicas)"
            case .members: break
            }
            record("The check \(what)")
            progress(.acted(current, what))
            let client = client
            let patch = body
            // A task of its own: a cancelled one could no longer reach the cluster, and the learner's object would
            // stay changed.
            let error = await Task { () -> Status? in
                do throws(Status) {
                    try await client.undo(change, patch)
                    return nil
                } catch {
                    return error
                }
            }.value
            if let error {
                record("\(change.name) could not be set back: \(error)")
            } else {
                await settle(change)
            }
        }
        undo = []
    }
}

extension CheckSession {
    /// Waits until a Deployment is at rest again, so that the next check does not take our changes for the learner's.
    private mutating func settle(_ change: Undo) async {
        guard change.resource == .deployments else { return }
        let ref = ObjectRef(kind: change.resource.kind, name: change.name, namespace: change.namespace)
        _ = await wait(options.limit(.seconds(60))) { session in
            guard let object = session.view.get(.deployments, change.name, in: change.namespace) else { return true }
            let count = object.value[["spec", "replicas"]]?.int ?? 1
            // What the watch shows may still be our change.
            let isBack =
                switch change.change {
                case .replicas(let replicas): count == replicas
                case .members(let before): before.allSatisfy { object.value[$0.key] == $0.value }
                }
            return isBack
                && session.judge.assess(.ready(deployment: ref, count: count)).state != .notYet
        }
    }
}

extension ClusterClient {
    fileprivate func undo(_ change: Undo, _ body: JSONValue) async throws(Status) {
        switch change.change {
        case .replicas:
            _ = try await patch(
                change.resource, namespace: change.namespace, name: change.name, .merge(body), subresource: "scale",
                options: WriteOptions())
        case .members(let before):
            // The whole member is put back: a merge could not take away what the check has added.
            var attempts = 0
            while true {
                attempts += 1
                var object = try await get(change.resource, change.name, in: change.namespace)
                for (name, value) in before { object.value[name] = value }
                do throws(Status) {
                    _ = try await update(change.resource, object, subresource: nil, options: WriteOptions())
                    return
                } catch {
                    // A controller has written its status in between: what is there now is taken, and changed back.
                    guard error.code == 409, attempts < 10 else { throw error }
                }
            }
        }
    }

    /// What `kubectl scale` does.
    func setReplicas(_ resource: ResourceType, namespace: String, name: String, to replicas: Int) async throws(Status) {
        let body: JSONValue = ["spec": ["replicas": JSONValue(replicas)]]
        _ = try await patch(
            resource, namespace: namespace, name: name, .merge(body), subresource: "scale", options: WriteOptions())
    }
}
