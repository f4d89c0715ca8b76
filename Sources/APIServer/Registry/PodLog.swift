import KubeClient
import KubeModel

/// Which log of a pod can be read, and what is said when it cannot.
enum PodLog {
    /// The container that is meant; 400 with the choice when that is not clear.
    static func container(_ wanted: String?, of pod: KubeObject) throws(Status) -> String {
        let names = namesIn("containers", pod)
        let initNames = namesIn("initContainers", pod)
        let ephemeralNames = namesIn("ephemeralContainers", pod)
        guard let wanted, !wanted.isEmpty else {
            if names.count == 1, initNames.isEmpty, ephemeralNames.isEmpty { return names[0] }
            if let chosen = pod.annotations["kubectl.kubernetes.io/default-container"], names.contains(chosen) {
                return chosen
            }
            if names.count == 1 { return names[0] }
            var message = "a container name must be specified for pod \(pod.name), choose one of: \(list(names))"
            if !initNames.isEmpty { message += " or one of the init containers: \(list(initNames))" }
            throw .badRequest(message)
        }
        guard (names + initNames + ephemeralNames).contains(wanted) else {
            throw .badRequest("container \(wanted) is not valid for pod \(pod.name)")
        }
        return wanted
    }

    /// Whether the container has run at all, by the pod's status.
    static func check(_ pod: KubeObject, _ options: LogOptions) throws(Status) {
        let name = options.container ?? ""
        let lists = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"]
        let statuses = lists.flatMap { pod.value[["status", $0]]?.array ?? [] }
        let place = "container \"\(name)\" in pod \"\(pod.name)\""
        guard let status = statuses.first(where: { $0["name"]?.string == name }) else {
            throw .badRequest("\(place) is waiting to start: ContainerCreating")
        }
        let last = status[["lastState", "terminated"]]
        if options.isPrevious {
            if last == nil { throw .badRequest("previous terminated \(place) not found") }
            return
        }
        let state = status["state"]
        if state?["running"] != nil || state?["terminated"] != nil || last != nil { return }
        switch state?[["waiting", "reason"]]?.string {
        case "ErrImagePull": throw .badRequest("\(place) is waiting to start: image can't be pulled")
        case "ImagePullBackOff":
            throw .badRequest("\(place) is waiting to start: trying and failing to pull image")
        case let reason: throw .badRequest("\(place) is waiting to start: \(reason ?? "ContainerCreating")")
        }
    }

    private static func namesIn(_ list: String, _ pod: KubeObject) -> [String] {
        (pod.value[["spec", list]]?.array ?? []).compactMap { $0["name"]?.string }
    }

    private static func list(_ names: [String]) -> String { "[\(names.joined(separator: " "))]" }
}
