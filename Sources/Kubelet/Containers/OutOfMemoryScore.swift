import KubeModel

/// Which containers the kernel ends first when the machine's memory is full: those that have asked for least.
///
/// Source: Kubernetes docs, "Node-pressure Eviction", "Node out of memory behavior". There, Guaranteed pods go after everything
/// else on their node; here, everything else is a person's own machine, and goes after all pods.
enum OutOfMemoryScore {
    private static let last = 3

    static func of(_ container: Container, _ pod: Pod, _ capacity: [String: Quantity]) -> Int {
        switch pod.qosClass {
        case "Guaranteed": return last
        case "BestEffort": return 1000
        default:
            guard let all = capacity["memory"], !all.isZero, let asked = container.requests["memory"] else {
                return 999
            }
            return min(max(1000 - Int(1000 * asked.value / all.value), last), 999)
        }
    }
}
