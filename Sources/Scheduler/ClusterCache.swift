import ControllerKit
import KubeModel
import Synchronization

/// The cluster as the next decision sees it: what the informers know, and the decisions that they do not show yet.
///
/// It is kept up to date change by change, because a cluster may have thousands of pods and each decision is to cost the same.
final class ClusterCache: Sendable {
    fileprivate struct State {
        var nodes: [String: NodeState] = [:]
        /// The node of each pod that takes room, whether there is such a node or not.
        var places: [ObjectKey: (pod: Pod, node: String)] = [:]
        /// The uids of pods that are decided about, and not yet seen to be bound.
        var assumed: [ObjectKey: String] = [:]
        /// Pods of this scheduler that have no node yet.
        var waiting: Set<ObjectKey> = []
        /// Pods for which room is being made.
        var nominated: [ObjectKey: Pod] = [:]
    }

    private let pods: Informer
    private let nodes: Informer
    private let budgets: Informer?
    private let namespaces: Informer?
    private let state = Mutex(State())

    init(pods: Informer, nodes: Informer, budgets: Informer?, namespaces: Informer?) {
        self.pods = pods
        self.nodes = nodes
        self.budgets = budgets
        self.namespaces = namespaces
    }

    /// Follows the informers until the observations are ended.
    func observe() -> [Informer.Observation] {
        [
            nodes.observe { self.refreshNode(named: $0.object.name) },
            pods.observe { self.refreshPod(ObjectKey($0.object)) },
        ]
    }

    // Changes may be told out of order: what counts is what the informer knows when the state is changed.

    private func refreshNode(named name: String) {
        state.withLock { state in
            state.nodes[name] = nodes.get(ObjectKey(namespace: nil, name: name)).map { node in
                NodeState(node: node, pods: state.places.values.lazy.filter { $0.node == name }.map(\.pod))
            }
        }
    }

    private func refreshPod(_ key: ObjectKey) {
        state.withLock { state in
            let pod = pods.get(key).map(Pod.init)
            state.nominated[key] = pod.flatMap { $0.isScheduled || $0.nominatedNodeName == nil ? nil : $0 }
            if let pod, !pod.isScheduled, !pod.isTerminal, state.assumed[key] == pod.uid { return }
            state.assumed[key] = nil
            if pod?.isScheduled ?? true { state.waiting.remove(key) }
            guard let pod, pod.isScheduled, !pod.isTerminal else { return state.take(key) }
            state.put(pod, on: pod.nodeName)
        }
    }

    /// The pods that a change of the cluster may help.
    var waiting: [ObjectKey] { state.withLock { Array($0.waiting) } }

    /// Remembers a pod that is to get a node; before it is decided about, so that no change is missed that comes meanwhile.
    func expect(_ pod: Pod) {
        state.withLock { state in
            // One that has gone meanwhile would never be forgotten.
            if pods.get(pod.key) != nil { state.waiting.insert(pod.key) }
        }
    }

    /// Decides about a pod, and remembers it, in one step: two pods must not both take the last room.
    func decide(_ pod: Pod) -> SchedulingDecision {
        let namespaces = Dictionary((namespaces?.list() ?? []).map { ($0.name, $0.labels) }) { $1 }
        let budgets = (budgets?.list() ?? []).map(DisruptionBudget.init)
        return state.withLock { state in
            let decision = SchedulingDecision(
                pod, in: ClusterPicture(nodes: state.nodes(for: pod), namespaces: namespaces, budgets: budgets))
            if case .node(let name) = decision {
                state.assumed[pod.key] = pod.uid
                state.put(pod, on: name)
            }
            return decision
        }
    }

    /// What was decided did not come about.
    func forget(_ key: ObjectKey) {
        state.withLock { _ = $0.assumed.removeValue(forKey: key) }
        refreshPod(key)
    }
}

extension ClusterCache.State {
    /// The nodes as one pod finds them: with those for which room is being made before it.
    fileprivate func nodes(for pod: Pod) -> [NodeState] {
        var nodes = nodes
        for (key, other) in nominated where key != pod.key && other.comes(before: pod) {
            nodes[other.nominatedNodeName ?? ""]?.add(other)
        }
        return Array(nodes.values)
    }

    fileprivate mutating func put(_ pod: Pod, on node: String) {
        take(pod.key)
        places[pod.key] = (pod, node)
        nodes[node]?.add(pod)
    }

    fileprivate mutating func take(_ key: ObjectKey) {
        guard let place = places.removeValue(forKey: key) else { return }
        nodes[place.node]?.remove(key)
    }
}

extension Pod {
    /// Room that is being made for the pod is not for the other one.
    fileprivate func comes(before other: Pod) -> Bool { isActive && priority >= other.priority }
}
