import KubeModel
import ObjectStore

/// The roles and bindings with which a cluster begins.
enum BootstrapPolicy {
    /// One object to be stored.
    struct Item: Sendable {
        let resource: ResourceType
        var object: KubeObject

        var key: StoreKey {
            StoreKey(resource: resource.qualifiedPlural, namespace: object.namespace, name: object.name)
        }
    }

    private static let group = "rbac.authorization.k8s.io"

    /// All objects, aggregated roles filled in.
    static func items() -> [Item] {
        var items = clusterRoles(clusterRoleTable, prefix: "")
        items = Aggregation.filled(items)
        items += clusterRoles(controllerTable, prefix: "system:controller:")
        for (name, _, rules) in sections(roleTable) {
            items.append(role(.roles, name, rules))
        }
        for line in clusterBindingTable.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            items.append(binding(.clusterRoleBindings, words[0], to: words[0], "ClusterRole", words.dropFirst()))
        }
        for (name, _, _) in sections(controllerTable) {
            let role = "system:controller:\(name)"
            items.append(binding(.clusterRoleBindings, role, to: role, "ClusterRole", ["account:\(name)"]))
        }
        for line in bindingTable.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            items.append(binding(.roleBindings, words[0], to: words[1], "Role", words.dropFirst(2)))
        }
        return items
    }

    static func rules(ofClusterRole name: String) -> [PolicyRule] {
        sections(clusterRoleTable).first { $0.name == name }?.rules ?? []
    }

    private static func clusterRoles(_ table: String, prefix: String) -> [Item] {
        sections(table).map { name, marks, rules in
            var item = role(.clusterRoles, prefix + name, rules)
            for mark in marks {
                let label =
                    "\(group)/aggregate-to-"
                    + mark.dropFirst()
                if mark.hasPrefix("+") {
                    item.object.value[["metadata", "labels", label]] = "true"
                } else {
                    item.object.value["aggregationRule"] = [
                        "clusterRoleSelectors": [["matchLabels": [label: "true"]]]
                    ]
                }
            }
            return item
        }
    }

    /// An object of a name, which may begin with its namespace.
    private static func makeObject(_ resource: ResourceType, _ name: String) -> KubeObject {
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        var object = KubeObject(
            resource, namespace: parts.count > 1 ? parts[0] : nil, name: parts.last ?? name)
        object.annotations = ["rbac.authorization.kubernetes.io/autoupdate": "true"]
        object.labels = ["kubernetes.io/bootstrapping": "rbac-defaults"]
        return object
    }

    private static func role(_ resource: ResourceType, _ name: String, _ rules: [PolicyRule]) -> Item {
        var object = makeObject(resource, name)
        object.value["rules"] = .array(rules.map(\.value))
        return Item(resource: resource, object: object)
    }

    private static func binding(
        _ resource: ResourceType, _ name: String, to role: String, _ kind: String, _ subjects: some Sequence<String>
    ) -> Item {
        var object = makeObject(resource, name)
        object.value["roleRef"] = ["apiGroup": .string(group), "kind": .string(kind), "name": .string(role)]
        let list = subjects.map { subject -> JSONValue in
            let sides = subject.split(separator: ":", maxSplits: 1).map(String.init)
            if sides[0] == "account" {
                return ["kind": "ServiceAccount", "name": .string(sides[1]), "namespace": "kube-system"]
            }
            return [
                "apiGroup": .string(group), "kind": sides[0] == "group" ? "Group" : "User", "name": .string(sides[1]),
            ]
        }
        if !list.isEmpty { object.value["subjects"] = .array(list) }
        return Item(resource: resource, object: object)
    }

    // MARK: The table

    private typealias Section = (name: String, marks: [String], rules: [PolicyRule])

    private static func sections(_ table: String) -> [Section] {
        var sections: [Section] = []
        for line in table.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if line.hasPrefix(" ") {
                sections[sections.count - 1].rules.append(rule(words))
            } else {
                sections.append((words[0], Array(words.dropFirst()), []))
            }
        }
        return sections
    }

    private static func rule(_ words: [String]) -> PolicyRule {
        if words == ["EVENTS"] {
            return PolicyRule(
                verbs: ["create", "patch", "update"], apiGroups: ["", "events.k8s.io"], resources: ["events"])
        }
        func list(_ word: String) -> [String] { word.split(separator: ",").map(String.init) }
        let verbs = list(words[0]).flatMap { verb in
            switch verb {
            case "R": ["get", "list", "watch"]
            case "W": ["create", "delete", "deletecollection", "patch", "update"]
            default: [verb]
            }
        }
        if words[1] == "url" { return PolicyRule(verbs: verbs.sorted(), nonResourceURLs: list(words[2])) }
        return PolicyRule(
            verbs: verbs.sorted(), apiGroups: list(words[1]).map { $0 == "core" ? "" : $0 },
            resources: list(words[2]), resourceNames: words.count > 3 ? list(words[3]) : [])
    }
}
