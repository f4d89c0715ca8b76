import KubeModel
import ScreenKit

/// How well an object is, by a sign and a colour.
enum ObjectHealth: Sendable, Hashable {
    case good, waiting, bad, leaving
    /// Kinds of which there is nothing to say.
    case plain

    init(_ object: KubeObject, _ resource: ResourceType) {
        if object.isBeingDeleted {
            self = .leaving
            return
        }
        switch resource {
        case .pods: self = Self.pod(Pod(object))
        case .nodes:
            let isReady = Conditions(object.value[["status", "conditions"]])["Ready"]?.isTrue ?? false
            self = isReady ? .good : .bad
        case .deployments, .replicaSets, .statefulSets, .replicationControllers:
            let wished = object.value[["spec", "replicas"]]?.int ?? 1
            let ready = object.value[["status", "readyReplicas"]]?.int ?? 0
            self = wished == 0 ? .plain : ready >= wished ? .good : .waiting
        case .daemonSets:
            let wished = object.value[["status", "desiredNumberScheduled"]]?.int ?? 0
            self = (object.value[["status", "numberReady"]]?.int ?? 0) >= wished ? .good : .waiting
        case .persistentVolumeClaims:
            self = object.value[["status", "phase"]]?.string == "Bound" ? .good : .waiting
        case .events: self = object.value["type"]?.string == "Warning" ? .waiting : .plain
        default: self = .plain
        }
    }

    private static func pod(_ pod: Pod) -> ObjectHealth {
        if pod.phase == "Succeeded" { return .plain }
        if pod.phase == "Failed" { return .bad }
        if pod.isReady { return .good }
        let statuses = pod.object.value[["status", "containerStatuses"]]?.array ?? []
        let isStuck = statuses.contains { status in
            guard let reason = status[["state", "waiting", "reason"]]?.string else { return false }
            return reason != "ContainerCreating" && reason != "PodInitializing"
        }
        return isStuck ? .bad : .waiting
    }

    var sign: String {
        switch self {
        case .good: "✓"
        case .waiting: "·"
        case .bad: "✗"
        case .leaving: "-"
        case .plain: " "
        }
    }

    var style: Style {
        switch self {
        case .good: .good
        case .waiting: .warning
        case .bad: .bad
        case .leaving: .dim
        case .plain: .plain
        }
    }
}
