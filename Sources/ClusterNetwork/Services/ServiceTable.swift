import ContainerRuntime
import KubeModel

/// The Services of a cluster and what they consist of, kept up key by key, and the plan that follows from them.
///
/// Pure. Only the Services that a change is about are looked at again; the plan is the same as `ServicePlan` makes from all objects.
struct ServiceTable: Sendable {
    private let reserved: Set<ServicePlan.ReservedSocket>
    private let nodes: [ServicePlan.Node]
    private(set) var services: [ObjectKey: KubeService] = [:]
    private(set) var endpoints = EndpointIndex()
    private var balancers: [ObjectKey: IPv4Address] = [:]
    /// What each Service comes to.
    private var parts: [ObjectKey: ServicePlan] = [:]
    /// The keys of `parts`, in order.
    private var order: [ObjectKey] = []
    /// The rules for the ports that pods want of the node, with their uids, which decide who comes first.
    private var pods: [ObjectKey: (uid: String, rules: [ServiceRule])] = [:]
    private var touched: Set<ObjectKey> = []

    init(reserved: Set<ServicePlan.ReservedSocket>, nodes: [ServicePlan.Node]) {
        self.reserved = reserved
        self.nodes = nodes
    }

    /// Takes in what there is at a key now; nil stands for an object that is not there.
    mutating func set(service key: ObjectKey, _ object: KubeObject?) {
        services[key] = object.map(KubeService.init)
        touched.insert(key)
    }

    mutating func set(slice key: ObjectKey, _ object: KubeObject?) {
        touched.formUnion(endpoints.set(key, object))
    }

    mutating func set(pod key: ObjectKey, _ object: KubeObject?) {
        let rules = object.map { ServicePlan.rules(for: Pod($0)) } ?? []
        pods[key] = rules.isEmpty ? nil : (object?.uid ?? "", rules)
    }

    mutating func set(balancers new: [ObjectKey: IPv4Address]) {
        for key in Set(new.keys).union(balancers.keys) where new[key] != balancers[key] { touched.insert(key) }
        balancers = new
    }

    /// Works out what has changed.
    ///
    /// - Returns: The plan, and the Services whose part of it was looked at again since the last call.
    mutating func update() -> (plan: ServicePlan, touched: Set<ObjectKey>) {
        defer { touched = [] }
        for key in touched {
            let part = services[key].map {
                ServicePlan($0, endpoints, reserved: reserved, balancer: balancers[key], nodes: nodes)
            }
            if (part == nil) != (parts[key] == nil) {
                let place = order.partitioningIndex { $0 >= key }
                if part == nil { order.remove(at: place) } else { order.insert(key, at: place) }
            }
            parts[key] = part
        }
        var plan = ServicePlan()
        for key in order { if let part = parts[key] { plan.append(part) } }
        plan.append(pods.values.sorted { $0.uid < $1.uid }.flatMap(\.rules))
        return (plan, touched)
    }
}

extension [ObjectKey] {
    /// The first index at which a condition holds that holds for all elements behind it, too.
    fileprivate func partitioningIndex(where holds: (ObjectKey) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
