import KubeClient
import KubeModel

/// Which log of a pod can be read, and what is said when it cannot.
enum PodLog {
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
}
