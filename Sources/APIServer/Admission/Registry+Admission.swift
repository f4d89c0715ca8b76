import KubeModel
import ObjectStore

/// The admission chain: first plugins that may change an object, then those that only say yes or no.
///
/// `Admission Control in Kubernetes`, in the order of the API server's defaults.
extension Registry {
    /// Lets the plugins change an object that is complete and not yet validated.
    ///
    /// - Returns: Whether there may be members without their defaults now.
    func mutate(_ object: inout KubeObject, _ request: AdmissionRequest) async throws(Status) -> Bool {
        let facts = AdmissionFacts(store: store)
        switch request.resource {
        case .pods where request.isCreatingPod:
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
        default: break
        }
        if let caller = request.caller { try NodeRestriction.check(object, request, caller) }
        if isEnabled("PodSecurity") { try PodSecurity.check(object, request, facts, &admission) }
        if isEnabled("ValidatingAdmissionPolicy") { try checkPolicies(object, request, &admission) }
        if isEnabled("ResourceQuota"), object.namespace != nil {
            admission.charges = try await chargeQuotas(object, request)
        }
        return admission
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
