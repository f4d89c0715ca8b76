import ContainerRuntime
import ControllerKit
import KubeModel

/// What is known of one container of a pod: the facts behind its entry in `containerStatuses`.
struct ContainerState: Sendable, Hashable {
    enum Phase: Sendable, Hashable {
        case waiting(reason: String, message: String)
        case running(since: Timestamp)
        case terminated(Termination)
    }

    struct Termination: Sendable, Hashable {
        var exit: ContainerExit
        var started: Timestamp
        var finished: Timestamp
        var containerID: String
        var message = ""

        var value: JSONValue {
            var value: JSONValue = ["exitCode": JSONValue(exit.code), "reason": .string(exit.reason)]
            if !message.isEmpty { value["message"] = .string(message) }
            value["startedAt"] = .string(started.text)
            value["finishedAt"] = .string(finished.text)
            value["containerID"] = .string(containerID)
            return value
        }
    }

    var name: String
    var image: String
    /// How its volumes are mounted, as the status shows it.
    private let volumeMounts: [JSONValue]
    var phase: Phase = .waiting(reason: "ContainerCreating", message: "")
    var lastTermination: Termination?
    /// As the status shows it: the number of the newest run.
    var restartCount = 0
    /// The number of the run that is on or comes next, 0 for the first.
    var attempt = 0
    var imageID = ""
    var containerID = ""
    /// The startup probe has succeeded, or there is none and the container runs.
    var isStarted = false
    var isReady = false

    var isRunning: Bool { if case .running = phase { true } else { false } }

    var termination: Termination? { if case .terminated(let termination) = phase { termination } else { nil } }

    /// No run is on; the end of the last one stays to be seen.
    mutating func wait(_ reason: String, _ message: String = "") {
        if let termination { lastTermination = termination }
        phase = .waiting(reason: reason, message: message)
    }

    /// A run has begun.
    mutating func begin(at time: Timestamp) {
        if let termination { lastTermination = termination }
        restartCount = attempt
        phase = .running(since: time)
    }

    /// The run has ended, or could not begin; the next one counts as a restart.
    mutating func end(_ termination: Termination) {
        restartCount = attempt
        attempt += 1
        phase = .terminated(termination)
        isReady = false
        isStarted = false
    }

    /// The entry in `containerStatuses`.
    var value: JSONValue {
        var state: JSONValue = [:]
        switch phase {
        case .waiting(let reason, let message):
            state["waiting"] = ["reason": .string(reason)]
            if !message.isEmpty { state[["waiting", "message"]] = .string(message) }
        case .running(let since): state["running"] = ["startedAt": .string(since.text)]
        case .terminated(let termination): state["terminated"] = termination.value
        }
        var value: JSONValue = ["name": .string(name), "state": state, "lastState": [:]]
        if let lastTermination { value["lastState"] = ["terminated": lastTermination.value] }
        value["ready"] = .bool(isReady)
        value["restartCount"] = JSONValue(restartCount)
        value["image"] = .string(image)
        value["imageID"] = .string(imageID)
        if !containerID.isEmpty { value["containerID"] = .string(containerID) }
        value["started"] = .bool(isStarted)
        if !volumeMounts.isEmpty { value["volumeMounts"] = .array(volumeMounts) }
        return value
    }

    /// The entry of an ephemeral container: nothing probes it, and nobody waits for it.
    var valueWithoutReadiness: JSONValue {
        var value = value
        value["ready"] = false
        value["started"] = nil
        return value
    }

    init(_ container: Container, recordedIn pod: Pod, _ list: String) {
        let recorded = pod.object.value[["status", list]]?.array?.first { $0["name"]?.string == container.name }
        self.init(container, recorded: recorded)
    }

    /// Takes up what an earlier kubelet wrote, so that a restart of the cluster keeps counting.
    init(_ container: Container, recorded: JSONValue?) {
        name = container.name
        image = container.image
        volumeMounts = (container.value["volumeMounts"]?.array ?? []).map(Self.mountStatus)
        guard let recorded else { return }
        restartCount = recorded["restartCount"]?.int ?? 0
        lastTermination = recorded[["lastState", "terminated"]].map(Termination.init)
        if let termination = recorded[["state", "terminated"]] {
            phase = .terminated(Termination(termination))
            isReady = recorded["ready"]?.bool ?? false
            containerID = recorded["containerID"]?.string ?? ""
        } else if let running = recorded[["state", "running"]] {
            // Its process went with the cluster's: nobody saw it end.
            var lost = Termination(running)
            lost.containerID = recorded["containerID"]?.string ?? ""
            lost.finished = .now
            lastTermination = lost
        }
        let hasRun = termination != nil || lastTermination != nil
        attempt = hasRun ? restartCount + 1 : restartCount
    }
}

extension ContainerState {
    /// What the status says of a mount: whether those inside a volume that is read-only are so too.
    private static func mountStatus(_ mount: JSONValue) -> JSONValue {
        var status: JSONValue = ["name": mount["name"] ?? "", "mountPath": mount["mountPath"] ?? ""]
        guard mount["readOnly"] == true else { return status }
        status["readOnly"] = true
        status["recursiveReadOnly"] = mount["recursiveReadOnly"] == "Enabled" ? "Enabled" : "Disabled"
        return status
    }
}

extension ContainerState.Termination {
    /// Reads a recorded termination; a running container counts as one that was lost.
    init(_ value: JSONValue) {
        func time(_ name: String) -> Timestamp? { value[name]?.string.flatMap(Timestamp.init(parsing:)) }
        exit = ContainerExit(code: value["exitCode"]?.int ?? 137, reason: value["reason"]?.string ?? "Unknown")
        started = time("startedAt") ?? Timestamp(seconds: 0)
        finished = time("finishedAt") ?? started
        containerID = value["containerID"]?.string ?? ""
        message = value["message"]?.string ?? ""
    }

    /// The end of a run that could not begin, as container runtimes report it.
    static func startFailure(_ message: String, at now: Timestamp) -> Self {
        Self(
            exit: ContainerExit(code: 128, reason: "StartError"), started: Timestamp(seconds: 0), finished: now,
            containerID: "", message: message)
    }
}
