import CourseModel
import KubeModel

/// Finds out why pods are not ready, from their status and the events about them.
enum PodTrouble {
    /// The weightiest trouble of the pods, nil when none is known.
    static func find(_ pods: [KubeObject], in view: ClusterView) -> Finding? {
        let waiting = pods.filter { !$0.hasCondition("Ready") }
        for pod in waiting {
            if let finding = image(pod) ?? crash(pod) ?? configuration(pod) ?? scheduling(pod) { return finding }
        }
        return probe(waiting, in: view)
    }

    private static func waiting(_ pod: KubeObject) -> [(
        container: String, image: String, reason: String, message: String
    )] {
        pod.containerStatuses.compactMap { status in
            guard let waiting = status[["state", "waiting"]], let reason = waiting["reason"]?.string else { return nil }
            return (
                status["name"]?.string ?? "?", status["image"]?.string ?? "?", reason, waiting["message"]?.string ?? ""
            )
        }
    }

    private static func image(_ pod: KubeObject) -> Finding? {
        let reasons = [
            "ImagePullBackOff": true, "ErrImagePull": false, "InvalidImageName": true, "ErrImageNeverPull": true,
        ]
        for status in waiting(pod) {
            guard let isFinal = reasons[status.reason] else { continue }
            let image = pod.container(status.container)?["image"]?.string ?? status.image
            return Finding(
                .imagePull,
                "Pod '\(pod.name)' cannot get the image '\(image)' (\(status.reason)). See 'kubectl describe pod \(pod.name)'.",
                isFinal: isFinal)
        }
        return nil
    }

    private static func crash(_ pod: KubeObject) -> Finding? {
        for status in pod.containerStatuses {
            let name = status["name"]?.string ?? "?"
            let last = status[["lastState", "terminated"]] ?? status[["state", "terminated"]]
            guard status[["state", "waiting", "reason"]]?.string == "CrashLoopBackOff" else { continue }
            let code = last?["exitCode"]?.int.map { " with exit code \($0)" } ?? ""
            let reason = last?["reason"]?.string.map { " (\($0))" } ?? ""
            return Finding(
                .crashLoop,
                "Container '\(name)' of pod '\(pod.name)' ends\(code)\(reason) and is started again and again. "
                    + "See 'kubectl logs \(pod.name) --previous'.",
                isFinal: true)
        }
        return nil
    }

    private static func configuration(_ pod: KubeObject) -> Finding? {
        for status in waiting(pod) where status.reason == "CreateContainerConfigError" {
            return Finding(
                .refused, "Container '\(status.container)' of pod '\(pod.name)' cannot be made: \(status.message).",
                isFinal: true)
        }
        return nil
    }

    private static func scheduling(_ pod: KubeObject) -> Finding? {
        guard let condition = pod.condition("PodScheduled"), condition["status"]?.string == "False",
            condition["reason"]?.string == "Unschedulable"
        else { return nil }
        return Finding(
            .unschedulable,
            "No node takes pod '\(pod.name)': \(condition["message"]?.string ?? "no reason is given").")
    }

    /// Probes that fail: with an answer like 404 waiting does not help; a refused connection may be a slow start.
    private static func probe(_ pods: [KubeObject], in view: ClusterView) -> Finding? {
        var findings: [(pod: KubeObject, message: String, isAnswer: Bool)] = []
        for pod in pods {
            let events = view.list(.events).filter {
                $0.value["reason"]?.string == "Unhealthy" && $0.value[["involvedObject", "uid"]]?.string == pod.uid
            }
            guard let message = events.compactMap({ $0.value["message"]?.string }).max(by: { rank($0) < rank($1) })
            else { continue }
            findings.append((pod, message, message.contains("statuscode: 4")))
        }
        guard let first = findings.first else { return nil }
        let isFinal = findings.count == pods.count && findings.allSatisfy(\.isAnswer)
        return Finding(
            .probe,
            "\(first.message) (pod '\(first.pod.name)'\(target(of: first.message, first.pod))). "
                + "See the events in 'kubectl describe pod \(first.pod.name)'.",
            isFinal: isFinal)
    }

    /// Readiness decides over "ready", so its failure is the one to name.
    private static func rank(_ message: String) -> Int {
        (message.hasPrefix("Readiness") ? 2 : 0) + (message.contains("statuscode") ? 1 : 0)
    }

    /// What the probe asks for: `, which is asked for /ready on port 3000`.
    private static func target(of message: String, _ pod: KubeObject) -> String {
        let kind = message.prefix { $0 != " " }.lowercased() + "Probe"
        for container in pod.containers {
            guard let get = container[kind]?["httpGet"] else { continue }
            return
                ", which is asked for \(get["path"]?.string ?? "/") on port \(get["port"].map(ValueMatcher.text) ?? "?")"
        }
        return ""
    }
}
