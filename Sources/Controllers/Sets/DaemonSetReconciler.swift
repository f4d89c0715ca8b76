import ControllerKit
import KubeClient
import KubeModel
import Synchronization

/// Runs one pod of a DaemonSet on every node that it is for.
struct DaemonSetReconciler: Reconciler {
    let client: any ClusterClient
    let events: EventRecorder
    let pace: Pace
    private let rest = FailureRest()

    init(client: any ClusterClient, events: EventRecorder, pace: Pace) {
        self.client = client
        self.events = events
        self.pace = pace
    }

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let object = try await client.find(.daemonSets, key), !object.isBeingDeleted else {
            rest.forget(key)
            return .settled
        }
        let set = DaemonSet(object)
        let control = PodControl(client: client, events: events)
        let pods = try await control.claim(
            try await client.list(.pods, in: key.namespace).items.map(Pod.init), for: object, set.selector)
        var history = RevisionHistory(client, of: object, ownHashLabel: StatefulSet.revisionLabel)
        try await history.load(matching: set.selector)
        var collisions = object.value[["status", "collisionCount"]]?.int ?? 0
        let revision = try await history.current(collisions: &collisions)
        let nodes = try await client.list(.nodes).items.filter { !$0.isBeingDeleted }
        let now = Timestamp.now
        let resting = rest.resting(key, now: now)
        let plan = DaemonSetPlan(
            set, nodes: nodes, pods: pods, hash: revision.revisionHash, resting: Set(resting.nodes), now: now)
        var failure: (any Error)?
        do { try await carryOut(plan, set, pods, hash: revision.revisionHash) } catch { failure = error }
        try await report(set, plan, collisions: collisions)
        if let failure { throw failure }
        let inUse = Set(pods.map(\.revision))
        let names = history.revisions.filter { inUse.contains($0.revisionHash) }.map(\.name) + [revision.name]
        try await history.trim(keeping: set.revisionHistoryLimit, inUse: Set(names))
        if let left = resting.left { return .again(after: left) }
        return plan.waitsForAvailability ? .again(after: .seconds(1)) : .settled
    }

    private func carryOut(_ plan: DaemonSetPlan, _ set: DaemonSet, _ pods: [Pod], hash: String) async throws {
        let control = PodControl(client: client, events: events)
        let nodes = Dictionary(pods.map { ($0.name, DaemonPod.node(of: $0)) }, uniquingKeysWith: { first, _ in first })
        for name in plan.failed {
            let node = nodes[name] ?? ""
            rest.note(set.key, node: node, pace: pace, now: .now)
            await events.record(
                set.object, .warning, reason: "FailedDaemonPod",
                message:
                    "Found failed daemon pod \(set.key.namespace ?? "")/\(name) on node \(node), will try to kill it")
        }
        for name in plan.succeeded {
            await events.record(
                set.object, .normal, reason: "SucceededDaemonPod",
                message: "Found succeeded daemon pod \(set.key.namespace ?? "")/\(name) on node \(nodes[name] ?? ""), "
                    + "will try to delete it")
        }
        try await control.delete(plan.deletions, of: set.object)
        try await control.createSlowly(
            plan.creations.map { DaemonPod.make(set, node: $0, hash: hash) }, for: set.object)
    }

    private func report(_ set: DaemonSet, _ plan: DaemonSetPlan, collisions: Int) async throws {
        let numbers = plan.status
        var status: JSONValue = [
            "currentNumberScheduled": JSONValue(numbers.current), "numberMisscheduled": JSONValue(numbers.misscheduled),
            "desiredNumberScheduled": JSONValue(numbers.desired), "numberReady": JSONValue(numbers.ready),
            "observedGeneration": JSONValue(set.object.generation),
        ]
        func count(_ name: String, _ number: Int) { if number > 0 { status[name] = JSONValue(number) } }
        count("updatedNumberScheduled", numbers.updated)
        count("numberAvailable", numbers.available)
        count("numberUnavailable", numbers.desired - numbers.available)
        count("collisionCount", collisions)
        if let conditions = set.object.value[["status", "conditions"]] { status["conditions"] = conditions }
        guard set.object.value["status"] != status else { return }
        var changed = set.object
        changed.value["status"] = status
        _ = try await client.updateStatus(.daemonSets, changed)
    }
}

/// Nodes whose pod of a set failed: the next one waits 1 s, then 2 s, 4 s …, at most 15 minutes.
private final class FailureRest: Sendable {
    private struct Entry {
        var count: Int
        var end: Timestamp
    }

    private static let longest: Duration = .seconds(900)

    private let entries = Mutex<[ObjectKey: [String: Entry]]>([:])

    func note(_ key: ObjectKey, node: String, pace: Pace, now: Timestamp) {
        entries.withLock { entries in
            var count = entries[key]?[node]?.count ?? 0
            // A pod that held out for long enough starts the row anew.
            if let end = entries[key]?[node]?.end, now - end > Self.longest * 2 { count = 0 }
            let pause = pace.prescribed(min(.seconds(1 << min(count, 10)), Self.longest))
            entries[key, default: [:]][node] = Entry(count: count + 1, end: now + pause)
        }
    }

    /// The nodes that wait, and how long until the first does not any more.
    func resting(_ key: ObjectKey, now: Timestamp) -> (nodes: [String], left: Duration?) {
        entries.withLock { entries in
            let waiting = (entries[key] ?? [:]).filter { $0.value.end > now }
            return (Array(waiting.keys), waiting.values.map { $0.end - now }.min())
        }
    }

    func forget(_ key: ObjectKey) { entries.withLock { $0[key] = nil } }
}
