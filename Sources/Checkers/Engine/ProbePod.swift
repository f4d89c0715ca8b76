import CourseModel
import KubeClient
import KubeModel

/// The short-lived pod that asks a question from inside the cluster.
///
/// It carries our label, belongs to nobody and is removed whatever happens.
enum ProbePod {
    static let label = "velocitylab.dev/probe"
    static let namePrefix = "velocitylab-probe-"
    /// Kubernetes ends the pod after this time even if the checker was killed before it could.
    static let secondsMax = 120

    /// What asks over HTTP, and says the status on its last line.
    static func command(_ http: HTTPExpectation, timeoutSeconds: Int) -> [String] {
        var command = ["curl", "-sS", "--max-time", String(timeoutSeconds), "-w", #"\n%{http_code}"#]
        if http.method != "GET" { command += ["-X", http.method] }
        if let body = http.sends { command += ["-H", "Content-Type: application/json", "-d", JSONValue(body).text] }
        return command + [http.url.description]
    }

    static func make(name: String, namespace: String, image: String, command: [String]) -> KubeObject {
        var pod = KubeObject(.pods, namespace: namespace, name: name)
        pod.labels = [label: "http", "app.kubernetes.io/managed-by": "velocitylab"]
        pod.value["spec"] = [
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
            "activeDeadlineSeconds": JSONValue(secondsMax),
            "containers": [
                [
                    "name": "probe", "image": .string(image), "imagePullPolicy": "IfNotPresent",
                    "command": .array(command.map(JSONValue.string)),
                ]
            ],
        ]
        return pod
    }

    /// Whether the pod has ended, or will never run.
    static func isDone(_ pod: KubeObject) -> Bool {
        ["Succeeded", "Failed"].contains(pod.value[["status", "phase"]]?.string) || reasonNotToRun(pod) != nil
    }

    /// Why the pod cannot run at all; nil when it runs or may still.
    static func reasonNotToRun(_ pod: KubeObject) -> String? {
        for status in pod.containerStatuses {
            guard let reason = status[["state", "waiting", "reason"]]?.string,
                [
                    "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError",
                    "RunContainerError",
                ]
                .contains(reason)
            else { continue }
            return "\(reason) for the image '\(pod.containers.first?["image"]?.string ?? "?")'"
        }
        if let condition = pod.condition("PodScheduled"), condition["reason"]?.string == "Unschedulable" {
            return "no node takes it: \(condition["message"]?.string ?? "")"
        }
        return nil
    }

    /// What the ended pod found out; `log` is its output.
    static func attempt(_ pod: KubeObject, log: String) -> HTTPAttempt {
        let terminated = pod.containerStatuses.first?[["state", "terminated"]]
        guard let code = terminated?["exitCode"]?.int else {
            return .impossible("the probe pod ended without an exit code")
        }
        var lines = log.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while lines.last?.isEmpty == true { lines.removeLast() }
        guard code == 0 else {
            let said = lines.last { $0.hasPrefix("curl:") } ?? meaning(of: code)
            // How many milliseconds it took differs from one attempt to the next, and tells nobody anything.
            let plain = said.replacing(/\ after \d+ ms/, with: "")
            return .failed(plain.hasPrefix("curl: ") ? String(plain.dropFirst(6)) : plain)
        }
        guard let last = lines.last, last.count == 3, let status = Int(last) else {
            return .answered(status: nil, body: lines.joined(separator: "\n"))
        }
        lines.removeLast()
        return .answered(status: status, body: lines.joined(separator: "\n"))
    }

    /// curl(1), "EXIT CODES".
    private static func meaning(of code: Int) -> String {
        switch code {
        case 6: "the name cannot be resolved"
        case 7: "the connection was refused"
        case 28: "nothing answered in time"
        case 52: "the answer was empty"
        case 56: "the connection broke"
        default: "curl ended with exit code \(code)"
        }
    }
}
