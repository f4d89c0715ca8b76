import KubeModel

/// On which nodes a DaemonSet makes and removes pods, and what it can report.
struct DaemonSetPlan: Equatable, Sendable {
    /// Names of nodes that get a pod.
    var creations: [String] = []
    /// Names of pods.
    var deletions: [String] = []
    /// Pods among `deletions` that failed by themselves.
    var failed: [String] = []
    /// Pods among `deletions` that came to an end.
    var succeeded: [String] = []
    var status = Numbers()
    /// A pod is ready and has to stay so for a while.
    var waitsForAvailability = false

    struct Numbers: Equatable, Sendable {
        var desired = 0
        var current = 0
        var misscheduled = 0
        var ready = 0
        var available = 0
        var updated = 0
    }

    /// What is known of one node.
    private struct Place {
        var pods: [Pod] = []
        var runs = false
        var stays = false
    }

    private let set: DaemonSet
    private let hash: String
    private let now: Timestamp

    /// - Parameter resting: Nodes whose pod failed a moment ago, and which get no new one yet.
    init(_ set: DaemonSet, nodes: [KubeObject], pods: [Pod], hash: String, resting: Set<String>, now: Timestamp) {
        (self.set, self.hash, self.now) = (set, hash, now)
        var places: [String: Place] = [:]
        for node in nodes {
            let (runs, stays) = DaemonPod.eligibility(set, on: node)
            places[node.name] = Place(runs: runs, stays: stays)
        }
        for pod in pods { places[DaemonPod.node(of: pod), default: Place()].pods.append(pod) }
        let origin = Timestamp(seconds: 0)
        for name in places.keys {
            places[name]?.pods.sort {
                ($0.object.creationTimestamp ?? origin, $0.name) < ($1.object.creationTimestamp ?? origin, $1.name)
            }
        }
        let known = Set(nodes.map(\.name))
        manage(places, known: known, resting: resting)
        if set.rollsUpdates { update(places, known: known) }
        count(places)
        creations.sort()
        deletions.sort()
    }

    private func isAvailable(_ pod: Pod) -> Bool {
        pod.isAvailable(minReadySeconds: set.minReadySeconds, now: now)
    }

    private func isUpdated(_ pod: Pod) -> Bool { pod.revision == hash }

    // MARK: One pod a node

    private mutating func manage(_ places: [String: Place], known: Set<String>, resting: Set<String>) {
        let (surge, _) = set.surgeAndUnavailable(nodes: places.count)
        for (node, place) in places.sorted(by: { $0.key < $1.key }) {
            let living = place.pods.filter { !$0.object.isBeingDeleted }
            guard place.stays else {
                // Pods of a node that is gone go with it; the node's own end takes them away.
                if known.contains(node) || node.isEmpty { deletions += living.map(\.name) }
                continue
            }
            let ended = living.filter(\.isTerminal)
            for pod in ended {
                deletions.append(pod.name)
                if pod.phase == "Failed" { failed.append(pod.name) } else { succeeded.append(pod.name) }
            }
            let running = living.filter { !$0.isTerminal }
            guard place.runs || !running.isEmpty else { continue }
            if place.runs, place.pods.isEmpty, !resting.contains(node) { creations.append(node) }
            // A second pod is one too many, unless an update puts the new one beside the old.
            let old = running.filter { !isUpdated($0) }
            let new = running.filter(isUpdated)
            if surge > 0, set.rollsUpdates {
                deletions += old.dropFirst().map(\.name) + new.dropFirst().map(\.name)
            } else {
                deletions += running.dropFirst().map(\.name)
            }
        }
    }

    // MARK: Updates

    private mutating func update(_ places: [String: Place], known: Set<String>) {
        let wanted = places.filter { $0.value.runs && known.contains($0.key) }
        let (surge, unavailable) = set.surgeAndUnavailable(nodes: wanted.count)
        if surge > 0 { updateBeside(wanted, surge: surge) } else { updateInPlace(wanted, unavailable: unavailable) }
    }

    /// The old pod goes, and the new one comes when it is gone.
    private mutating func updateInPlace(_ places: [String: Place], unavailable: Int) {
        var missing = 0
        var broken: [String] = []
        var candidates: [String] = []
        for (_, place) in places.sorted(by: { $0.key < $1.key }) {
            let living = place.pods.filter { !$0.object.isBeingDeleted && !$0.isTerminal }
            if let new = living.first(where: isUpdated) {
                if !isAvailable(new) { missing += 1 }
            } else if let old = living.first {
                if isAvailable(old) {
                    candidates.append(old.name)
                } else {
                    // It does not work anyway: nothing is lost by replacing it.
                    missing += 1
                    broken.append(old.name)
                }
            } else {
                missing += 1
            }
        }
        let present = Set(deletions)
        let chosen = broken + candidates.prefix(max(0, unavailable - missing))
        deletions += chosen.filter { !present.contains($0) }
    }

    /// The new pod comes beside the old one, which goes when the new one is available.
    private mutating func updateBeside(_ places: [String: Place], surge: Int) {
        var surging = 0
        var broken: [String] = []
        var candidates: [String] = []
        for (node, place) in places.sorted(by: { $0.key < $1.key }) {
            let living = place.pods.filter { !$0.object.isBeingDeleted && !$0.isTerminal }
            let old = living.first { !isUpdated($0) }
            if let new = living.first(where: isUpdated) {
                if let old, isAvailable(new) || !isAvailable(old) {
                    deletions.append(old.name)
                } else if old != nil {
                    surging += 1
                }
            } else if let old {
                if isAvailable(old) { candidates.append(node) } else { broken.append(node) }
            }
        }
        creations += broken + candidates.prefix(max(0, surge - surging))
    }

    // MARK: Numbers

    private mutating func count(_ places: [String: Place]) {
        for (node, place) in places where !node.isEmpty {
            if place.runs {
                status.desired += 1
                guard !place.pods.isEmpty else { continue }
                status.current += 1
                let newestFirst = place.pods.sorted { isUpdated($0) && !isUpdated($1) }
                guard
                    let pod = newestFirst.first(where: { $0.isReady && !$0.object.isBeingDeleted }) ?? newestFirst.first
                else { continue }
                if pod.isReady {
                    status.ready += 1
                    if isAvailable(pod) { status.available += 1 } else { waitsForAvailability = true }
                }
                if place.pods.contains(where: { isUpdated($0) && !$0.object.isBeingDeleted }) { status.updated += 1 }
            } else if place.pods.contains(where: { !$0.isTerminal }) {
                status.misscheduled += 1
            }
        }
    }
}
