import ContainerRuntime
import KubeModel

/// `status` of a pod, computed from the facts about it.
///
/// Source: Kubernetes docs, "Pod Lifecycle".
struct PodStatus: Sendable {
    /// The facts besides the containers.
    struct Facts: Sendable, Hashable {
        var address: String?
        var hostAddress: String
        var started: Timestamp
        var hasSandbox: Bool
        /// Its containers have ended, and will not start again whatever the restart policy.
        var hasStopped: Bool
        /// Why the node has ended the pod; shown when nothing of it runs any more.
        var failure: Failure?
    }

    struct Failure: Sendable, Hashable {
        var reason: String
        var message: String
    }

    let phase: String
    let value: JSONValue

    init(
        pod: Pod, initStates: [ContainerState], states: [ContainerState], ephemeralStates: [ContainerState] = [],
        facts: Facts, now: Timestamp
    ) {
        let isRunning = (initStates + states + ephemeralStates).contains { $0.isRunning }
        let failure = isRunning ? nil : facts.failure
        let present = failure == nil ? Self.phase(pod, initStates, states) : "Failed"
        phase = facts.hasStopped ? Self.lastPhase(present, states) : present
        var status: JSONValue = ["phase": .string(phase)]
        if let failure {
            status["reason"] = .string(failure.reason)
            status["message"] = .string(failure.message)
        }
        let conditions = Self.conditions(pod, initStates, states, facts, phase: phase, now: now)
        status["conditions"] = conditions.value
        status["hostIP"] = .string(facts.hostAddress)
        status["hostIPs"] = [["ip": .string(facts.hostAddress)]]
        if let address = facts.address {
            status["podIP"] = .string(address)
            status["podIPs"] = [["ip": .string(address)]]
        }
        status["startTime"] = .string(facts.started.text)
        if !initStates.isEmpty { status["initContainerStatuses"] = .array(initStates.map(\.value)) }
        status["containerStatuses"] = .array(states.map(\.value))
        if !ephemeralStates.isEmpty {
            status["ephemeralContainerStatuses"] = .array(ephemeralStates.map(\.valueWithoutReadiness))
        }
        status["qosClass"] = .string(pod.qosClass)
        value = status
    }

    private static func phase(_ pod: Pod, _ initStates: [ContainerState], _ states: [ContainerState]) -> String {
        let failedInit = zip(pod.initContainers, initStates).contains {
            !$0.isSidecar && ($1.termination?.exit.code ?? 0) != 0
        }
        if failedInit, pod.restartPolicy == "Never" { return "Failed" }
        let initial = zip(pod.initContainers, initStates)
        guard initial.allSatisfy(isOver) else { return "Pending" }
        let ended = states.compactMap(\.termination)
        let hasSidecar = initial.contains { $0.isSidecar && $1.isRunning }
        if ended.count == states.count, !states.isEmpty, !hasSidecar, pod.restartPolicy != "Always" {
            if ended.allSatisfy({ $0.exit.code == 0 }) { return "Succeeded" }
            if pod.restartPolicy == "Never" { return "Failed" }
        }
        // A container that waits for its first start keeps the pod pending; one between two starts does not.
        let hasBegun = states.allSatisfy { $0.isRunning || $0.termination != nil || $0.lastTermination != nil }
        return hasBegun ? "Running" : "Pending"
    }

    /// The phase of a pod of which nothing runs any more nor ever will.
    private static func lastPhase(_ present: String, _ states: [ContainerState]) -> String {
        if present == "Succeeded" || present == "Failed" { return present }
        return states.allSatisfy { $0.termination?.exit.code == 0 } ? "Succeeded" : "Failed"
    }

    /// An init container lets the next one start: it has succeeded, or it is a sidecar that has been up.
    private static func isOver(_ container: Container, _ state: ContainerState) -> Bool {
        guard container.isSidecar else { return state.termination?.exit.code == 0 }
        return state.isStarted || state.termination != nil || state.lastTermination != nil
    }

    private static func conditions(
        _ pod: Pod, _ initStates: [ContainerState], _ states: [ContainerState], _ facts: Facts, phase: String,
        now: Timestamp
    ) -> Conditions {
        var conditions = pod.conditions
        func set(_ type: String, _ isTrue: Bool, _ reason: String = "", _ message: String = "") {
            conditions.set(StatusCondition(type, isTrue, reason: reason, message: message, at: now))
        }
        set("PodReadyToStartContainers", facts.hasSandbox)
        let initial = zip(pod.initContainers, initStates)
        let uninitialized = initial.filter { !isOver($0, $1) }.map(\.1.name)
        if uninitialized.isEmpty {
            if phase == "Succeeded" { set("Initialized", true, "PodCompleted") } else { set("Initialized", true) }
        } else {
            set(
                "Initialized", false, "ContainersNotInitialized",
                "containers with incomplete status: [\(uninitialized.joined(separator: " "))]")
        }
        let served = initial.filter { $0.0.isSidecar }.map(\.1) + states
        let unready = served.filter { !$0.isReady }.map(\.name)
        if phase == "Succeeded" {
            set("Ready", false, "PodCompleted")
            set("ContainersReady", false, "PodCompleted")
        } else if phase == "Failed" {
            set("Ready", false, "PodFailed")
            set("ContainersReady", false, "PodFailed")
        } else if unready.isEmpty {
            let closed = closedGates(pod)
            if closed.isEmpty {
                set("Ready", true)
            } else {
                set("Ready", false, "ReadinessGatesNotReady", closed.joined(separator: ", "))
            }
            set("ContainersReady", true)
        } else {
            let message = "containers with unready status: [\(unready.joined(separator: " "))]"
            set("Ready", false, "ContainersNotReady", message)
            set("ContainersReady", false, "ContainersNotReady", message)
        }
        if let failure = facts.failure, failure.reason == "Evicted" {
            set("DisruptionTarget", true, "TerminationByKubelet", failure.message)
        }
        set("PodScheduled", true)
        conditions.arrange(["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"])
        return conditions
    }

    /// What keeps a pod unready whose containers are ready: conditions that somebody else sets (Kubernetes docs, "Pod readiness").
    private static func closedGates(_ pod: Pod) -> [String] {
        pod.readinessGates.compactMap { type in
            guard let condition = pod.conditions[type] else {
                return "corresponding condition of pod readiness gate \"\(type)\" does not exist."
            }
            if condition.isTrue { return nil }
            return "the status of pod readiness gate \"\(type)\" is not \"True\", but \(condition.status)"
        }
    }
}
