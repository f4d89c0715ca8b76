import KubeModel

/// The ReplicaSets of a Deployment, told apart: the one of the present template, and the others.
struct DeploymentSets: Sendable {
    private(set) var new: ReplicaSet?
    /// Oldest first.
    private(set) var old: [ReplicaSet]

    init(_ deployment: Deployment, _ owned: [ReplicaSet]) {
        let template = deployment.template
        let origin = Timestamp(seconds: 0)
        let sorted = owned.sorted {
            ($0.object.creationTimestamp ?? origin, $0.name) < ($1.object.creationTimestamp ?? origin, $1.name)
        }
        // The oldest that fits, as Kubernetes does, so that a doubled one is not preferred.
        let index = sorted.firstIndex { $0.comparableTemplate == template }
        new = index.map { sorted[$0] }
        old = sorted.enumerated().filter { $0.offset != index }.map(\.element)
    }

    var all: [ReplicaSet] { old + [new].compactMap { $0 } }

    mutating func addNew(_ set: ReplicaSet) { new = set }

    /// Takes in a newer state of one of the sets.
    mutating func replace(_ set: ReplicaSet) {
        if new?.name == set.name {
            new = set
        } else if let index = old.firstIndex(where: { $0.name == set.name }) {
            old[index] = set
        }
    }

    /// The set has as many available pods as were asked for when it was last sized.
    func isSaturated(_ set: ReplicaSet, _ deployment: Deployment) -> Bool {
        let desired = set.object.annotations[ReplicaSet.desiredReplicasAnnotation].flatMap { Int($0) }
        return set.replicas == desired && set.availableReplicas == desired
    }

    /// Every pod is of the present template and available, and no other is left.
    func isComplete(_ deployment: Deployment) -> Bool {
        guard let new else { return false }
        let total = all.reduce(0) { $0 + $1.statusReplicas }
        return new.statusReplicas == deployment.replicas && total == deployment.replicas
            && new.availableReplicas == deployment.replicas
            && deployment.object.value[["status", "observedGeneration"]]?.int ?? 0 >= deployment.object.generation
    }
}

/// `status` of a Deployment, computed from its ReplicaSets.
struct DeploymentStatus: Sendable {
    private(set) var value: JSONValue
    /// When the progress deadline has to be looked at, if nothing happens before.
    private(set) var nextLook: Duration?

    init(deployment: Deployment, sets: DeploymentSets, created: String?, now: Timestamp) {
        let total = sets.all.reduce(0) { $0 + $1.statusReplicas }
        let updated = sets.new?.statusReplicas ?? 0
        let ready = sets.all.reduce(0) { $0 + $1.readyReplicas }
        let available = sets.all.reduce(0) { $0 + $1.availableReplicas }
        value = ["observedGeneration": JSONValue(deployment.object.generation)]
        let numbers = [
            ("replicas", total), ("updatedReplicas", updated), ("readyReplicas", ready),
            ("availableReplicas", available),
            ("unavailableReplicas", max(0, sets.all.reduce(0) { $0 + $1.replicas } - available)),
        ]
        for (name, number) in numbers where number > 0 { value[name] = JSONValue(number) }
        if let collisions = deployment.object.value[["status", "collisionCount"]] {
            value["collisionCount"] = collisions
        }

        var conditions = deployment.conditions
        let minimum = deployment.replicas - (deployment.isRecreate ? 0 : deployment.surgeAndUnavailable.unavailable)
        let isAvailable = available >= minimum
        conditions.set(
            StatusCondition(
                "Available", isAvailable,
                reason: isAvailable ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                message: isAvailable
                    ? "Deployment has minimum availability." : "Deployment does not have minimum availability.",
                at: now,
                updates: true))
        setProgress(&conditions, deployment, sets, created: created, now: now)
        setFailure(&conditions, sets)
        value["conditions"] = conditions.value
    }

    /// Passes on that a ReplicaSet cannot make its pods; that of the present template speaks first.
    private func setFailure(_ conditions: inout Conditions, _ sets: DeploymentSets) {
        let ranked = [sets.new].compactMap { $0 } + sets.old
        let failure = ranked.lazy.compactMap {
            Conditions($0.object.value[["status", "conditions"]])["ReplicaFailure"]
        }
        guard var condition = failure.first else { return conditions.remove("ReplicaFailure") }
        condition.value["lastUpdateTime"] = condition.value["lastTransitionTime"]
        conditions.set(condition)
    }

    private mutating func setProgress(
        _ conditions: inout Conditions, _ deployment: Deployment, _ sets: DeploymentSets, created: String?,
        now: Timestamp
    ) {
        guard let deadline = deployment.progressDeadlineSeconds else { return conditions.remove("Progressing") }
        let old = conditions["Progressing"]
        func set(_ isTrue: Bool, _ reason: String, _ message: String) {
            conditions.set(
                StatusCondition("Progressing", isTrue, reason: reason, message: message, at: now, updates: true))
        }
        if deployment.isPaused {
            if old?.reason != "DeploymentPaused" { set(false, "DeploymentPaused", "Deployment is paused") }
            // The real server says Unknown, which is neither true nor false.
            if var paused = conditions["Progressing"], paused.reason == "DeploymentPaused" {
                paused.value["status"] = "Unknown"
                conditions.remove("Progressing")
                conditions.set(paused)
            }
            return
        }
        guard let new = sets.new else { return }
        let name = "ReplicaSet \"\(new.name)\""
        let before = deployment.object.value["status"]
        func number(_ status: JSONValue?, _ field: String) -> Int { status?[field]?.int ?? 0 }
        let isComplete =
            number(value, "updatedReplicas") == deployment.replicas && number(value, "replicas") == deployment.replicas
            && number(value, "availableReplicas") == deployment.replicas
        if isComplete {
            return set(true, "NewReplicaSetAvailable", "\(name) has successfully progressed.")
        }
        // What was complete and lost a pod, or is scaled, is not progressing anew.
        if old?.reason == "NewReplicaSetAvailable", created == nil,
            number(value, "updatedReplicas") == number(value, "replicas")
        {
            return
        }
        if let created {
            set(true, "NewReplicaSetCreated", "Created new replica set \"\(created)\"")
        } else {
            let isProgressing =
                number(value, "updatedReplicas") > number(before, "updatedReplicas")
                || number(value, "readyReplicas") > number(before, "readyReplicas")
                || number(value, "availableReplicas") > number(before, "availableReplicas")
                || number(value, "replicas") - number(value, "updatedReplicas")
                    < number(before, "replicas") - number(before, "updatedReplicas")
            if isProgressing || old == nil || old?.reason == "DeploymentPaused" {
                var condition = StatusCondition(
                    "Progressing", true, reason: "ReplicaSetUpdated", message: "\(name) is progressing.", at: now,
                    updates: true)
                if let old, old.isTrue { condition.value["lastTransitionTime"] = old.value["lastTransitionTime"] }
                conditions.remove("Progressing")
                conditions.set(condition)
            }
        }
        // The deadline counts from the first progress of a rollout, not from the end of the one before.
        guard let present = conditions["Progressing"], present.isTrue, present.reason != "NewReplicaSetAvailable",
            let since = present.lastUpdateTime
        else { return }
        let left = .seconds(deadline) - (now - since)
        if left <= .zero {
            set(false, "ProgressDeadlineExceeded", "\(name) has timed out progressing.")
        } else {
            nextLook = left
        }
    }
}
