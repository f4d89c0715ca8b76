/// What an object counts against quotas, and for which of them.
///
/// Source: Kubernetes docs, "Resource Quotas".
public struct QuotaUsage: Sendable {
    private let object: KubeObject
    private let resource: ResourceType

    public init(_ object: KubeObject, _ resource: ResourceType) {
        self.object = object
        self.resource = resource
    }

    /// The name under which objects of a resource are counted, for example `count/deployments.apps`.
    static func countName(_ resource: ResourceType) -> String { "count/\(resource.qualifiedPlural)" }

    /// Kinds whose number also has a short name.
    private static let shortNames: Set<ResourceType> = [
        .configMaps, .persistentVolumeClaims, .replicationControllers, .resourceQuotas, .secrets, .services,
    ]

    /// The amounts, by the names that quotas use.
    public var amounts: [String: Quantity] {
        var amounts = [Self.countName(resource): Quantity(1)]
        if Self.shortNames.contains(resource) { amounts[resource.plural] = Quantity(1) }
        switch resource {
        case .pods: amounts.merge(podAmounts) { _, last in last }
        case .services: amounts.merge(serviceAmounts) { _, last in last }
        case .persistentVolumeClaims: amounts.merge(claimAmounts) { _, last in last }
        default: break
        }
        return amounts
    }

    private var podAmounts: [String: Quantity] {
        let pod = Pod(object)
        // One that has ended uses nothing any more.
        guard !pod.isTerminal else { return [:] }
        var amounts = ["pods": Quantity(1)]
        for (name, amount) in total(pod, \.requests) {
            amounts["requests.\(name)"] = amount
            if ["cpu", "memory", "ephemeral-storage"].contains(name) || name.hasPrefix("hugepages-") {
                amounts[name] = amount
            }
        }
        for (name, amount) in total(pod, \.limits) where ["cpu", "memory", "ephemeral-storage"].contains(name) {
            amounts["limits.\(name)"] = amount
        }
        return amounts
    }

    /// The sum of the containers and sidecars, or the largest init container where that is more.
    private func total(_ pod: Pod, _ amounts: (Container) -> [String: Quantity]) -> [String: Quantity] {
        var total: [String: Quantity] = [:]
        for container in pod.containers + pod.initContainers.filter(\.isSidecar) {
            for (name, amount) in amounts(container) { total[name] = (total[name] ?? Quantity(0)) + amount }
        }
        for container in pod.initContainers where !container.isSidecar {
            for (name, amount) in amounts(container) { total[name] = max(total[name] ?? amount, amount) }
        }
        return total
    }

    private var serviceAmounts: [String: Quantity] {
        let ports = object.value[["spec", "ports"]]?.array ?? []
        switch object.value[["spec", "type"]]?.string {
        case "NodePort": return ["services.nodeports": Quantity(Int64(ports.count))]
        case "LoadBalancer":
            let hasNodePorts = object.value[["spec", "allocateLoadBalancerNodePorts"]]?.bool ?? true
            let count = hasNodePorts ? ports.count : ports.count { $0["nodePort"]?.int ?? 0 > 0 }
            return ["services.loadbalancers": Quantity(1), "services.nodeports": Quantity(Int64(count))]
        default: return [:]
        }
    }

    private var claimAmounts: [String: Quantity] {
        var amounts: [String: Quantity] = [:]
        let storage = object.value[["spec", "resources", "requests", "storage"]]
        let size = storage.flatMap { Quantity(parsing: $0.string ?? $0.text) }
        if let size { amounts["requests.storage"] = size }
        if let name = object.value[["spec", "storageClassName"]]?.string, !name.isEmpty {
            let prefix = "\(name).storageclass.storage.k8s.io/"
            amounts["\(prefix)persistentvolumeclaims"] = Quantity(1)
            if let size { amounts["\(prefix)requests.storage"] = size }
        }
        return amounts
    }

    // MARK: All of a namespace

    /// The kinds whose objects a quota has to look at.
    public static func kinds(for quota: KubeObject, among kinds: [ResourceType]) -> [ResourceType] {
        kinds.filter { !concerned(limits(quota), $0).isEmpty }
    }

    /// What the objects of a quota's namespace use of it, in the order of its limits.
    public static func used(of quota: KubeObject, by objects: [ResourceType: [KubeObject]]) -> JSONValue {
        let limits = limits(quota)
        var sums: [String: Quantity] = [:]
        for (resource, objects) in objects {
            let names = concerned(limits, resource)
            for usage in objects.map({ QuotaUsage($0, resource) }) where usage.matches(quota) {
                let amounts = usage.amounts
                for name in names { sums[name] = (sums[name] ?? Quantity(0)) + (amounts[name] ?? Quantity(0)) }
            }
        }
        var used: JSONValue = [:]
        for name in limits { used[name] = .string((sums[name] ?? Quantity(0)).description) }
        return used
    }

    private static func limits(_ quota: KubeObject) -> [String] {
        (quota.value[["spec", "hard"]]?.object ?? [:]).map(\.key)
    }

    // MARK: Which quotas

    private static let podAmountNames: Set<String> = [
        "pods", "count/pods", "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory",
        "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage",
    ]

    /// Those of a quota's names that objects of this resource can count for.
    public func concerned(_ names: some Sequence<String>) -> [String] { Self.concerned(names, resource) }

    private static func concerned(_ names: some Sequence<String>, _ resource: ResourceType) -> [String] {
        names.filter { name in
            if name == countName(resource) { return true }
            switch resource {
            case .pods:
                if podAmountNames.contains(name) || name.hasPrefix("hugepages-") { return true }
                // Whatever else a container can ask for, except what claims ask for.
                return name.hasPrefix("requests.") && name != "requests.storage"
            case .services: return ["services", "services.nodeports", "services.loadbalancers"].contains(name)
            case .persistentVolumeClaims:
                return ["persistentvolumeclaims", "requests.storage"].contains(name)
                    || name.contains(".storageclass.storage.k8s.io/")
            default: return shortNames.contains(resource) && name == resource.plural
            }
        }.sorted()
    }

    /// Whether a quota's scopes take in the object.
    public func matches(_ quota: KubeObject) -> Bool {
        var scopes = (quota.value[["spec", "scopes"]]?.array ?? []).compactMap(\.string).map { name in
            JSONValue.object(["scopeName": .string(name), "operator": "Exists"])
        }
        scopes += quota.value[["spec", "scopeSelector", "matchExpressions"]]?.array ?? []
        guard !scopes.isEmpty else { return true }
        guard resource == .pods else { return false }
        return scopes.allSatisfy(matches)
    }

    private func matches(scope: JSONValue) -> Bool {
        let pod = Pod(object)
        let ends = (object.value[["spec", "activeDeadlineSeconds"]]?.int ?? -1) >= 0
        switch scope["scopeName"]?.string {
        case "Terminating": return ends
        case "NotTerminating": return !ends
        case "BestEffort": return pod.qosClass == "BestEffort"
        case "NotBestEffort": return pod.qosClass != "BestEffort"
        case "PriorityClass":
            let name = object.value[["spec", "priorityClassName"]]?.string ?? ""
            let values = scope["values"]?.array?.compactMap(\.string) ?? []
            switch scope["operator"]?.string {
            case "In": return values.contains(name)
            case "NotIn": return !values.contains(name)
            case "DoesNotExist": return name.isEmpty
            default: return !name.isEmpty
            }
        case "CrossNamespacePodAffinity": return hasForeignAffinity
        default: return false
        }
    }

    private var hasForeignAffinity: Bool {
        ["podAffinity", "podAntiAffinity"].contains { kind in
            let affinity = object.value[["spec", "affinity", kind]]
            let required = affinity?["requiredDuringSchedulingIgnoredDuringExecution"]?.array ?? []
            let preferred = affinity?["preferredDuringSchedulingIgnoredDuringExecution"]?.array ?? []
            return (required + preferred.compactMap { $0["podAffinityTerm"] }).contains { term in
                term["namespaces"]?.array?.isEmpty == false || term["namespaceSelector"] != nil
            }
        }
    }

    /// What containers must say because a quota counts it, and do not: `must specify cpu for: main`; nil if nothing is
    /// missing.
    public func missing(_ names: [String]) -> String? {
        guard resource == .pods else { return nil }
        let pod = Pod(object)
        var missing: [(String, [String])] = []
        for name in names.sorted() {
            let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
            guard let amount = parts.last, ["cpu", "memory"].contains(amount) else { continue }
            let isLimit = parts[0] == "limits"
            guard parts.count == 1 || isLimit || parts[0] == "requests" else { continue }
            let silent = (pod.containers + pod.initContainers).filter {
                (isLimit ? $0.limits : $0.requests)[amount] == nil
            }
            if !silent.isEmpty { missing.append((name, Set(silent.map(\.name)).sorted())) }
        }
        guard !missing.isEmpty else { return nil }
        return "must specify " + missing.map { "\($0.0) for: \($0.1.joined(separator: ","))" }.joined(separator: "; ")
    }
}
