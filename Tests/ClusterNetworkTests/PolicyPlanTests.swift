import ContainerRuntime
import KubeModel
import Testing

@testable import ClusterNetwork

@Suite("Network policy plan", .timeLimit(.minutes(5)))
struct PolicyPlanTests {
    private static let (web, db, stranger) = (
        IPv4Address(10, 244, 0, 2), IPv4Address(10, 244, 0, 3), IPv4Address(10, 244, 0, 4)
    )

    private func pod(
        _ name: String, _ address: IPv4Address, namespace: String = "shop", ports: [JSONValue] = [],
        phase: String = "Running"
    ) -> KubeObject {
        var object = KubeObject(.pods, namespace: namespace, name: name)
        object.labels = ["app": name]
        object.value["spec"] = ["containers": [["name": "main", "ports": .array(ports)]]]
        object.value["status"] = ["podIP": .string(address.description), "phase": .string(phase)]
        return object
    }

    private func namespace(_ name: String, _ labels: [String: String] = [:]) -> KubeObject {
        var object = KubeObject(.namespaces, namespace: nil, name: name)
        object.labels = labels
        return object
    }

    private var pods: [KubeObject] {
        [
            pod("web", Self.web, ports: [["name": "http", "containerPort": 8080]]),
            pod(
                "db", Self.db, ports: [["name": "sql", "containerPort": 5432], ["name": "http", "containerPort": 80]]),
            pod("stranger", Self.stranger, namespace: "other"),
        ]
    }

    private func isolations(_ specs: JSONValue..., residents: [PolicyPlan.Party] = []) -> [PolicyRules.Isolation] {
        let policies = specs.enumerated().map { number, spec in
            var object = KubeObject(.networkPolicies, namespace: "shop", name: "policy-\(number)")
            object.value["spec"] = spec
            return object
        }
        let namespaces = [namespace("shop", ["team": "a"]), namespace("other", ["team": "b"])]
        return PolicyPlan(policies: policies, pods: pods, namespaces: namespaces, residents: residents)
            .rules.isolations
    }

    private func tcp(_ first: UInt16, _ last: UInt16? = nil) -> PolicyRules.Ports {
        PolicyRules.Ports(transport: 6, numbers: first...(last ?? first))
    }

    @Test("an empty selector isolates every pod of the namespace, in the direction that is named or implied")
    func directions() {
        #expect(
            isolations(["podSelector": [:]])
                == [Self.web, Self.db].map { .init(pod: $0, direction: .ingress, allowed: []) })
        #expect(
            isolations(["podSelector": ["matchLabels": ["app": "db"]], "policyTypes": ["Egress"]])
                == [.init(pod: Self.db, direction: .egress, allowed: [])])
        #expect(
            isolations(["podSelector": ["matchLabels": ["app": "db"]], "egress": [[:]]]) == [
                .init(pod: Self.db, direction: .ingress, allowed: []),
                .init(pod: Self.db, direction: .egress, allowed: [.init(peer: .anybody)]),
            ])
        #expect(isolations(["podSelector": ["matchLabels": ["app": "nobody"]]]).isEmpty)
    }

    @Test("what several policies allow adds up")
    func union() {
        let selector: JSONValue = ["matchLabels": ["app": "db"]]
        let found = isolations(
            ["podSelector": selector],
            ["podSelector": selector, "ingress": [["from": [["podSelector": ["matchLabels": ["app": "web"]]]]]]],
            ["podSelector": selector, "ingress": [["ports": [["port": 5432]]]]])
        #expect(
            found == [
                .init(
                    pod: Self.db, direction: .ingress,
                    allowed: [.init(peer: .pods([Self.web])), .init(peer: .anybody, ports: tcp(5432))])
            ])
    }

    private func peers(_ from: JSONValue...) -> [PolicyRules.Peer] {
        let spec: JSONValue = [
            "podSelector": ["matchLabels": ["app": "db"]], "ingress": [["from": .array(from)]],
        ]
        return isolations(spec)[0].allowed.map(\.peer)
    }

    @Test("a peer is pods of this namespace, of selected ones, some pods of selected ones, or a network")
    func peerKinds() throws {
        #expect(peers(["podSelector": [:]]) == [.pods([Self.web, Self.db])])
        #expect(peers(["namespaceSelector": [:]]) == [.pods([Self.web, Self.db, Self.stranger])])
        #expect(peers(["namespaceSelector": ["matchLabels": ["team": "b"]]]) == [.pods([Self.stranger])])
        #expect(
            peers([
                "namespaceSelector": ["matchLabels": ["team": "a"]],
                "podSelector": ["matchExpressions": [["key": "app", "operator": "NotIn", "values": ["db"]]]],
            ]) == [.pods([Self.web])])
        // Two items allow either; one that selects nobody allows nothing.
        #expect(
            peers(
                ["namespaceSelector": ["matchLabels": ["team": "b"]]], ["podSelector": ["matchLabels": ["app": "web"]]],
                ["podSelector": ["matchLabels": ["app": "nobody"]]])
                == [.pods([Self.stranger]), .pods([Self.web])])
        let block = try #require(PolicyRules.Block(parsing: "10.0.0.0/8"))
        let except = try #require(PolicyRules.Block(parsing: "10.1.0.0/16"))
        #expect(
            peers(["ipBlock": ["cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]]]) == [.block(block, except: [except])])
    }

    @Test("ports are numbers, ranges, all of a protocol, or names of the pod that is called")
    func ports() {
        let ports: JSONValue = [
            ["port": 80], ["protocol": "TCP", "port": 32000, "endPort": 32768], ["protocol": "UDP"],
            ["port": "sql"], ["port": "nonesuch"],
        ]
        let found = isolations([
            "podSelector": ["matchLabels": ["app": "db"]], "ingress": [["ports": ports]],
        ])
        #expect(
            found[0].allowed.map(\.ports) == [
                tcp(80), tcp(32000, 32768), .init(transport: 17, numbers: 0...65535), tcp(5432),
            ])
    }

    @Test("a port's name on the way out is looked up in each pod that may be called")
    func namedEgress() {
        let found = isolations([
            "podSelector": ["matchLabels": ["app": "web"]], "policyTypes": ["Egress"],
            "egress": [["to": [["podSelector": [:]]], "ports": [["port": "http"]]]],
        ])
        #expect(
            found[0].allowed == [
                .init(peer: .pods([Self.db]), ports: tcp(80)), .init(peer: .pods([Self.web]), ports: tcp(8080)),
            ])
    }

    @Test("DNS is selected like the pods that serve it in other clusters")
    func residents() {
        let dns = PolicyPlan.Party(
            address: IPv4Address(10, 96, 0, 10), namespace: "other", labels: ["k8s-app": "kube-dns"])
        let found = isolations(
            [
                "podSelector": ["matchLabels": ["app": "web"]], "policyTypes": ["Egress"],
                "egress": [
                    [
                        "to": [
                            [
                                "namespaceSelector": ["matchLabels": ["team": "b"]],
                                "podSelector": ["matchLabels": ["k8s-app": "kube-dns"]],
                            ]
                        ],
                        "ports": [["protocol": "UDP", "port": 53]],
                    ]
                ],
            ], residents: [dns])
        #expect(
            found[0].allowed == [
                .init(peer: .pods([dns.address]), ports: .init(transport: 17, numbers: 53...53))
            ])
    }

    @Test("a pod that has ended has no address any more")
    func ended() {
        var policy = KubeObject(.networkPolicies, namespace: "shop", name: "deny")
        policy.value["spec"] = ["podSelector": [:]]
        let plan = PolicyPlan(policies: [policy], pods: [pod("job", Self.web, phase: "Succeeded")], namespaces: [])
        #expect(plan.rules.isolations.isEmpty)
    }
}
