import KubeClient
import KubeModel
import LabTesting

/// Every change of pods and ReplicaSets since some moment, in the one order in which the store took them.
struct RolloutHistory {
    /// The state after one change.
    struct Moment: CustomStringConvertible {
        var sizes: [String: Int] = [:]
        var pods: [String: Pod] = [:]
        var change = ""

        /// How many pods the ReplicaSets together ask for.
        var plannedPods: Int { sizes.values.reduce(0, +) }
        /// Pods that serve.
        var readyPods: Int { pods.values.count { $0.isReady && $0.isActive } }
        /// A ReplicaSet that has just made more pods than it is to have.
        var overfilledSet: String?

        func activePods(of set: String) -> Int {
            pods.values.count { $0.isActive && $0.object.controllerOwner?.uid == set }
        }

        var description: String {
            "\(change): sizes \(sizes.values.sorted()), ready \(readyPods), of \(pods.count) pods"
        }
    }

    private let start: (sets: ObjectList, pods: ObjectList)
    private(set) var momentCount = 0

    /// Remembers the present moment.
    init(_ client: any ClusterClient) async throws {
        start = (try await client.list(.replicaSets, in: "default"), try await client.list(.pods, in: "default"))
    }

    /// Shows every moment from then to now.
    mutating func replay(_ client: any ClusterClient, _ check: (Moment) -> Void) async throws {
        var marker = KubeObject(.pods, namespace: "default", name: "marker")
        marker.value["spec"] = ["containers": [["name": "main", "image": "none:1"]]]
        marker = try await client.create(.pods, marker)
        var set = KubeObject(.replicaSets, namespace: "default", name: "marker")
        set.value["spec"] = [
            "replicas": 0, "selector": ["matchLabels": ["marker": "set"]],
            "template": ["metadata": ["labels": ["marker": "set"]], "spec": marker.value["spec"] ?? [:]],
        ]
        _ = try await client.create(.replicaSets, set)
        let changes =
            try await Self.events(client, .replicaSets, after: start.sets)
            + Self.events(client, .pods, after: start.pods)
        var moment = Moment()
        for object in start.sets.items { moment.sizes[object.uid] = ReplicaSet(object).replicas }
        for object in start.pods.items { moment.pods[object.uid] = Pod(object) }
        let order = { (event: WatchEvent) in event.object.flatMap { Int($0.resourceVersion) } ?? 0 }
        for event in changes.sorted(by: { order($0) < order($1) }) {
            Self.apply(event, to: &moment)
            momentCount += 1
            check(moment)
        }
    }

    private static func apply(_ event: WatchEvent, to moment: inout Moment) {
        guard let object = event.object else { return }
        var isGone = false
        if case .deleted = event { isGone = true }
        moment.overfilledSet = nil
        moment.change = "\(isGone ? "end of" : "change of") \(object.kind) \(object.name)"
        if object.kind == "ReplicaSet" {
            moment.sizes[object.uid] = isGone ? nil : ReplicaSet(object).replicas
            return
        }
        let isNew = moment.pods[object.uid] == nil
        moment.pods[object.uid] = isGone ? nil : Pod(object)
        if isNew, let owner = object.controllerOwner?.uid, moment.activePods(of: owner) > moment.sizes[owner] ?? 0 {
            moment.overfilledSet = owner
        }
    }

    private static func events(
        _ client: any ClusterClient, _ resource: ResourceType, after list: ObjectList
    ) async throws -> [WatchEvent] {
        let watch = try await client.watch(
            resource, namespace: "default", options: WatchOptions(resourceVersion: list.resourceVersion))
        var events: [WatchEvent] = []
        for try await event in watch {
            if event.object?.name == "marker" { break }
            if event.object != nil { events.append(event) }
        }
        return events
    }
}
