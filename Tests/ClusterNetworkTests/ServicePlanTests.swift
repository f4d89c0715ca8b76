import ContainerRuntime
import KubeModel
import Testing

@testable import ClusterNetwork

@Suite("Service plan", .timeLimit(.minutes(5)))
struct ServicePlanTests {
    private let web = Fixture.service(
        "web", clusterIP: "10.96.0.50", ports: [["name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"]])

    @Test("ready endpoints of all slices of a Service are its backends, on the slice's port")
    func backends() {
        let slices = [
            Fixture.slice(
                of: "web", suffix: "a", ports: [["name": "http", "port": 8080, "protocol": "TCP"]],
                endpoints: [Fixture.endpoint("10.244.0.7"), Fixture.endpoint("10.244.0.5")]),
            Fixture.slice(
                of: "web", suffix: "b", ports: [["name": "http", "port": 9090, "protocol": "TCP"]],
                endpoints: [Fixture.endpoint("10.244.0.6"), Fixture.endpoint("10.244.0.8", ready: false)]),
        ]
        #expect(
            ServicePlan(services: [web], slices: slices).rules == [
                ServiceRule(
                    address: "10.96.0.50", port: 80, transport: .tcp,
                    backends: [
                        .init(address: "10.244.0.5", port: 8080), .init(address: "10.244.0.6", port: 9090),
                        .init(address: "10.244.0.7", port: 8080),
                    ])
            ])
    }

    @Test(
        "an endpoint gets traffic",
        arguments: [
            // ready, serving, terminating of the first endpoint; the second is ready or absent; who gets traffic
            (true, true, false, true, ["10.244.0.1", "10.244.0.2"]),
            (false, false, false, true, ["10.244.0.2"]),
            (false, true, true, true, ["10.244.0.2"]),
            // With nothing ready, what still serves while it ends goes on.
            (false, true, true, false, ["10.244.0.1"]),
            (false, false, true, false, []),
            (false, false, false, false, []),
        ] as [(Bool, Bool, Bool, Bool, [String])])
    func conditions(ready: Bool, serving: Bool, terminating: Bool, hasOther: Bool, expected: [String]) {
        var endpoints = [Fixture.endpoint("10.244.0.1", ready: ready, serving: serving, terminating: terminating)]
        if hasOther { endpoints.append(Fixture.endpoint("10.244.0.2")) }
        let slice = Fixture.slice(
            of: "web", ports: [["name": "http", "port": 8080, "protocol": "TCP"]], endpoints: endpoints)
        let rules = ServicePlan(services: [web], slices: [slice]).rules
        #expect(rules.map { $0.backends.map(\.address) } == [expected])
    }

    @Test("an endpoint without conditions is ready")
    func absentConditions() {
        let slice = Fixture.slice(
            of: "web", ports: [["name": "http", "port": 8080, "protocol": "TCP"]],
            endpoints: [["addresses": ["10.244.0.9"]]])
        #expect(ServicePlan(services: [web], slices: [slice]).rules.first?.backends.map(\.address) == ["10.244.0.9"])
    }

    @Test("ports are matched by name and protocol")
    func namedPorts() {
        let service = Fixture.service(
            "dns", clusterIP: "10.96.0.60",
            ports: [
                ["name": "dns", "port": 53, "protocol": "UDP"], ["name": "dns-tcp", "port": 53, "protocol": "TCP"],
                ["name": "metrics", "port": 9153, "protocol": "TCP"],
            ])
        let slice = Fixture.slice(
            of: "dns",
            ports: [
                ["name": "dns", "port": 5353, "protocol": "UDP"], ["name": "dns-tcp", "port": 5354, "protocol": "TCP"],
            ], endpoints: [Fixture.endpoint("10.244.0.3")])
        let rules = ServicePlan(services: [service], slices: [slice]).rules
        #expect(rules.map { "\($0.transport.rawValue) \($0.port)" } == ["UDP 53", "TCP 53", "TCP 9153"])
        #expect(rules.map { $0.backends.map(\.port) } == [[5353], [5354], []])
    }

    @Test("endpoints of a Service with the same name in another namespace are not its own")
    func namespaces() {
        let slice = Fixture.slice(
            of: "web", namespace: "other", ports: [["name": "http", "port": 8080, "protocol": "TCP"]],
            endpoints: [Fixture.endpoint("10.244.0.9")])
        #expect(ServicePlan(services: [web], slices: [slice]).rules.map(\.backends) == [[]])
    }

    @Test(
        "a Service that another proxy looks after has no rule",
        arguments: ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"])
    func foreign(label: String) {
        var service = web
        service.labels = [label: "x"]
        #expect(ServicePlan(services: [service], slices: []).rules.isEmpty)
        service.labels = ["app": "x"]
        #expect(ServicePlan(services: [service], slices: []).rules.count == 1)
    }

    @Test("headless Services, external names and reserved sockets have no rule")
    func withoutRules() {
        let port: JSONValue = ["port": 443, "protocol": "TCP"]
        let services = [
            Fixture.service("headless", clusterIP: "None", ports: [port]),
            Fixture.service("elsewhere", clusterIP: "", ports: [port], type: "ExternalName"),
            Fixture.service("kubernetes", namespace: "default", clusterIP: "10.96.0.1", ports: [port]),
        ]
        let plan = ServicePlan(services: services, slices: [], reserved: [.init(address: "10.96.0.1", port: 443)])
        #expect(plan.rules.isEmpty)
        #expect(ServicePlan(services: services, slices: []).rules.map(\.address) == ["10.96.0.1"])
    }

    @Test(
        "node ports belong to Services that have them",
        arguments: [("NodePort", [30080]), ("LoadBalancer", [30080, 80]), ("ClusterIP", [])] as [(String, [Int])])
    func nodePorts(type: String, expected: [Int]) {
        let service = Fixture.service(
            "web", clusterIP: "10.96.0.50", ports: [["port": 80, "nodePort": 30080, "protocol": "TCP"]], type: type)
        let balancers = type == "LoadBalancer" ? [ObjectKey(service): IPv4Address(127, 88, 0, 1)] : [:]
        let plan = ServicePlan(services: [service], slices: [], balancers: balancers)
        #expect(plan.hostPorts.map(\.port) == expected)
        // What is open on the host, pods reach at the same address.
        let sockets = zip(["127.200.0.1", "127.88.0.1"], expected).map { "\($0):\($1)" }
        #expect(plan.rules.map { "\($0.address):\($0.port)" } == ["10.96.0.50:80"] + sockets)
    }

    private static let nodes = (0..<2).map {
        ServicePlan.Node(number: $0, name: "node-\($0)")
    }

    @Test("where a node's port leads to its own pods only, one without pods has none behind it")
    func localNodePorts() {
        var service = Fixture.service(
            "web", clusterIP: "10.96.0.50", ports: [["port": 80, "nodePort": 30080, "protocol": "TCP"]],
            type: "NodePort")
        service.value["spec"]?["externalTrafficPolicy"] = "Local"
        let slice = Fixture.slice(
            of: "web", ports: [["port": 8080, "protocol": "TCP"]],
            endpoints: [Fixture.endpoint("10.244.1.2", nodeName: "node-1")])
        let plan = ServicePlan(services: [service], slices: [slice], nodes: Self.nodes)
        let pod = ["10.244.1.2"]
        #expect(plan.rules.map { $0.backends.map(\.address) } == [pod, [], pod])
        #expect(plan.rules.map(\.address) == ["10.96.0.50", "127.200.0.1", "127.200.0.2"])
        // 127.0.0.1 is no node's: whoever asks there is led on, as by a load balancer.
        #expect(plan.hostPorts.map { $0.addresses.map(\.description) } == [[], ["127.200.0.1"], ["127.200.0.2"]])
        #expect(plan.hostPorts.map { $0.backends.map(\.address) } == [pod, [], pod])
        #expect(Set(plan.hostPorts.map(\.id)).count == 3)
    }

    @Test(
        "within the cluster, a local policy leads each node's pods to the node's own endpoints, and to none elsewhere")
    func internalLocal() {
        var service = Fixture.service(
            "web", clusterIP: "10.96.0.50", ports: [["port": 80, "nodePort": 30080, "protocol": "TCP"]],
            type: "NodePort")
        service.value["spec"]?["internalTrafficPolicy"] = "Local"
        func slice(_ endpoints: [JSONValue]) -> KubeObject {
            Fixture.slice(of: "web", ports: [["port": 8080, "protocol": "TCP"]], endpoints: endpoints)
        }
        let plan = ServicePlan(
            services: [service], slices: [slice([Fixture.endpoint("10.244.1.2", nodeName: "node-1")])],
            nodes: Self.nodes)
        let own = plan.rules.filter { $0.address == "10.96.0.50" }
        let backends = own.map { "\($0.source?.description ?? "") \($0.backends.map(\.address))" }
        #expect(backends == ["10.244.0.0 []", "169.254.1.0 []", "10.244.255.0 []", #"10.244.1.0 ["10.244.1.2"]"#])
        // Nothing else is told apart.
        #expect(plan.rules.filter { $0.source == nil }.map { $0.backends.count } == [1, 1])
        #expect(plan.hostPorts.map { $0.backends.count } == [1])
        // With no endpoint anywhere, connections are refused, as without the policy.
        let empty = ServicePlan(services: [service], slices: [slice([])], nodes: Self.nodes)
        #expect(empty.rules.allSatisfy { $0.source == nil && $0.backends.isEmpty })
    }

    @Test("with several nodes, a node port is on each of them")
    func severalNodes() {
        let service = Fixture.service(
            "web", clusterIP: "10.96.0.50", ports: [["port": 80, "nodePort": 30080, "protocol": "TCP"]],
            type: "NodePort")
        let plan = ServicePlan(services: [service], slices: [], nodes: Self.nodes)
        #expect(plan.hostPorts.map(\.addresses) == [Self.nodes.map(\.address)])
        #expect(
            plan.rules.map { "\($0.address):\($0.port)" } == [
                "10.96.0.50:80", "127.200.0.1:30080", "127.200.0.2:30080",
            ])
    }

    @Test(
        "a pod's host ports are its node's, at the address that it names",
        arguments: [
            ([:], ["127.200.0.2:8080", "127.0.0.1:8080"]), (["hostIP": "127.0.0.1"], ["127.0.0.1:8080"]),
            (["protocol": "SCTP"], []),
        ] as [(JSONValue, [String])], [false, true])
    func hostPorts(example: (more: JSONValue, sockets: [String]), isOnNode: Bool) {
        var port = example.more
        port["hostPort"] = 8080
        port["containerPort"] = 80
        let pod = KubeObject([
            "metadata": ["name": "web", "namespace": "shop"],
            "spec": ["containers": [["name": "web", "ports": [port]]], "hostNetwork": .bool(isOnNode)],
            "status": ["phase": "Running", "podIP": "10.244.0.5", "hostIP": "127.200.0.2"],
        ])
        let rules = ServicePlan(services: [], slices: [], pods: [pod]).rules
        #expect(rules.map { "\($0.address):\($0.port)" } == (isOnNode ? [] : example.sockets))
        #expect(rules.allSatisfy { $0.backends == [.init(address: "10.244.0.5", port: 80)] })
    }

    @Test("plans do not depend on the order of objects")
    func order() {
        let services = (0..<5).map {
            Fixture.service("s\($0)", clusterIP: "10.96.1.\($0)", ports: [["port": 80, "protocol": "TCP"]])
        }
        let slices = (0..<5).map {
            Fixture.slice(
                of: "s\($0)", ports: [["port": 8080, "protocol": "TCP"]],
                endpoints: [Fixture.endpoint("10.244.0.\($0)"), Fixture.endpoint("10.244.1.\($0)")])
        }
        #expect(
            ServicePlan(services: services, slices: slices)
                == ServicePlan(services: services.reversed(), slices: slices.reversed()))
    }

    @Test("the table of rules is encoded big-endian, without what is not IPv4")
    func encoding() {
        let table = ServiceRuleTable([
            ServiceRule(
                address: "10.96.0.50", port: 80, transport: .tcp, backends: [.init(address: "10.244.0.5", port: 8080)]),
            ServiceRule(address: "fd00::1", port: 80, transport: .tcp, backends: []),
            ServiceRule(address: "10.96.0.51", port: 53, transport: .udp, backends: []),
            ServiceRule(
                address: "10.96.0.52", port: 80, transport: .tcp, backends: [], source: IPv4Address(10, 244, 1, 0)),
        ])
        let expected: [[UInt8]] = [
            Array("VSR3".utf8), [169, 254, 1, 1], [10, 96], [0, 4],
            [10, 96, 0, 50, 0, 80, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [10, 244, 0, 5, 0x1F, 0x90],
            [10, 96, 0, 51, 0, 53, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            // One for a network, and before it what says that there is such a rule.
            [10, 96, 0, 52, 0, 80, 6, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0],
            [10, 96, 0, 52, 0, 80, 6, 0, 0, 0, 0, 10, 244, 1, 0, 0, 0],
        ]
        #expect(table.bytes == expected.flatMap { $0 })
    }
}

@Suite("Pod addresses", .timeLimit(.minutes(5)))
struct PodAddressPoolTests {
    private let pool = PodAddressPool(network: IPv4Address(10, 244, 0, 0), prefixLength: 24)

    @Test("a pod keeps its address, and others get others")
    func stable() throws {
        #expect(try pool.assign("a") == "10.244.0.2")
        #expect(try pool.assign("b") == "10.244.0.3")
        #expect(try pool.assign("a") == "10.244.0.2")
    }

    @Test("an address that came back is given out last")
    func reuse() throws {
        let first = try pool.assign("a")
        pool.release("a")
        let others = try (0..<252).map { try pool.assign("pod-\($0)") }
        #expect(!others.contains(first))
        #expect(try pool.assign("last") == first)
    }

    @Test("a full network says so")
    func exhausted() throws {
        for index in 0..<253 { _ = try pool.assign("pod-\(index)") }
        #expect(throws: AddressError.exhausted(network: "10.244.0.0", count: 253)) { try pool.assign("one more") }
        pool.release("pod-7")
        #expect(try pool.assign("one more") == "10.244.0.9")
    }

    @Test("an address that a pod brings along is kept, unless it is not free")
    func reserve() throws {
        #expect(pool.reserve("10.244.0.2", for: "a"))
        #expect(!pool.reserve("10.244.0.2", for: "b"))
        #expect(!pool.reserve("10.244.1.2", for: "b"))
        #expect(!pool.reserve("10.244.0.255", for: "b"))
        #expect(!pool.reserve("fd00::1", for: "b"))
        #expect(try pool.assign("a") == "10.244.0.2")
        #expect(try pool.assign("b") == "10.244.0.3")
    }

    @Test(
        "only four decimal bytes are an address",
        arguments: ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1..2.3", "a.b.c.d", "1.2.3.4 ", "0001.2.3.4", "-1.2.3.4"])
    func parsing(text: String) {
        #expect(IPv4Address(parsing: text) == nil)
        #expect(IPv4Address(parsing: "10.96.0.255")?.description == "10.96.0.255")
    }
}
