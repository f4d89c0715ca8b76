import KubeClient
import KubeModel
import ObjectStore

/// Whether a pod may be taken away on purpose (Kubernetes docs, "API-initiated Eviction").
enum Eviction: Equatable {
    /// Nothing speaks against it.
    case free
    /// A budget counts the pod, and must be asked and charged.
    case charged(budget: String)
    /// A budget counts the pod, but loses nothing, as long as the pod stays as it is.
    case unready(budget: String)
    /// More than one budget counts the pod, which the API does not support.
    case ambiguous

    init(of pod: KubeObject, budgets: [DisruptionBudget]) {
        let pod = Pod(pod)
        // A pod that has ended, has not started or is going already disturbs nobody.
        if pod.isTerminal || pod.phase == "Pending" || pod.object.isBeingDeleted {
            self = .free
            return
        }
        let counting = budgets.filter { $0.selects(pod.object.labels) }
        guard let budget = counting.first else {
            self = .free
            return
        }
        guard counting.count == 1 else {
            self = .ambiguous
            return
        }
        let name = budget.object.name
        let hasEnough = budget.currentHealthy >= budget.desiredHealthy && budget.desiredHealthy > 0
        self =
            !pod.isReady && (budget.alwaysAllowsUnhealthy || hasEnough)
            ? .unready(budget: name) : .charged(budget: name)
    }

    static let resource = ResourceType(group: "policy", version: "v1", kind: "Eviction", plural: "evictions")

    static let ambiguity: JSONValue = [
        "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure",
        "message": "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        "code": 500,
    ]

    /// Grants count until the controller has seen them; so many at once mean that it does not look.
    private static let grantsMax = 2000

    /// The budget with one pod less to give; throws the refusal.
    static func charge(_ budget: DisruptionBudget, for pod: String, now: Timestamp) throws(Status) -> DisruptionBudget {
        let name = budget.object.name
        guard budget.observedGeneration >= budget.object.generation else { throw unseen(name) }
        guard budget.disruptionsAllowed >= 0 else { throw forbidden(name, "pdb disruptions allowed is negative") }
        guard budget.disruptedPods.count <= grantsMax else {
            throw forbidden(
                name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller")
        }
        guard budget.disruptionsAllowed > 0 else {
            let condition = budget.conditions[DisruptionBudget.allowedCondition]
            let why =
                condition?.isTrue == false && condition?.reason == "SyncFailed"
                ? "does not allow evicting pods currently because it failed sync: \(condition?.message ?? "")"
                : "needs \(budget.desiredHealthy) healthy pods and has \(budget.currentHealthy) currently"
            throw .tooManyRequests(violation, cause: "The disruption budget \(name) \(why)", retryAfterSeconds: 0)
        }
        var charged = budget
        charged.object.value[["status", "disruptionsAllowed"]] = JSONValue(budget.disruptionsAllowed - 1)
        charged.object.value[["status", "disruptedPods", pod]] = .string(now.text)
        if charged.disruptionsAllowed == 0 { charged.updateCondition(now: now) }
        return charged
    }

    private static let violation = "Cannot evict pod as it would violate the pod's disruption budget."

    /// The budget changed, and its controller has not looked at it since.
    static func unseen(_ budget: String) -> Status {
        .tooManyRequests(
            violation, cause: "The disruption budget \(budget) is still being processed by the server.",
            retryAfterSeconds: 10)
    }

    private static func forbidden(_ name: String, _ why: String) -> Status {
        .forbidden(
            ResourceType(group: "policy", version: "v1", kind: "PodDisruptionBudget", plural: "poddisruptionbudget"),
            name, why)
    }
}

extension Status {
    fileprivate static func tooManyRequests(_ message: String, cause: String, retryAfterSeconds: Int) -> Status {
        var details: JSONValue = ["causes": [["reason": "DisruptionBudget", "message": .string(cause)]]]
        if retryAfterSeconds > 0 { details["retryAfterSeconds"] = JSONValue(retryAfterSeconds) }
        return Status(code: 429, reason: "TooManyRequests", message: message, details: details)
    }
}

// MARK: The sub-resource

extension Registry {
    /// Deletes a pod on behalf of somebody who empties a node (POST `eviction`), if its budget allows that.
    func evict(_ target: Target, _ body: JSONValue, _ settings: WriteSettings) async throws(Status) -> JSONValue {
        let eviction = try await admitBody(.create, body, Eviction.resource, of: target, "eviction", settings)
        guard eviction[["metadata", "name"]]?.string == target.name else {
            throw .badRequest("name in URL does not match name in Eviction object")
        }
        let isDryRun = settings.isDryRun || eviction[["deleteOptions", "dryRun"]]?.array?.isEmpty == false
        var options = DeleteOptions(eviction["deleteOptions"])
        let isConditional = options.resourceVersion != nil
        var attempt = 0
        var isCharged = false
        var deletion = WriteSettings()
        deletion.isDryRun = isDryRun
        while true {
            attempt += 1
            let pod = try await get(target).object
            if let uid = options.uid, uid != pod.uid {
                throw .conflict(
                    target.resource, target.name,
                    "the UID in the precondition (\(uid)) does not match the UID in record (\(pod.uid)). "
                        + "The object might have been deleted and then recreated")
            }
            var budget: String?
            switch Eviction(of: pod, budgets: try await budgets(in: target.namespace)) {
            case .ambiguous: return Eviction.ambiguity
            case .free: break
            case .unready(let name): budget = name
            case .charged where isCharged: break
            case .charged(let name):
                try await charge(name, for: target, isDryRun: isDryRun)
                isCharged = true
            }
            do throws(Status) {
                var current = pod
                if !isDryRun, !isConditional, !pod.isBeingDeleted { current = try await announce(pod, target) }
                if budget != nil, !isConditional { options.resourceVersion = current.resourceVersion }
                _ = try await delete(target, options, deletion)
                return SuccessStatus.created
            } catch {
                guard error.isConflict, !isConditional else { throw error }
                if let budget, attempt >= Self.attemptsMax { throw Eviction.unseen(budget) }
                guard attempt < Self.attemptsMax else { throw error }
            }
        }
    }

    private func budgets(in namespace: String?) async throws(Status) -> [DisruptionBudget] {
        let kind = try kind(of: .podDisruptionBudgets)
        return try await list(kind, namespace: namespace, ListQuery()).items.map { DisruptionBudget($0.object) }
    }

    private func charge(_ name: String, for pod: Target, isDryRun: Bool) async throws(Status) {
        let target = Target(kind: try kind(of: .podDisruptionBudgets), namespace: pod.namespace, name: name)
        var settings = WriteSettings()
        settings.isDryRun = isDryRun
        let moment = now()
        _ = try await change(target, subresource: "status", settings) { current throws(Status) in
            try Eviction.charge(DisruptionBudget(current), for: pod.name, now: moment).object
        }
    }

    /// Writes into the pod why it goes.
    private func announce(_ pod: KubeObject, _ target: Target) async throws(Status) -> KubeObject {
        let moment = now()
        return try await change(target, subresource: "status", WriteSettings()) { current throws(Status) in
            guard current.uid == pod.uid, current.resourceVersion == pod.resourceVersion else {
                throw .modified(target.resource, target.name)
            }
            var pod = current
            var conditions = Conditions(pod.value[["status", "conditions"]])
            conditions.set(
                StatusCondition(
                    "DisruptionTarget", true, reason: "EvictionByEvictionAPI", message: "Eviction API: evicting",
                    at: moment))
            pod.value[["status", "conditions"]] = conditions.value
            return pod
        }.object
    }
}
