/// The columns of `kubectl get pods`.
enum PodColumns {
    static let all: [PrinterColumn] = [
        .name,
        summed("Ready", "Ready containers of all containers."),
        summed("Status", "What the pod is doing, in one word."),
        summed("Restarts", "How often containers were restarted, and when last."),
        .age,
        .value("IP", ["status", "podIP"], priority: 1, "Address of the pod."),
        .value("Node", ["spec", "nodeName"], priority: 1, "The node on which the pod runs."),
        .value(
            "Nominated Node", ["status", "nominatedNodeName"], priority: 1, "The node on which room is being made."),
        .wide("Readiness Gates", "Further conditions that hold of all that must.") { pod, _ in
            let gates = pod.value[["spec", "readinessGates"]]?.array ?? []
            if gates.isEmpty { return "<none>" }
            let conditions = pod.value[["status", "conditions"]]?.array ?? []
            let open = gates.count { gate in
                conditions.contains { $0["type"] == gate["conditionType"] && $0["status"] == "True" }
            }
            return .string("\(open)/\(gates.count)")
        },
    ]

    private static func summed(_ name: String, _ description: String) -> PrinterColumn {
        .computed(name, description) { pod, now in PodSummary(pod).cell(name, now) ?? .null }
    }

    /// All cells of a pod, which is summed up once.
    static func cells(_ pod: KubeObject, now: Timestamp) -> [JSONValue] {
        let summary = PodSummary(pod)
        return all.map { summary.cell($0.name, now) ?? $0.cell(pod, now) }
    }
}

/// What a line of `kubectl get pods` says about a pod.
struct PodSummary {
    private(set) var reason: String
    private(set) var readyCount = 0
    private(set) var containerCount: Int
    private(set) var restarts = 0
    private(set) var lastRestart: Timestamp?

    init(_ pod: KubeObject) {
        let spec = pod.value["spec"]
        let status = pod.value["status"]
        let phase = status?["phase"]?.string ?? "Unknown"
        let statusReason = status?["reason"]?.string ?? ""
        reason = statusReason.isEmpty ? phase : statusReason
        containerCount = spec?["containers"]?.array?.count ?? 0
        let conditions = status?["conditions"]?.array ?? []
        if conditions.contains(where: { $0["type"] == "PodScheduled" && $0["reason"] == "SchedulingGated" }) {
            reason = "SchedulingGated"
        }
        let initContainers = spec?["initContainers"]?.array ?? []
        let sidecars = Set(
            initContainers.filter { $0["restartPolicy"] == "Always" }.compactMap { $0["name"]?.string })
        containerCount += sidecars.count
        var isInitializing = false
        var sidecarRestarts = 0
        var lastSidecarRestart: Timestamp?
        for (index, container) in (status?["initContainerStatuses"]?.array ?? []).enumerated() {
            let isSidecar = sidecars.contains(container["name"]?.string ?? "")
            count(container)
            if isSidecar {
                sidecarRestarts += container["restartCount"]?.int ?? 0
                lastSidecarRestart = Self.later(lastSidecarRestart, Self.lastEnd(container))
            }
            let end = container[["state", "terminated"]]
            if end != nil, end?["exitCode"]?.int ?? 0 == 0 { continue }
            if isSidecar, container["started"] == true {
                if container["ready"] == true { readyCount += 1 }
                continue
            }
            isInitializing = true
            reason = Self.initReason(container, index: index, count: initContainers.count)
            break
        }
        let isInitialized = conditions.contains { $0["type"] == "Initialized" && $0["status"] == "True" }
        if !isInitializing || isInitialized {
            restarts = sidecarRestarts
            lastRestart = lastSidecarRestart
            readContainers(status?["containerStatuses"]?.array ?? [], conditions)
        }
        guard pod.isBeingDeleted else { return }
        if statusReason == "NodeLost" {
            reason = "Unknown"
        } else if phase != "Succeeded", phase != "Failed" {
            reason = "Terminating"
        }
    }

    /// The cell of one of the columns that sum the pod up.
    func cell(_ column: String, _ now: Timestamp) -> JSONValue? {
        switch column {
        case "Ready": return .string("\(readyCount)/\(containerCount)")
        case "Status": return .string(reason)
        case "Restarts":
            guard restarts > 0, let lastRestart else { return .string("\(restarts)") }
            return .string("\(restarts) (\(HumanDuration.since(lastRestart, now: now)) ago)")
        default: return nil
        }
    }

    private static func initReason(_ container: JSONValue, index: Int, count: Int) -> String {
        if let end = container[["state", "terminated"]] { return "Init:\(endReason(end))" }
        if let waiting = container[["state", "waiting", "reason"]]?.string, !waiting.isEmpty,
            waiting != "PodInitializing"
        {
            return "Init:\(waiting)"
        }
        return "Init:\(index)/\(count)"
    }

    private static func endReason(_ end: JSONValue) -> String {
        if let reason = end["reason"]?.string, !reason.isEmpty { return reason }
        if let signal = end["signal"]?.int, signal != 0 { return "Signal:\(signal)" }
        return "ExitCode:\(end["exitCode"]?.int ?? 0)"
    }

    private mutating func readContainers(_ containers: [JSONValue], _ conditions: [JSONValue]) {
        var hasRunning = false
        for container in containers.reversed() {
            count(container)
            if let waiting = container[["state", "waiting", "reason"]]?.string, !waiting.isEmpty {
                reason = waiting
            } else if let end = container[["state", "terminated"]] {
                reason = Self.endReason(end)
            } else if container["ready"] == true, container[["state", "running"]] != nil {
                hasRunning = true
                readyCount += 1
            }
        }
        if reason == "Completed", hasRunning {
            let isReady = conditions.contains { $0["type"] == "Ready" && $0["status"] == "True" }
            reason = isReady ? "Running" : "NotReady"
        }
    }

    private mutating func count(_ container: JSONValue) {
        restarts += container["restartCount"]?.int ?? 0
        lastRestart = Self.later(lastRestart, Self.lastEnd(container))
    }

    private static func lastEnd(_ container: JSONValue) -> Timestamp? {
        container[["lastState", "terminated", "finishedAt"]]?.string.flatMap(Timestamp.init(parsing:))
    }

    private static func later(_ left: Timestamp?, _ right: Timestamp?) -> Timestamp? {
        guard let left, let right else { return left ?? right }
        return max(left, right)
    }
}
