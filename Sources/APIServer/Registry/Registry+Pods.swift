import KubeClient
import KubeModel
import ObjectStore

/// The sub-resources of pods that are actions.
extension Registry {
    /// Puts a pod on a node (POST `pods/NAME/binding`, or `bindings`); 409 if it is on one already.
    ///
    /// - Returns: Texts for `Warning` headers.
    func bind(_ target: Target, _ body: JSONValue, _ settings: WriteSettings) async throws(Status) -> [String] {
        let kind = try kind(of: .bindings)
        var (object, warnings) = try decode(kind, body, settings)
        guard object.name == target.name else {
            throw .badRequest("name in URL does not match name in Binding object")
        }
        object.value = try await admitBody(
            .create, object.value, kind.resource, of: target, "binding", settings)
        let binding = object.value
        let errors = FieldError.complaints(aboutBinding: binding)
        guard errors.isEmpty, let node = binding[["target", "name"]]?.string else {
            // Kubernetes does not say which object is wrong here, nor that it is the caller's fault.
            let texts = errors.map(\.description)
            throw Status(
                code: 500, reason: "",
                message: texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]")
        }
        let bindings = ResourceType(group: "", version: "v1", kind: "Binding", plural: "pods/binding")
        let annotations = binding[["metadata", "annotations"]]?.object ?? [:]
        let time = now()
        // Where a pod runs is nobody's wish.
        var settings = settings
        settings.hasOwners = true
        settings.callsWebhooks = false
        _ = try await change(target, subresource: "binding", settings) { current throws(Status) in
            guard !current.isBeingDeleted else {
                throw .conflict(
                    bindings, target.name, "pod \(target.name) is being deleted, cannot be assigned to a host")
            }
            if let present = current.value[["spec", "nodeName"]]?.string, !present.isEmpty {
                throw .conflict(
                    bindings, target.name, "pod \(target.name) is already assigned to node \"\(present)\"")
            }
            var pod = current
            pod.value[["spec", "nodeName"]] = .string(node)
            for (key, value) in annotations { pod.value[["metadata", "annotations", key]] = value }
            Self.setScheduled(&pod, now: time)
            return pod
        }
        return warnings
    }

    private static func setScheduled(_ pod: inout KubeObject, now: Timestamp) {
        var conditions = pod.value[["status", "conditions"]]?.array ?? []
        conditions.removeAll { $0["type"] == "PodScheduled" }
        conditions.append([
            "type": "PodScheduled", "status": "True", "lastProbeTime": nil, "lastTransitionTime": .string(now.text),
        ])
        pod.value[["status", "conditions"]] = .array(conditions)
    }

    /// The log of a container, from the agent of the pod's node.
    func logs(
        _ target: Target, options: LogOptions
    ) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error> {
        let pod = try await get(target).object
        var options = options
        options.container = try PodContainers.choose(options.container, of: pod)
        guard pod.value[["spec", "nodeName"]]?.string?.isEmpty == false else {
            return AsyncThrowingStream { $0.finish() }
        }
        try PodLog.check(pod, options)
        return try await agent(of: pod).logs(of: pod, options: options)
    }

    /// Who speaks for the node that a pod is on.
    func agent(of pod: KubeObject) throws(Status) -> any NodeAgent {
        guard let node = pod.value[["spec", "nodeName"]]?.string, !node.isEmpty else {
            throw .badRequest("pod \(pod.name) does not have a host assigned")
        }
        guard let agent = nodes[node] else {
            throw .internalError("node \"\(node)\" does not answer: no agent is connected for it")
        }
        return agent
    }

    /// Runs a command in a container to its end, or until the time is over.
    func exec(_ target: Target, _ request: ExecRequest, timeout: Duration) async throws(Status) -> ExecResult {
        let pod = try await get(target).object
        var request = request
        request.container = try PodContainers.choose(request.container.isEmpty ? nil : request.container, of: pod)
        let session = try await agent(of: pod).exec(in: pod, request)
        let result = await withTaskGroup(of: ExecResult?.self) { group in
            group.addTask { await Self.collect(session) }
            group.addTask {
                try? await ContinuousClock().sleep(for: timeout)
                return nil
            }
            let first = await group.next() ?? nil
            // Only this ends what still waits for the command.
            await session.close()
            group.cancelAll()
            return first
        }
        guard let result else {
            throw Status(code: 0, reason: "Timeout", message: "the command did not end in time")
        }
        return result
    }

    private static func collect(_ session: any ContainerSession) async -> ExecResult? {
        var result = ExecResult(output: [], errorOutput: [], exitCode: 0)
        while let piece = await session.nextOutput() {
            if piece.isErrorOutput { result.errorOutput += piece.bytes } else { result.output += piece.bytes }
        }
        guard case .code(let code) = await session.exit() else { return nil }
        result.exitCode = code
        return result
    }
}

extension DeleteOptions {
    /// Reads a `v1.DeleteOptions` object; nil gives the defaults.
    init(_ value: JSONValue?) {
        self.init(
            gracePeriodSeconds: value?["gracePeriodSeconds"]?.int,
            propagation: value?["propagationPolicy"]?.string.flatMap(Propagation.init(rawValue:)),
            uid: value?[["preconditions", "uid"]]?.string,
            resourceVersion: value?[["preconditions", "resourceVersion"]]?.string)
        orphanDependents = value?["orphanDependents"]?.bool
    }
}
