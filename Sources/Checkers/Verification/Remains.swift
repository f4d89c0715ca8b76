import KubeClient
import KubeModel

/// What a check must leave as it was.
struct Remains {
    private var objects: [String: Int] = [:]
    private var probes: [String] = []

    init(_ client: any ClusterClient) async {
        for resource in [ResourceType.namespaces, .deployments, .services, .configMaps, .secrets] {
            for object in (try? await client.list(resource))?.items ?? [] {
                objects[object.path(resource)] = object.value[["spec", "replicas"]]?.int ?? 0
            }
        }
        let options = ListOptions(labelSelector: ProbePod.label)
        let pods = (try? await client.list(.pods, namespace: nil, options: options))?.items ?? []
        probes = pods.filter { !$0.isBeingDeleted }.map(\.name)
    }

    func differences(from before: Remains) -> [String] {
        var problems = probes.map { "the checker left the pod '\($0)' behind" }
        for path in Set(objects.keys).union(before.objects.keys).sorted() where objects[path] != before.objects[path] {
            problems.append("the checker changed '\(path)' and did not set it back")
        }
        return problems
    }
}

/// A small seeded generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
