import KubeModel

/// How much of what a quota limits the objects of its namespace use.
///
/// Source: Kubernetes docs, "Resource Quotas".
struct QuotaUsage {
    /// Quota names of kinds that can be counted without `count/`.
    static let counted: [String: ResourceType] = [
        "configmaps": .configMaps, "persistentvolumeclaims": .persistentVolumeClaims, "pods": .pods,
        "replicationcontrollers": .replicationControllers, "resourcequotas": .resourceQuotas, "secrets": .secrets,
        "services": .services,
    ]

    private let quota: KubeObject

    init(_ quota: KubeObject) { self.quota = quota }

    private var hard: [String] { (quota.value[["spec", "hard"]]?.object ?? [:]).keys }

    /// The kind that an entry `count/NAME` counts, for example `count/deployments.apps`.
    private static func kind(_ entry: String, _ kinds: [ResourceType]) -> ResourceType? {
        guard entry.hasPrefix("count/") else { return counted[entry] }
        return kinds.first { $0.qualifiedPlural == entry.dropFirst(6) }
    }

    /// The kinds whose objects have to be looked at.
    func neededKinds(of kinds: [ResourceType]) -> Set<ResourceType> {
        Set(
            hard.compactMap { entry -> ResourceType? in
                if let kind = Self.kind(entry, kinds) { return kind }
                if entry.hasPrefix("services.") { return .services }
                return entry.contains("storage") && !entry.contains("ephemeral") ? .persistentVolumeClaims : .pods
            })
    }

    /// The amounts used, in the order of the limits.
    func used(_ objects: [ResourceType: [KubeObject]], kinds: [ResourceType]) -> JSONValue {
        var used: JSONValue = [:]
        let pods = (objects[.pods] ?? []).map(Pod.init).filter { !$0.isTerminal && isInScope($0) }
        for entry in hard { used[entry] = .string(amount(entry, pods, objects, kinds).description) }
        return used
    }

    private func amount(
        _ entry: String, _ pods: [Pod], _ objects: [ResourceType: [KubeObject]], _ kinds: [ResourceType]
    ) -> Quantity {
        if let kind = Self.kind(entry, kinds) {
            // Pods that have ended use nothing but their place in the list.
            if kind == .pods, entry == "pods" { return Quantity(Int64(pods.count)) }
            return Quantity(Int64(objects[kind]?.count ?? 0))
        }
        if entry.hasPrefix("services.") { return Quantity(services(entry, objects[.services] ?? [])) }
        let zero = Quantity(0)
        if entry.contains("storage"), !entry.contains("ephemeral") {
            return claims(entry, objects[.persistentVolumeClaims] ?? []).reduce(zero, +)
        }
        if entry.hasPrefix("limits.") {
            let name = String(entry.dropFirst(7))
            return pods.reduce(zero) { $0 + $1.total(name, of: \.limits) }
        }
        let name = entry.hasPrefix("requests.") ? String(entry.dropFirst(9)) : entry
        return pods.reduce(zero) { $0 + $1.total(name, of: \.requests) }
    }

    private func services(_ entry: String, _ services: [KubeObject]) -> Int64 {
        let views = services.map(KubeService.init)
        if entry == "services.loadbalancers" { return Int64(views.count { $0.type == "LoadBalancer" }) }
        return views.reduce(0) { sum, service in
            switch service.type {
            case "NodePort": sum + Int64(service.ports.count)
            case "LoadBalancer": sum + Int64(service.ports.count { $0.nodePort != nil })
            default: sum
            }
        }
    }

    /// `requests.storage`, or only that of a class: `fast.storageclass.storage.k8s.io/requests.storage`.
    private func claims(_ entry: String, _ claims: [KubeObject]) -> [Quantity] {
        let suffix = ".storageclass.storage.k8s.io/"
        var chosen = claims
        if let range = entry.firstRange(of: suffix) {
            let name = entry[..<range.lowerBound]
            chosen = claims.filter { $0.value[["spec", "storageClassName"]]?.string.map { $0 == name } ?? false }
            if entry.hasSuffix("persistentvolumeclaims") { return [Quantity(Int64(chosen.count))] }
        }
        return chosen.compactMap {
            $0.value[["spec", "resources", "requests", "storage"]]?.string.flatMap(Quantity.init(parsing:))
        }
    }

    // MARK: Scopes

    private func isInScope(_ pod: Pod) -> Bool {
        let scopes = (quota.value[["spec", "scopes"]]?.array ?? []).compactMap(\.string)
        guard scopes.allSatisfy({ Self.matches(pod, $0, "Exists", []) }) else { return false }
        let demands = quota.value[["spec", "scopeSelector", "matchExpressions"]]?.array ?? []
        return demands.allSatisfy { demand in
            Self.matches(
                pod, demand["scopeName"]?.string ?? "", demand["operator"]?.string ?? "",
                demand["values"]?.array?.compactMap(\.string) ?? [])
        }
    }

    private static func matches(_ pod: Pod, _ scope: String, _ operation: String, _ values: [String]) -> Bool {
        switch scope {
        case "Terminating": return pod.spec["activeDeadlineSeconds"]?.int != nil
        case "NotTerminating": return pod.spec["activeDeadlineSeconds"]?.int == nil
        case "BestEffort": return pod.qosClass == "BestEffort"
        case "NotBestEffort": return pod.qosClass != "BestEffort"
        case "CrossNamespacePodAffinity": return pod.looksIntoOtherNamespaces
        case "PriorityClass":
            let name = pod.spec["priorityClassName"]?.string ?? ""
            switch operation {
            case "In": return values.contains(name)
            case "NotIn": return !values.contains(name)
            case "DoesNotExist": return name.isEmpty
            default: return !name.isEmpty
            }
        default: return false
        }
    }
}

extension Pod {
    /// What the pod takes: the sum of its containers, or its largest init container where that is more.
    fileprivate func total(_ resource: String, of amounts: (Container) -> [String: Quantity]) -> Quantity {
        let zero = Quantity(0)
        let sidecars = initContainers.filter(\.isSidecar)
        let sum = (containers + sidecars).reduce(zero) { $0 + (amounts($1)[resource] ?? zero) }
        let largest = initContainers.filter { !$0.isSidecar }.compactMap { amounts($0)[resource] }.max() ?? zero
        return max(sum, largest)
    }

    fileprivate var looksIntoOtherNamespaces: Bool {
        for kind in ["podAffinity", "podAntiAffinity"] {
            let affinity = spec[["affinity", kind]]
            let required = affinity?["requiredDuringSchedulingIgnoredDuringExecution"]?.array ?? []
            let preferred = (affinity?["preferredDuringSchedulingIgnoredDuringExecution"]?.array ?? []).compactMap {
                $0["podAffinityTerm"]
            }
            for term in required + preferred {
                if term["namespaces"]?.array?.isEmpty == false || term["namespaceSelector"] != nil { return true }
            }
        }
        return false
    }
}
