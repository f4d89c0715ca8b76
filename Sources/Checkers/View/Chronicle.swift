import CourseModel
import KubeModel

/// Turns changes of objects into lines of evidence: what a person would say who watched the cluster.
enum Chronicle {
    static func lines(for change: ObjectChange, at moment: Moment) -> [Evidence] {
        guard let object = change.new ?? change.old, !object.isProbe else { return [] }
        let texts: [String]
        switch change.resource {
        case .pods: texts = pod(change)
        case .deployments, .replicaSets: texts = workload(change)
        case .endpointSlices: texts = endpoints(change)
        case .events: texts = event(change)
        case .services: texts = existence(change)
        default: texts = []
        }
        return texts.map {
            Evidence(at: moment, what: $0, object: object.path(change.resource), uid: object.uid)
        }
    }

    private static func existence(_ change: ObjectChange) -> [String] {
        switch (change.old, change.new) {
        case (nil, let new?): ["\(new.kind) \(new.name) was created"]
        case (let old?, nil): ["\(old.kind) \(old.name) is gone"]
        default: []
        }
    }

    private static func pod(_ change: ObjectChange) -> [String] {
        guard let new = change.new else { return ["Pod \(change.old?.name ?? "?") is gone"] }
        var lines: [String] = []
        if change.old == nil {
            let owner = new.controllerOwner.map { " by \($0.kind) \($0.name)" } ?? ""
            lines.append("Pod \(new.name) was created\(owner)")
        }
        if new.isBeingDeleted, change.old?.isBeingDeleted != true { lines.append("Pod \(new.name) is terminating") }
        let phase = new.value[["status", "phase"]]?.string
        if let phase, let old = change.old, phase != old.value[["status", "phase"]]?.string {
            lines.append("Pod \(new.name) is \(phase)")
        }
        let wasReady = change.old?.hasCondition("Ready") ?? false
        if new.hasCondition("Ready") != wasReady {
            lines.append("Pod \(new.name) is \(wasReady ? "no longer ready" : "ready")")
        }
        return lines
    }

    private static func workload(_ change: ObjectChange) -> [String] {
        guard let old = change.old, let new = change.new else { return existence(change) }
        var lines: [String] = []
        func compare(_ path: [String], _ name: String) {
            let before = old.value[path]?.int ?? 0
            let after = new.value[path]?.int ?? 0
            if before != after { lines.append("\(new.kind) \(new.name): \(name) \(before) -> \(after)") }
        }
        compare(["spec", "replicas"], "replicas wanted")
        if change.resource == .deployments { compare(["status", "readyReplicas"], "replicas ready") }
        return lines
    }

    private static func endpoints(_ change: ObjectChange) -> [String] {
        guard let service = (change.new ?? change.old)?.labels["kubernetes.io/service-name"] else { return [] }
        let before = change.old.map(ServiceFacts.readyAddresses)?.count ?? 0
        let after = change.new.map(ServiceFacts.readyAddresses)?.count ?? 0
        return before == after ? [] : ["Service \(service): ready endpoints \(before) -> \(after)"]
    }

    private static func event(_ change: ObjectChange) -> [String] {
        guard let event = change.new, let reason = event.value["reason"]?.string else { return [] }
        let target = event.value["involvedObject"]
        let name = [target?["kind"]?.string, target?["name"]?.string].compactMap { $0 }.joined(separator: " ")
        // The probes of the checker itself are nobody's evidence.
        if target?["name"]?.string?.hasPrefix(ProbePod.namePrefix) == true { return [] }
        return ["\(name): \(reason): \(event.value["message"]?.string ?? "")"]
    }
}
