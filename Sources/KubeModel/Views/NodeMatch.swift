/// Whether a node is one on which a pod may run: its labels, its name, its taints.
public struct NodeMatch: Sendable {
    private let labels: [String: String]
    private let name: String
    private let taints: [JSONValue]

    public init(_ node: KubeObject) {
        labels = node.labels
        name = node.name
        var taints = node.value[["spec", "taints"]]?.array ?? []
        let unschedulable = "node.kubernetes.io/unschedulable"
        if node.value[["spec", "unschedulable"]] == true,
            !taints.contains(where: { $0["key"]?.string == unschedulable })
        {
            taints.append(["key": .string(unschedulable), "effect": "NoSchedule"])
        }
        self.taints = taints
    }

    /// The node has what the pod's node selector and its required node affinity ask for.
    public func satisfies(_ spec: JSONValue?) -> Bool {
        for (key, value) in spec?["nodeSelector"]?.object ?? [:] where labels[key] != value.string { return false }
        let required = spec?[["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"]]
        guard let terms = required?["nodeSelectorTerms"]?.array else { return true }
        return terms.contains(where: matches)
    }

    /// The weights of the preferred node affinity's terms that match.
    public func preference(_ spec: JSONValue?) -> Int {
        let preferred = spec?[["affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"]]
        return (preferred?.array ?? []).reduce(0) { sum, term in
            matches(term["preference"] ?? [:]) ? sum + (term["weight"]?.int ?? 0) : sum
        }
    }

    /// An empty term matches no node.
    private func matches(_ term: JSONValue) -> Bool {
        let expressions = term["matchExpressions"]?.array ?? []
        let fields = term["matchFields"]?.array ?? []
        guard !expressions.isEmpty || !fields.isEmpty else { return false }
        return LabelSelector(["matchExpressions": .array(expressions)]).matches(labels)
            && LabelSelector(["matchExpressions": .array(fields)]).matches(["metadata.name": name])
    }

    /// The first taint of some effects that the tolerations do not bear.
    public func untolerated(by tolerations: [JSONValue], effects: Set<String>) -> JSONValue? {
        taints.first { taint in
            effects.contains(taint["effect"]?.string ?? "") && !tolerations.contains { Self.bears($0, taint) }
        }
    }

    /// Taints that only ask pods to go elsewhere, and that these do not bear.
    public func discouraging(_ tolerations: [JSONValue]) -> Int {
        taints.count { taint in
            taint["effect"]?.string == "PreferNoSchedule" && !tolerations.contains { Self.bears($0, taint) }
        }
    }

    /// For how many seconds the tolerations bear the taints that throw pods out; nil: for ever.
    public func patience(of tolerations: [JSONValue]) -> Int? {
        var least: Int?
        for taint in taints where taint["effect"] == "NoExecute" {
            guard let toleration = tolerations.first(where: { Self.bears($0, taint) }) else { return 0 }
            guard let seconds = toleration["tolerationSeconds"]?.int else { continue }
            least = min(least ?? .max, max(0, seconds))
        }
        return least
    }

    /// Whether a toleration is for a taint.
    public static func bears(_ toleration: JSONValue, _ taint: JSONValue) -> Bool {
        func text(_ value: JSONValue, _ member: String) -> String { value[member]?.string ?? "" }
        let effect = text(toleration, "effect")
        guard effect.isEmpty || effect == text(taint, "effect") else { return false }
        let key = text(toleration, "key")
        if text(toleration, "operator") == "Exists" { return key.isEmpty || key == text(taint, "key") }
        return key == text(taint, "key") && text(toleration, "value") == text(taint, "value")
    }
}
