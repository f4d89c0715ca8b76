import KubeModel
import ObjectStore

/// ClusterRoles that are made of others (`aggregationRule`).
enum Aggregation {
    /// The rules of a role, gathered from those that its rule selects; nil for a role without one.
    static func rules(for role: KubeObject, among roles: [KubeObject]) -> [JSONValue]? {
        guard let selectors = role.value[["aggregationRule", "clusterRoleSelectors"]]?.array, !selectors.isEmpty else {
            return nil
        }
        var rules: [JSONValue] = []
        var seen: Set<JSONValue> = []
        for selector in selectors.map({ LabelSelector($0) }) {
            for other in roles.sorted(by: { $0.name < $1.name })
            where other.name != role.name && selector.matches(other.labels) {
                for rule in other.value["rules"]?.array ?? [] where seen.insert(rule).inserted { rules.append(rule) }
            }
        }
        return rules
    }

    /// Fills all roles until nothing changes any more: `admin` is made of `edit`, which is made of `view`.
    static func filled(_ items: [BootstrapPolicy.Item]) -> [BootstrapPolicy.Item] {
        var items = items
        var isChanging = true
        while isChanging {
            isChanging = false
            let roles = items.map(\.object)
            for index in items.indices {
                guard let rules = rules(for: roles[index], among: roles) else { continue }
                if items[index].object.value["rules"] != .array(rules) {
                    items[index].object.value["rules"] = .array(rules)
                    isChanging = true
                }
            }
        }
        return items
    }
}

extension Registry {
    /// Brings the roles that are made of others up to date; called after a ClusterRole was written or deleted.
    ///
    /// Kubernetes has a controller for this. Here it is done before the writer is answered, so that nobody waits for it.
    func aggregateClusterRoles() async {
        let resource = ResourceType.clusterRoles.qualifiedPlural
        // As deep as roles can sensibly be stacked; a circle must not turn for ever.
        for _ in 0..<8 {
            guard let roles = try? store.list(.all(resource: resource)).items else { return }
            var isSettled = true
            for role in roles {
                guard let rules = Aggregation.rules(for: role.object, among: roles.map(\.object)),
                    role.object.value["rules"]?.array ?? [] != rules
                else { continue }
                var changed = role.object
                changed.value["rules"] = .array(rules)
                // A role that somebody else has just changed is looked at in the next round.
                _ = try? await store.put(role.key, changed, .revision(role.revision))
                isSettled = false
            }
            if isSettled { return }
        }
    }
}
