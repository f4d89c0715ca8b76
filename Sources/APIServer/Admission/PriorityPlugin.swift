import KubeModel
import ObjectStore

/// The number behind a pod's priority class, and rules for the classes (`Pod Priority and Preemption`).
enum PriorityPlugin {
    private static let system = ["system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000]
    private static let highest = 1_000_000_000

    static func resolve(_ pod: inout KubeObject, _ request: AdmissionRequest, _ facts: AdmissionFacts) throws(Status) {
        var value = 0
        var policy = "PreemptLowerPriority"
        let name = pod.value[["spec", "priorityClassName"]]?.string ?? ""
        if !name.isEmpty {
            guard let found = facts.object(.priorityClasses, name) ?? systemClass(name) else {
                throw request.forbidden(pod, "no PriorityClass with name \(name) was found")
            }
            (value, policy) = read(found)
        } else if let standard = defaultClass(facts) {
            (value, policy) = read(standard)
            pod.value[["spec", "priorityClassName"]] = .string(standard.name)
        }
        if let own = pod.value[["spec", "priority"]]?.int, own != value {
            throw request.forbidden(
                pod,
                "the integer value of priority (\(own)) must not be provided in pod spec; priority admission "
                    + "controller computed \(value) from the given PriorityClass name")
        }
        if let own = pod.value[["spec", "preemptionPolicy"]]?.string, own != policy {
            throw request.forbidden(
                pod,
                "the string value of PreemptionPolicy (\(own)) must not be provided in pod spec; priority admission "
                    + "controller computed \(policy) from the given PriorityClass name")
        }
        pod.value[["spec", "priority"]] = JSONValue(value)
        pod.value[["spec", "preemptionPolicy"]] = .string(policy)
    }

    private static func systemClass(_ name: String) -> KubeObject? {
        guard let value = system[name] else { return nil }
        var object = KubeObject(.priorityClasses, name: name)
        object.value["value"] = JSONValue(value)
        return object
    }

    private static func read(_ object: KubeObject) -> (Int, String) {
        (object.value["value"]?.int ?? 0, object.value["preemptionPolicy"]?.string ?? "PreemptLowerPriority")
    }

    /// The class of pods that name none: of several, the one that is worth least.
    private static func defaultClass(_ facts: AdmissionFacts) -> KubeObject? {
        facts.objects(.priorityClasses).map(\.object).filter { $0.value["globalDefault"]?.bool == true }
            .min { $0.value["value"]?.int ?? 0 < $1.value["value"]?.int ?? 0 }
    }

    static func check(_ object: KubeObject, _ request: AdmissionRequest, _ facts: AdmissionFacts) throws(Status) {
        // The server's own two are the exception to both rules.
        if object.value["value"]?.int ?? 0 > highest, system[object.name] != object.value["value"]?.int {
            throw request.forbidden(object, "maximum allowed value of a user defined priority is \(highest)")
        }
        guard object.value["globalDefault"]?.bool == true, let present = defaultClass(facts),
            present.name != object.name
        else { return }
        throw request.forbidden(
            object, "PriorityClass \(present.name) is already marked as default. Only one default can exist")
    }
}
