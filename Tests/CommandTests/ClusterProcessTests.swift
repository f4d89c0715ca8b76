import ContainerRuntime
import Foundation
import KubeClient
import KubeModel
import Synchronization
import Testing

@Suite("The cluster's process", .timeLimit(.minutes(2))) struct ClusterProcessTests {
    private func client(_ program: Program) throws -> HTTPSClient {
        try HTTPSClient(kubeconfig: try Kubeconfig.load(path: program.kubeconfig, environment: [:]), context: nil)
    }

    private static func map(_ number: Int) -> KubeObject {
        var map = KubeObject(.configMaps, namespace: "default", name: "map-\(number)")
        map.value["data"] = ["number": .string("\(number)")]
        return map
    }

    @Test("SIGKILL in the middle of 1,000 writes loses none that was answered")
    func killedWhileWriting() async throws {
        try await Program.inNewHome { program in
            let up = try await program.run("cluster", "up", "--pace", "instant", "--port", "0")
            #expect(up.code == 0, "\(up.errors)")
            let process = try program.clusterProcess()
            let client = try client(program)
            let answered = Answered()
            await withTaskGroup(of: Void.self) { group in
                for writer in 0..<10 {
                    group.addTask {
                        for number in 0..<100 {
                            guard (try? await client.create(.configMaps, Self.map(writer * 100 + number))) != nil else {
                                return
                            }
                            if answered.add(writer * 100 + number) == 400 { kill(process, SIGKILL) }
                        }
                    }
                }
            }
            let known = answered.numbers
            #expect(400..<1000 ~= known.count, "killed after 400 answers, \(known.count) came")
            #expect(await Program.waitForEnd(of: [process]))

            #expect(try await program.run("cluster", "up").code == 0)
            let found = try await self.client(program).list(.configMaps, in: "default").items
            let numbers = Set(found.compactMap { $0.value[["data", "number"]]?.string.flatMap { Int($0) } })
            #expect(known.subtracting(numbers).isEmpty)
        }
    }

    @Test("a cluster of several nodes spreads pods over them, and one that is started with fewer moves them")
    func severalNodes() async throws {
        guard RuntimeProbe.run().level == .sandbox else { return }  // Several nodes are for that level alone.
        try await Program.inNewHome { program in
            let up = try await program.run("cluster", "up", "--pace", "instant", "--port", "0", "--nodes", "2")
            #expect(up.code == 0, "\(up.errors)")
            var set = KubeObject(.replicaSets, namespace: "default", name: "web")
            set.value["spec"] = [
                "replicas": 2, "selector": ["matchLabels": ["app": "web"]],
                "template": [
                    "metadata": ["labels": ["app": "web"]],
                    "spec": ["containers": [["name": "web", "image": "web:1.0"]]],
                ],
            ]
            _ = try await client(program).create(.replicaSets, set)
            func waitReady(on nodes: Set<String>) async throws {
                let pods = try await client(program).waitFor(.pods, namespace: "default", timeout: .seconds(30)) {
                    pods in
                    pods.count == 2 && pods.allSatisfy { Pod($0).isReady }
                        && Set(pods.map { Pod($0).nodeName }) == nodes
                }
                #expect(pods != nil, "\(nodes)")
            }
            try await waitReady(on: ["velocity", "velocity-2"])
            #expect(try await program.run("cluster", "down").code == 0)
            #expect(try await program.run("cluster", "up", "--nodes", "1").code == 0)
            try await waitReady(on: ["velocity"])
            #expect(try await client(program).list(.nodes).items.map(\.name) == ["velocity"])
        }
    }

    /// Who is ended, and how, before the cluster is deleted.
    enum Victim: CaseIterable {
        case none, clusterAsked, cluster, keeperOfNamespaces, container
    }

    @Test(
        "nothing is left of a cluster that is deleted, whoever of its processes was killed", arguments: Victim.allCases)
    func nothingLeft(victim: Victim) async throws {
        try await Program.inNewHome { program in
            #expect(try await program.run("cluster", "up", "--pace", "instant", "--port", "0").code == 0)
            let client = try client(program)
            var pod = KubeObject(.pods, namespace: "default", name: "web")
            pod.value["spec"] = [
                "containers": [
                    [
                        "name": "web", "image": "web:1.0", "resources": ["limits": ["memory": "256Mi", "cpu": "500m"]],
                        "volumeMounts": [["name": "scratch", "mountPath": "/scratch"]],
                    ]
                ], "volumes": [["name": "scratch", "emptyDir": ["medium": "Memory"]]],
            ]
            _ = try await client.create(.pods, pod)
            let isReady = try await client.waitFor(.pods, "web", in: "default", timeout: .seconds(30)) { pod in
                pod.map { Pod($0).isReady } ?? false
            }
            #expect(isReady)
            let family = Program.family(of: try program.clusterProcess())
            #expect(family.count >= 3, "the cluster, its keeper of namespaces, and the pod: \(family)")
            let leftovers = Leftovers(of: family, in: program.state)
            let keeper = try #require(family.first { Leftovers.name(of: $0) == "sandboxd" } ?? family.dropFirst().first)
            switch victim {
            case .none: break
            case .clusterAsked: kill(family[0], SIGTERM)
            case .cluster: kill(family[0], SIGKILL)
            case .keeperOfNamespaces:
                let kept = Program.family(of: keeper)
                kill(keeper, SIGKILL)
                // What it keeps goes with it, and then the cluster, which is of no use any more.
                #expect(await Program.waitForEnd(of: kept))
                #expect(await Program.waitForEnd(of: family))
                let log = try String(
                    contentsOfFile: program.state + "/clusters/velocitylab/logs/cluster.log", encoding: .utf8)
                #expect(log.contains("was killed, and the pods with it"), "\(log)")
            case .container: kill(family[family.count - 1], SIGKILL)
            }
            if victim == .cluster || victim == .clusterAsked { #expect(await Program.waitForEnd(of: family)) }
            #expect(try await program.run("cluster", "delete").code == 0)
            #expect(await Program.waitForEnd(of: family))
            #expect(leftovers.found.isEmpty)
            #expect(try await program.run("cluster", "status").code == 1)
        }
    }

    @Test("a second start finds the first, and a taken port is replaced and said")
    func taken() async throws {
        try await Program.inNewHome { program in
            try await Program.inNewHome { other in
                #expect(try await program.run("cluster", "up", "--pace", "instant", "--port", "0").code == 0)
                #expect(try await program.run("cluster", "up").errors.contains("runs already"))
                let status = try await program.run("cluster", "status", "--json").output
                let value = try JSONSerialization.jsonObject(with: Data(status.utf8)) as? [String: Any]
                let port = try #require(value?["port"] as? Int)
                let result = try await other.run("cluster", "up", "--pace", "instant", "--port", "\(port)")
                #expect(result.code == 0)
                #expect(result.errors.contains("Port \(port) is taken"))
            }
        }
    }

    @Test("where namespaces are denied, the cluster runs at level plain and says so")
    func denied() async throws {
        try await Program.inNewHome { program in
            let script =
                "echo 0 > /proc/sys/user/max_user_namespaces && echo 0 > /proc/sys/user/max_net_namespaces"
                + " && exec '\(Program.velocity)' cluster up --pace instant --port 0"
            let result = try await program.start("/usr/bin/unshare", ["--user", "--map-root-user", "sh", "-c", script])
            if result.errors.contains("unshare failed") {
                // This machine denies namespaces by itself: then the level is plain without further ado.
                #expect(RuntimeProbe.run().level == .plain)
                return
            }
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.contains("runtime plain"))
            #expect(result.errors.contains("The cluster runs at level 'plain'."))
            let client = try client(program)
            var pod = KubeObject(.pods, namespace: "default", name: "web")
            pod.value["spec"] = [
                "containers": [
                    [
                        "name": "web", "image": "web:1.0",
                        "readinessProbe": ["httpGet": ["path": "/ready", "port": 8080]],
                    ]
                ]
            ]
            _ = try await client.create(.pods, pod)
            #expect(
                try await client.waitFor(.pods, "web", in: "default", timeout: .seconds(30)) { pod in
                    pod.map { Pod($0).isReady } ?? false
                })
        }
    }
}

/// The writes that the server has answered.
private final class Answered: Sendable {
    private let known = Mutex<Set<Int>>([])

    var numbers: Set<Int> { known.withLock { $0 } }

    /// Returns how many there are now.
    func add(_ number: Int) -> Int {
        known.withLock { known in
            known.insert(number)
            return known.count
        }
    }
}
