import KubeModel
import Testing

@testable import Controllers

@Suite("Plan of a Service's endpoints", .timeLimit(.minutes(5))) struct EndpointsPlanTests {
    private func service(_ spec: JSONValue) -> KubeService {
        var object = KubeObject(.services, namespace: "default", name: "web")
        object.value["spec"] = spec
        if spec["selector"] == nil { object.value[["spec", "selector"]] = ["app": "web"] }
        return KubeService(object)
    }

    private let http: JSONValue = ["ports": [["port": 80, "targetPort": 8080]]]

    private func addresses(_ plan: EndpointsPlan, _ field: String) -> [String] {
        (plan.subsets.array ?? []).flatMap { ($0[field]?.array ?? []).compactMap { $0["ip"]?.string } }
    }

    private func conditions(_ plan: EndpointsPlan) -> [JSONValue] {
        plan.slices.flatMap { ($0.endpoints.array ?? []).compactMap { $0["conditions"] } }
    }

    @Test("ready pods and others are listed apart, in the order of their names")
    func readiness() {
        let plan = EndpointsPlan(
            service: service(http),
            pods: [
                .example("c", ip: "10.1.0.3"), .example("b", isReady: false, ip: "10.1.0.2"),
                .example("a", ip: "10.1.0.1"),
            ])
        #expect(addresses(plan, "addresses") == ["10.1.0.1", "10.1.0.3"])
        #expect(addresses(plan, "notReadyAddresses") == ["10.1.0.2"])
        #expect(
            conditions(plan) == [
                ["ready": true, "serving": true, "terminating": false],
                ["ready": false, "serving": false, "terminating": false],
                ["ready": true, "serving": true, "terminating": false],
            ])
    }

    @Test("pods with other labels, without address, or that have ended do not appear")
    func outsiders() {
        let plan = EndpointsPlan(
            service: service(http),
            pods: [
                .example("other", ip: "10.1.0.1", labels: ["app": "db"]), .example("homeless"),
                .example("ended", phase: "Succeeded", ip: "10.1.0.2"),
                .example("crashed", phase: "Failed", ip: "10.1.0.3"),
            ])
        #expect(plan.groups.isEmpty)
        #expect(plan.subsets == [])
        #expect(plan.slices.isEmpty)
    }

    @Test("a pod on its way out leaves Endpoints at once, and stays in the slice as terminating")
    func terminating() {
        let plan = EndpointsPlan(service: service(http), pods: [Pod.example("a", ip: "10.1.0.1").beingDeleted])
        #expect(plan.subsets == [])
        #expect(conditions(plan) == [["ready": false, "serving": true, "terminating": true]])
    }

    @Test("publishNotReadyAddresses lists every pod as ready; serving stays the truth")
    func unready() {
        var spec = http
        spec["publishNotReadyAddresses"] = true
        let plan = EndpointsPlan(
            service: service(spec),
            pods: [.example("a", isReady: false, ip: "10.1.0.1"), Pod.example("b", ip: "10.1.0.2").beingDeleted])
        #expect(addresses(plan, "addresses") == ["10.1.0.1", "10.1.0.2"])
        #expect(addresses(plan, "notReadyAddresses").isEmpty)
        #expect(
            conditions(plan) == [
                ["ready": true, "serving": false, "terminating": false],
                ["ready": true, "serving": true, "terminating": true],
            ])
    }

    @Test("a named port is looked up in each pod, and pods that differ form groups")
    func namedPorts() {
        func pod(_ name: String, _ ip: String, _ number: Int) -> Pod {
            .example(
                name, ip: ip,
                spec: [
                    "containers": [
                        [
                            "name": "main", "image": "web:1.0",
                            "ports": [["name": "http", "containerPort": JSONValue(number)]],
                        ]
                    ]
                ])
        }
        let plan = EndpointsPlan(
            service: service(["ports": [["port": 80, "targetPort": "http"]]]),
            pods: [
                pod("a", "10.1.0.1", 8080), pod("b", "10.1.0.2", 9090), pod("c", "10.1.0.3", 8080),
                .example("without", ip: "10.1.0.4"),
            ])
        #expect(plan.groups.map { $0.ports.map(\.number) } == [[8080], [9090]])
        #expect(plan.groups.map { $0.addresses.map(\.pod) } == [["a", "c"], ["b"]])
    }

    @Test("several ports keep their names and protocols; a port without target is its own")
    func severalPorts() {
        let plan = EndpointsPlan(
            service: service([
                "ports": [
                    ["name": "http", "port": 80, "targetPort": 8080],
                    ["name": "dns", "port": 53, "protocol": "UDP"],
                ]
            ]), pods: [.example("a", ip: "10.1.0.1")])
        #expect(
            plan.slices.map(\.ports) == [
                [
                    ["name": "http", "port": 8080, "protocol": "TCP"],
                    ["name": "dns", "port": 53, "protocol": "UDP"],
                ]
            ])
    }

    @Test("a headless Service without ports lists addresses only")
    func headless() {
        let plan = EndpointsPlan(
            service: service(["clusterIP": "None"]), pods: [.example("a", ip: "10.1.0.1")])
        #expect(addresses(plan, "addresses") == ["10.1.0.1"])
        #expect(plan.subsets.array?.first?["ports"] == nil)
    }

    @Test("a pod whose subdomain is the Service has a host name of its own")
    func hostName() {
        func pod(_ name: String, _ subdomain: String) -> Pod {
            .example(
                name, ip: "10.1.0.1",
                spec: [
                    "hostname": .string("host-\(name)"), "subdomain": .string(subdomain),
                    "containers": [["name": "main", "image": "web:1.0"]],
                ])
        }
        let plan = EndpointsPlan(service: service(http), pods: [pod("a", "web"), pod("b", "other")])
        #expect(plan.groups.flatMap { $0.addresses.map(\.hostName) } == ["host-a", nil])
    }

    @Test("a slice holds at most a hundred endpoints")
    func slices() {
        let pods = (100..<305).map { Pod.example("pod-\($0)", ip: "10.1.1.\($0 - 100)") }
        let plan = EndpointsPlan(service: service(http), pods: pods)
        #expect(plan.slices.map { $0.endpoints.array?.count } == [100, 100, 5])
        #expect(plan.subsets.array?.count == 1)
    }

    @Test("an address names its pod and its node")
    func references() {
        let plan = EndpointsPlan(service: service(http), pods: [.example("a", ip: "10.1.0.1")])
        let target: JSONValue = ["kind": "Pod", "name": "a", "namespace": "default", "uid": "uid-a"]
        let address = plan.subsets.array?.first?["addresses"]?.array?.first
        #expect(address?["targetRef"] == target)
        #expect(address?["nodeName"] == "node-1")
        let endpoint = plan.slices.first?.endpoints.array?.first
        #expect(endpoint?["addresses"] == ["10.1.0.1"])
        #expect(endpoint?["targetRef"] == target)
    }
}
