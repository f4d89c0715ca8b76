import ContainerRuntime
import KubeModel
import LabTesting
import Testing

@testable import ClusterNetwork

/// What is kept up change by change has to be what all objects come to.
@Suite("Service table", .timeLimit(.minutes(5)))
struct ServiceTableTests {
    private static let reserved: Set<ServicePlan.ReservedSocket> = [.init(address: "10.96.0.3", port: 80)]
    private static let nodes = (0..<2).map {
        ServicePlan.Node(number: $0, name: "node-\($0)")
    }

    /// A cluster in which anything may change: few names, so that objects come, change and go.
    private struct Cluster {
        var services: [ObjectKey: KubeObject] = [:]
        var slices: [ObjectKey: KubeObject] = [:]
        var pods: [ObjectKey: KubeObject] = [:]
        var balancers: [ObjectKey: IPv4Address] = [:]
        var random: SeededGenerator

        mutating func key(_ prefix: String) -> ObjectKey {
            ObjectKey(
                namespace: ["shop", "bank"].randomElement(using: &random),
                name: prefix + String(Int.random(in: 0..<6, using: &random)))
        }

        mutating func service(_ key: ObjectKey) -> KubeObject {
            let type = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"].randomElement(using: &random) ?? ""
            // Two Services may claim one address: the first has it.
            let address = ["None", "", "10.96.0.2", "10.96.0.3", "10.96.0.4"].randomElement(using: &random) ?? ""
            var object = Fixture.service(
                key.name, namespace: key.namespace ?? "", clusterIP: address,
                ports: [
                    ["name": "http", "port": 80, "nodePort": .int(Int64.random(in: 30000..<30010, using: &random))]
                ],
                type: type, version: Int.random(in: 0..<1000, using: &random))
            if Bool.random(using: &random) { object.value[["spec", "sessionAffinity"]] = "ClientIP" }
            if type == "ExternalName" { object.value[["spec", "externalName"]] = "www.example.com" }
            return object
        }

        mutating func slice(_ key: ObjectKey) -> KubeObject {
            let endpoints = (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                Fixture.endpoint(
                    "10.244.0.\(Int.random(in: 2..<8, using: &random))", ready: Bool.random(using: &random),
                    serving: Bool.random(using: &random), terminating: Bool.random(using: &random),
                    hostName: Bool.random(using: &random) ? "db" : nil)
            }
            var object = Fixture.slice(
                of: "s\(Int.random(in: 0..<6, using: &random))", namespace: key.namespace ?? "",
                ports: [["name": "http", "port": .int(Int64.random(in: 8080..<8083, using: &random))]],
                endpoints: endpoints)
            object.name = key.name
            if Int.random(in: 0..<6, using: &random) == 0 { object.labels = [:] }
            return object
        }

        mutating func pod(_ key: ObjectKey) -> KubeObject {
            KubeObject([
                "metadata": [
                    "name": .string(key.name), "namespace": .string(key.namespace ?? ""), "uid": .string("\(key)"),
                ],
                "spec": [
                    "containers": [
                        ["name": "web", "ports": [["hostPort": .int(Int64.random(in: 80..<83, using: &random))]]]
                    ]
                ],
                "status": ["phase": "Running", "podIP": "10.244.0.5", "hostIP": "127.200.0.1"],
            ])
        }

        /// Changes something, and takes it into the table.
        mutating func step(_ table: inout ServiceTable) {
            let isGone = Int.random(in: 0..<4, using: &random) == 0
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1:
                let key = key("s")
                services[key] = isGone ? nil : service(key)
                table.set(service: key, services[key])
            case 2:
                let key = key("p")
                pods[key] = isGone ? nil : pod(key)
                table.set(pod: key, pods[key])
            case 3:
                balancers[key("s")] = isGone ? nil : IPv4Address(127, 88, 0, UInt8.random(in: 1..<5, using: &random))
                table.set(balancers: balancers)
            default:
                let key = key("e")
                slices[key] = isGone ? nil : slice(key)
                table.set(slice: key, slices[key])
            }
        }
    }

    @Test("after any changes the plan and the names are those of all objects", arguments: 1...20 as ClosedRange<UInt64>)
    func sameAsWhole(seed: UInt64) throws {
        let domain = try #require(DNSName("cluster.local"))
        var cluster = Cluster(random: SeededGenerator(seed: seed))
        var table = ServiceTable(reserved: Self.reserved, nodes: Self.nodes)
        var zone = DNSZone(domain: domain)
        for turn in 0..<60 {
            for _ in 0..<Int.random(in: 1..<5, using: &cluster.random) { cluster.step(&table) }
            let (plan, touched) = table.update()
            for key in touched {
                zone.set(
                    key,
                    to: table.services[key].map { ServiceNames($0, table.endpoints.slices(of: key), in: domain) })
            }
            let whole = ServicePlan(
                services: Array(cluster.services.values), slices: Array(cluster.slices.values),
                pods: Array(cluster.pods.values), reserved: Self.reserved, balancers: cluster.balancers,
                nodes: Self.nodes)
            #expect(plan == whole, "seed \(seed), turn \(turn)")
            let names = DNSZone(
                domain: domain, services: Array(cluster.services.values), slices: Array(cluster.slices.values))
            #expect(zone.records.mapValues(Set.init) == names.records.mapValues(Set.init), "seed \(seed), turn \(turn)")
            #expect(zone.counts == names.counts, "seed \(seed), turn \(turn)")
        }
    }

    @Test("only the Services that a change is about are looked at again")
    func touched() {
        var table = ServiceTable(reserved: [], nodes: Self.nodes)
        let keys = (0..<3).map { ObjectKey(namespace: "shop", name: "s\($0)") }
        for key in keys {
            table.set(service: key, Fixture.service(key.name, clusterIP: "10.96.0.2", ports: [["port": 80]]))
        }
        #expect(table.update().touched == Set(keys))
        #expect(table.update().touched.isEmpty)
        // A slice that moves from one Service to another is about both.
        let slice = ObjectKey(namespace: "shop", name: "e")
        table.set(slice: slice, Fixture.slice(of: "s0", ports: [], endpoints: []))
        #expect(table.update().touched == [keys[0]])
        table.set(slice: slice, Fixture.slice(of: "s2", ports: [], endpoints: []))
        #expect(table.update().touched == [keys[0], keys[2]])
        table.set(slice: slice, nil)
        #expect(table.update().touched == [keys[2]])
    }
}
