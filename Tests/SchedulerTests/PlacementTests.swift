import KubeModel
import LabTesting
import Testing

@testable import Scheduler

@Suite("Placement beside other pods", .timeLimit(.minutes(5))) struct PlacementTests {
    private static func term(_ app: String, key: String = "kubernetes.io/hostname", more: JSONValue = [:]) -> JSONValue
    {
        var term: JSONValue = ["labelSelector": ["matchLabels": ["app": .string(app)]], "topologyKey": .string(key)]
        for (name, value) in more.object ?? [:] { term[name] = value }
        return term
    }

    private static func pod(
        _ name: String, app: String = "web", affinity: JSONValue? = nil, spread: JSONValue? = nil, cpu: String? = nil,
        priority: Int? = nil, namespace: String = "default"
    ) -> KubeObject {
        var spec: JSONValue = [:]
        spec["affinity"] = affinity
        spec["topologySpreadConstraints"] = spread.map { .array([$0]) }
        spec["priority"] = priority.map { .int(Int64($0)) }
        var pod = makePod(name, cpu: cpu, spec: spec)
        pod.labels["app"] = app
        pod.value[["metadata", "namespace"]] = .string(namespace)
        return pod
    }

    private static func required(_ kind: String, _ term: JSONValue) -> JSONValue {
        .object([kind: ["requiredDuringSchedulingIgnoredDuringExecution": [term]]])
    }

    private static func nodes(_ pods: [[KubeObject]], zones: [String] = [], cpu: String = "2") -> [NodeState] {
        pods.enumerated().map { index, pods in
            var labels = ["kubernetes.io/hostname": "node-\(index)"]
            if zones.indices.contains(index) { labels["zone"] = zones[index] }
            return makeState(makeNode("node-\(index)", cpu: cpu, labels: labels), pods: pods)
        }
    }

    private static func decide(
        _ pod: KubeObject, _ nodes: [NodeState], namespaces: [String: [String: String]] = [:]
    ) -> SchedulingDecision {
        SchedulingDecision(Pod(pod), in: ClusterPicture(nodes: nodes, namespaces: namespaces))
    }

    private static func refusal(_ reason: String, _ preemption: String) -> SchedulingDecision {
        .none(because: "0/1 nodes are available: 1 \(reason). preemption: 0/1 nodes are available: 1 \(preemption).")
    }

    @Test("replicas that must not share a node wait when there is only one")
    func antiAffinity() {
        let anti = Self.required("podAntiAffinity", Self.term("web"))
        let second = Self.pod("b", affinity: anti)
        #expect(
            Self.decide(second, Self.nodes([[Self.pod("a", affinity: anti)]]))
                == Self.refusal(
                    "node(s) didn't match pod anti-affinity rules", "No preemption victims found for incoming pod"))
        #expect(Self.decide(second, Self.nodes([[Self.pod("a", affinity: anti)], []])) == .node("node-1"))
    }

    @Test("a pod that wants nobody beside it keeps others away")
    func existingAntiAffinity() {
        let hermit = Self.pod("a", app: "db", affinity: Self.required("podAntiAffinity", Self.term("web")))
        #expect(
            Self.decide(Self.pod("b"), Self.nodes([[hermit]]))
                == Self.refusal(
                    "node(s) didn't satisfy existing pods anti-affinity rules",
                    "No preemption victims found for incoming pod"))
        #expect(Self.decide(Self.pod("b", app: "api"), Self.nodes([[hermit]])) == .node("node-0"))
    }

    @Test("a pod goes where its company is, in the same zone if that is how the term counts")
    func affinity() {
        let nodes = Self.nodes([[], [Self.pod("db-0", app: "db", cpu: "1")], []], zones: ["a", "b", "b"])
        #expect(
            Self.decide(Self.pod("web", affinity: Self.required("podAffinity", Self.term("db"))), nodes)
                == .node("node-1"))
        let zone = Self.pod("web", affinity: Self.required("podAffinity", Self.term("db", key: "zone")))
        #expect(Self.decide(zone, nodes) == .node("node-2"), "the emptier node of the zone")
        #expect(
            Self.decide(zone, Array(nodes.prefix(1)))
                == Self.refusal(
                    "node(s) didn't match pod affinity rules", "Preemption is not helpful for scheduling"))
    }

    @Test("the first of a group that wants to be together may go anywhere")
    func firstOfGroup() {
        let together = Self.pod("a", affinity: Self.required("podAffinity", Self.term("web")))
        #expect(Self.decide(together, Self.nodes([[]])) == .node("node-0"))
    }

    @Test(
        "terms are about the pod's own namespace unless they say otherwise",
        arguments: [
            ([:], false), (["namespaces": ["other"]], true),
            (["namespaceSelector": ["matchLabels": ["team": "x"]]], true),
            (["namespaceSelector": ["matchLabels": ["team": "y"]]], false), (["namespaceSelector": [:]], true),
        ] as [(JSONValue, Bool)])
    func namespaces(more: JSONValue, isMatched: Bool) {
        let pod = Self.pod("b", affinity: Self.required("podAntiAffinity", Self.term("web", more: more)))
        let nodes = Self.nodes([[Self.pod("a", namespace: "other")]])
        let decision = Self.decide(pod, nodes, namespaces: ["other": ["team": "x"]])
        #expect((decision == .node("node-0")) == !isMatched)
    }

    @Test("labels of the pod narrow a term: revisions of a Deployment do not mind each other")
    func matchLabelKeys() {
        var old = Self.pod("a")
        old.labels["hash"] = "1"
        let term = Self.term("web", more: ["matchLabelKeys": ["hash"]])
        var new = Self.pod("b", affinity: Self.required("podAntiAffinity", term))
        new.labels["hash"] = "2"
        #expect(Self.decide(new, Self.nodes([[old]])) == .node("node-0"))
        new.labels["hash"] = "1"
        #expect(Self.decide(new, Self.nodes([[old]])) != .node("node-0"))
    }

    private static func spread(_ action: String = "DoNotSchedule", more: JSONValue = [:]) -> JSONValue {
        var constraint: JSONValue = [
            "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": .string(action),
            "labelSelector": ["matchLabels": ["app": "web"]],
        ]
        for (name, value) in more.object ?? [:] { constraint[name] = value }
        return constraint
    }

    @Test("pods are spread over zones no less evenly than the skew allows")
    func spreadsHard() {
        let pod = Self.pod("c", spread: Self.spread())
        let nodes = Self.nodes([[Self.pod("a")], [], []], zones: ["a", "b", "b"])
        #expect(Self.decide(pod, nodes) == .node("node-1"))
        // The only zone with room has one pod more already.
        let full = Self.nodes([[Self.pod("a")], [Self.pod("x", app: "x", cpu: "2")]], zones: ["a", "b"])
        let asking = Self.pod("c", spread: Self.spread(), cpu: "1")
        #expect(
            Self.decide(asking, full)
                == .none(
                    because: "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread "
                        + "constraints. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
                ))
    }

    @Test("a node without the label is no place to spread over")
    func missingLabel() {
        #expect(
            Self.decide(Self.pod("c", spread: Self.spread()), Self.nodes([[]]))
                == Self.refusal(
                    "node(s) didn't match pod topology spread constraints (missing required label)",
                    "Preemption is not helpful for scheduling"))
    }

    @Test("fewer places than are asked for count as if one were empty")
    func minDomains() {
        let nodes = Self.nodes([[Self.pod("a")]], zones: ["a"])
        #expect(Self.decide(Self.pod("c", spread: Self.spread()), nodes) == .node("node-0"))
        #expect(
            Self.decide(Self.pod("c", spread: Self.spread(more: ["minDomains": 2])), nodes) != .node("node-0"))
    }

    @Test("what may be broken decides between nodes")
    func spreadsSoft() {
        let pod = Self.pod("c", spread: Self.spread("ScheduleAnyway"))
        #expect(Self.decide(pod, Self.nodes([[Self.pod("a")], []], zones: ["a", "b"])) == .node("node-1"))
        #expect(Self.decide(pod, Self.nodes([[Self.pod("a")]], zones: ["a"])) == .node("node-0"))
    }

    @Test("preferences choose among nodes that fit")
    func preferences() {
        func preferring(_ affinity: JSONValue) -> KubeObject { Self.pod("b", affinity: affinity) }
        let nodes = Self.nodes([[], [Self.pod("db-0", app: "db")]], zones: ["a", "b"])
        let zone: JSONValue = [
            "weight": 10, "preference": ["matchExpressions": [["key": "zone", "operator": "In", "values": ["b"]]]],
        ]
        #expect(
            Self.decide(
                preferring(["nodeAffinity": ["preferredDuringSchedulingIgnoredDuringExecution": [zone]]]), nodes)
                == .node("node-1"))
        let weighted: JSONValue = ["weight": 10, "podAffinityTerm": Self.term("db")]
        #expect(
            Self.decide(
                preferring(["podAffinity": ["preferredDuringSchedulingIgnoredDuringExecution": [weighted]]]), nodes)
                == .node("node-1"))
        #expect(
            Self.decide(
                preferring(["podAntiAffinity": ["preferredDuringSchedulingIgnoredDuringExecution": [weighted]]]),
                Array(nodes.reversed())) == .node("node-0"))
    }

    @Test("a taint that asks for preference makes a node the last choice")
    func discouraging() {
        let taint: JSONValue = ["taints": [["key": "old", "effect": "PreferNoSchedule"]]]
        let nodes = [makeState(makeNode("a", spec: taint)), makeState(makeNode("b"))]
        #expect(Self.decide(makePod(), nodes) == .node("b"))
    }

    @Test("ending weaker pods makes room also where anti-affinity stands in the way")
    func preemption() {
        let anti = Self.required("podAntiAffinity", Self.term("web"))
        let weak = Self.pod("a", priority: 1)
        let strong = Self.pod("b", affinity: anti, priority: 10)
        #expect(
            Self.decide(strong, Self.nodes([[weak]]))
                == .preempting(
                    [Pod(weak)], node: "node-0",
                    because: "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules."))
    }
}
