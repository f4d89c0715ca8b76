import KubeModel
import ObjectStore

/// The admission chain: first plugins that may change an object, then those that only say yes or no.
///
/// `Admission Control in Kubernetes`, in the order of the API server's defaults.
extension Registry {
    /// Lets plugins and webhooks change an object that is complete and not yet validated.
    func mutate(_ object: inout KubeObject, _ request: AdmissionRequest) async throws(Status) {
        var round = WebhookRound()
        try await mutateByPlugins(&object, request)
        try await mutateByWebhooks(&object, request, &round)
        guard round.hasChanged else { return }
        // What webhooks have added is completed like the rest, and those that want to see what came after them are asked.
        try await mutateByPlugins(&object, request)
        round.beginAgain(with: object)
        if round.isDue { try await mutateByWebhooks(&object, request, &round) }
    }

    private func mutateByPlugins(_ object: inout KubeObject, _ request: AdmissionRequest) async throws(Status) {
        if try await runPlugins(on: &object, request) { request.kind.applyDefaults(&object) }
    }

    private func mutateByWebhooks(
        _ object: inout KubeObject, _ request: AdmissionRequest, _ round: inout WebhookRound
    ) async throws(Status) {
        let kind = request.kind
        let owners = object.value[["metadata", "managedFields"]]
        var changed: KubeObject? = object
        try await askMutating(&changed, request, &round) { value throws(DecodeError) in
            var patched = try kind.decode(value).object
            patched.value[["metadata", "managedFields"]] = owners
            kind.applyDefaults(&patched)
            return patched
        }
        if let changed { object = changed }
    }

    /// - Returns: Whether there may be members without their defaults now.
    private func runPlugins(on object: inout KubeObject, _ request: AdmissionRequest) async throws(Status) -> Bool {
        let facts = AdmissionFacts(store: store)
        switch request.resource {
        case .pods where request.isCreatingPod:
            for warning in AppArmorAnnotations.complete(&object) { request.open?.warn(warning) }
            if isEnabled("LimitRanger") { LimitRanger.applyDefaults(&object, facts) }
            if isEnabled("ServiceAccount") { try await admitAccount(&object, request) }
            if isEnabled("RuntimeClass") { try RuntimeClassPlugin.resolve(&object, request, facts) }
            if isEnabled("Priority") { try PriorityPlugin.resolve(&object, request, facts) }
            return true
        case .persistentVolumeClaims where request.operation == .create && request.subresource == nil:
            StorageAdmission.setDefaultClass(&object, facts)
            StorageAdmission.protect(&object, "kubernetes.io/pvc-protection")
        case .persistentVolumes where request.operation == .create && request.subresource == nil:
            StorageAdmission.protect(&object, "kubernetes.io/pv-protection")
        case .ingresses where request.operation == .create && request.subresource == nil:
            StorageAdmission.setDefaultIngressClass(&object, facts)
        case .certificateSigningRequests where request.operation == .create:
            SigningRequestPlugin.setRequestor(&object, request.caller)
        case .secrets where request.subresource == nil: fillTokenSecret(&object)
        default: return false
        }
        return false
    }

    /// Asks the plugins whether a valid object may be written.
    func admit(_ object: KubeObject, _ request: AdmissionRequest) async throws(Status) -> Admission {
        let facts = AdmissionFacts(store: store)
        var admission = Admission()
        switch request.resource {
        case .pods, .persistentVolumeClaims:
            if isEnabled("LimitRanger") { try LimitRanger.check(object, request, facts) }
        case .certificateSigningRequests: try SigningRequestPlugin.check(object, request, authorizer)
        case .priorityClasses: try PriorityPlugin.check(object, request, facts)
        case .clusterRoles, .roles, .clusterRoleBindings, .roleBindings:
            try Escalation(authorizer: authorizer, request: request).check(object)
        case .validatingAdmissionPolicies, .validatingAdmissionPolicyBindings:
            try ParameterAccess(authorizer: authorizer, catalog: catalog, facts: facts, request: request).check(object)
        default: break
        }
        if let caller = request.caller { try NodeRestriction.check(object, request, caller) }
        if isEnabled("PodSecurity") { try PodSecurity.check(object, request, facts, &admission) }
        if isEnabled("ValidatingAdmissionPolicy") { try checkPolicies(object, request, &admission) }
        for (name, value) in admission.annotations { request.open?.annotate(name, value) }
        try await askValidating(object, request)
        if isEnabled("ResourceQuota"), object.namespace != nil {
            admission.charges = try await chargeQuotas(object, request)
        }
        return admission
    }

    /// Asks policies and webhooks whether an object may go.
    func admitDeletion(
        _ object: KubeObject, _ target: Target, name: String, _ settings: WriteSettings
    ) async throws(Status) {
        try await ask(
            nil,
            AdmissionRequest(.delete, target.kind, namespace: target.namespace, name: name, old: object, settings))
    }

    /// Asks policies and webhooks about something that is not an object of the store, and returns what they have made of it.
    func admitBody(
        _ operation: AdmissionRequest.Operation, _ body: JSONValue, _ type: ResourceType, of target: Target,
        _ subresource: String, old: KubeObject? = nil, _ settings: WriteSettings
    ) async throws(Status) -> JSONValue {
        var request = AdmissionRequest(
            operation, target.kind, namespace: target.namespace, name: target.name, old: old,
            subresource: subresource, settings)
        request.body = type
        guard request.callsWebhooks else { return body }
        var object = body
        object["apiVersion"] = .string(type.apiVersion)
        object["kind"] = .string(type.kind)
        return try await ask(KubeObject(object), request)?.value ?? body
    }

    /// Asks policies and webhooks whether a connection may be made.
    ///
    /// - Parameter kind: The kind of the connection's options, for example `PodExecOptions`.
    func admitConnection(
        _ kind: String, _ options: JSONValue, _ target: Target, _ subresource: String, _ request: APIRequest
    ) async throws(Status) {
        var settings = WriteSettings()
        settings.caller = request.user
        settings.open = request.open
        let type = ResourceType(group: "", version: "v1", kind: kind, plural: target.resource.plural)
        _ = try await admitBody(.connect, options, type, of: target, subresource, settings)
    }

    @discardableResult
    private func ask(_ object: KubeObject?, _ request: AdmissionRequest) async throws(Status) -> KubeObject? {
        var object = object
        var round = WebhookRound()
        try await askMutating(&object, request, &round) { KubeObject($0) }
        if round.hasChanged {
            if let object { round.beginAgain(with: object) }
            if round.isDue { try await askMutating(&object, request, &round) { KubeObject($0) } }
        }
        if isEnabled("ValidatingAdmissionPolicy"), request.callsWebhooks {
            var admission = Admission()
            try checkPolicies(object, request, &admission)
            for (name, value) in admission.annotations { request.open?.annotate(name, value) }
            for warning in admission.warnings { request.open?.warn(warning) }
        }
        try await askValidating(object, request)
        return object
    }

    /// Gives back what was counted for a write that did not happen.
    func revoke(_ admission: Admission) async {
        for charge in admission.charges { await giveBack(charge) }
    }

    /// Does what follows from a write or a deletion before the writer is answered.
    func settle(_ resource: ResourceType) async {
        if resource == .clusterRoles { await aggregateClusterRoles() }
    }

    private func isEnabled(_ plugin: String) -> Bool { !disabledPlugins.contains(plugin) }
}
