import Foundation
import KubeModel

/// A container of a pod as `docker ps` shows it.
struct PodContainer {
    var id: String
    var image: String
    var command: String
    var created: String
    var status: String
    var name: String
    var isRunning: Bool

    static func all(of pod: KubeObject) -> [PodContainer] {
        let names = ["containerStatuses", "initContainerStatuses"]
        return names.flatMap { pod.value[["status", $0]]?.array ?? [] }.compactMap { container(pod, $0) }
    }

    private static func container(_ pod: KubeObject, _ status: JSONValue) -> PodContainer? {
        guard let name = status["name"]?.string, let whole = status["containerID"]?.string, !whole.isEmpty else {
            return nil
        }
        let specs =
            (pod.value[["spec", "containers"]]?.array ?? []) + (pod.value[["spec", "initContainers"]]?.array ?? [])
        let spec = specs.first { $0["name"]?.string == name }
        let words = (spec?["command"]?.array ?? []) + (spec?["args"]?.array ?? [])
        let command = words.compactMap(\.string).joined(separator: " ")
        let started = status[["state", "running", "startedAt"]]?.string
        let ended = status[["state", "terminated"]]
        let since = started ?? ended?["startedAt"]?.string
        let age = since.flatMap(Age.text)
        let text: String
        if started != nil {
            text = "Up \(age.map { $0.replacingOccurrences(of: " ago", with: "") } ?? "")"
        } else {
            text = "Exited (\(ended?["exitCode"]?.int ?? 0)) \(ended?["finishedAt"]?.string.flatMap(Age.text) ?? "")"
        }
        // Made from what names the container, as twelve digits are expected.
        let digits = whole.utf8.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        let id = String(String(digits, radix: 16).suffix(12))
        return PodContainer(
            id: String(repeating: "0", count: 12 - id.count) + id, image: spec?["image"]?.string ?? "",
            // Quoted, so that a script of many lines is on one.
            command: String(
                decoding: JSONValue.string(command.count > 20 ? command.prefix(19) + "…" : command).encoded,
                as: UTF8.self),
            created: age ?? "",
            status: text,
            name: "k8s_\(name)_\(pod.name)_\(pod.namespace ?? "")_\(pod.uid)_\(status["restartCount"]?.int ?? 0)",
            isRunning: started != nil)
    }
}

/// Spans of time as docker says them: `3 minutes ago`.
enum Age {
    static func text(_ moment: String) -> String? {
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withInternetDateTime]
        let whole = moment.contains(".") ? moment.prefix { $0 != "." } + "Z" : moment[...]
        guard let date = format.date(from: String(whole)) else { return nil }
        let seconds = max(0, Int(-date.timeIntervalSinceNow))
        for (length, unit) in [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")] where seconds >= length {
            let count = seconds / length
            return "\(count) \(unit)\(count == 1 ? "" : "s") ago"
        }
        return "Less than a second ago"
    }
}
