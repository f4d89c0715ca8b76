import ContainerRuntime
import Glibc
import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import ClusterNetwork

@Suite(
    "Network policies in force", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: RuntimeProbe.run().level == .sandbox, "this machine denies namespaces, so nothing can be enforced")
)
struct PolicyEnforcementTests {
    /// A cluster with sandboxed pods that run nothing: who may call them is refused, who may not hears nothing.
    private struct Bed {
        let client: any ClusterClient
        let runtime: SandboxRuntime
        let datapath: LoopbackDatapath

        func start(_ name: String, _ address: String, namespace: String) async throws {
            try await runtime.runPodSandbox(
                PodSandboxConfiguration(
                    podUID: name, name: name, namespace: namespace, hostName: name, address: address,
                    resolverConfiguration: "", hosts: ""))
            var pod = KubeObject(.pods, namespace: namespace, name: name)
            pod.labels = ["app": name]
            pod.value["spec"] = ["containers": [["name": "main", "image": "web:1.0"]]]
            var made = try await client.create(.pods, pod)
            made.value["status"] = [
                "phase": "Running", "podIP": .string(address), "podIPs": [["ip": .string(address)]],
            ]
            _ = try await client.updateStatus(.pods, made)
        }

        func isAllowed(from pod: String, _ address: String, _ port: Int = 80) async throws -> Bool {
            do throws(ConnectError) {
                close(
                    try await runtime.connect(
                        address: address, port: port, insidePod: pod, timeout: .milliseconds(150)))
                return true
            } catch {
                switch error {
                case .refused: return true
                case .timedOut: return false
                default: throw error
                }
            }
        }

        func apply(_ name: String, _ spec: JSONValue) async throws {
            var policy = KubeObject(.networkPolicies, namespace: "shop", name: name)
            policy.value["spec"] = spec
            _ = try await client.create(.networkPolicies, policy)
        }

        func label(_ resource: ResourceType, _ name: String, in namespace: String?, _ labels: JSONValue) async throws {
            _ = try await client.patch(
                resource, namespace: namespace, name: name, .merge(["metadata": ["labels": labels]]),
                subresource: nil, options: WriteOptions())
        }
    }

    private static let (web, db, stranger) = ("10.244.0.2", "10.244.0.3", "10.244.0.4")

    private func withBed(_ body: @escaping @Sendable (Bed) async throws -> Void) async throws {
        let cluster = try MemoryCluster()
        let runtime = try SandboxRuntime(images: .ofThisProgram(), logs: ContainerLogs())
        let datapath = LoopbackDatapath(before: runtime)
        let network = ClusterNetwork(client: cluster.client, datapath: datapath, level: .sandbox)
        let bed = Bed(client: cluster.client, runtime: runtime, datapath: datapath)
        do {
            try await cluster.running([network]) {
                await network.waitUntilReady()
                for name in ["shop", "other"] {
                    _ = try await bed.client.create(.namespaces, KubeObject(.namespaces, namespace: nil, name: name))
                }
                try await bed.start("web", Self.web, namespace: "shop")
                try await bed.start("db", Self.db, namespace: "shop")
                try await bed.start("stranger", Self.stranger, namespace: "other")
                try await body(bed)
            }
        } catch {
            await runtime.shutDown()
            throw error
        }
        await runtime.shutDown()
    }

    /// How many pods may call an address, going by the rules in force.
    private static func callers(_ rules: PolicyRules, of address: String) -> Int? {
        rules.isolations.first { $0.pod.description == address && $0.direction == .ingress }?.allowed
            .map { if case .pods(let pods) = $0.peer { pods.count } else { 0 } }.reduce(0, +)
    }

    @Test("who may call a pod follows the labels of pods and of namespaces")
    func labels() async throws {
        try await withBed { bed in
            #expect(try await bed.isAllowed(from: "stranger", Self.db))
            try await bed.apply(
                "db",
                [
                    "podSelector": ["matchLabels": ["app": "db"]],
                    "ingress": [
                        [
                            "from": [
                                ["podSelector": ["matchLabels": ["role": "client"]]],
                                ["namespaceSelector": ["matchLabels": ["trusted": "yes"]]],
                            ]
                        ]
                    ],
                ])
            await bed.datapath.waitForPolicies { Self.callers($0, of: Self.db) == 0 }
            #expect(try await !bed.isAllowed(from: "web", Self.db))
            #expect(try await !bed.isAllowed(from: "stranger", Self.db))
            #expect(try await bed.isAllowed(from: "db", Self.web))
            try await bed.label(.pods, "web", in: "shop", ["role": "client"])
            await bed.datapath.waitForPolicies { Self.callers($0, of: Self.db) == 1 }
            #expect(try await bed.isAllowed(from: "web", Self.db))
            #expect(try await !bed.isAllowed(from: "stranger", Self.db))
            try await bed.label(.namespaces, "other", in: nil, ["trusted": "yes"])
            await bed.datapath.waitForPolicies { Self.callers($0, of: Self.db) == 2 }
            #expect(try await bed.isAllowed(from: "stranger", Self.db))
            try await bed.label(.pods, "web", in: "shop", ["role": .null])
            await bed.datapath.waitForPolicies { Self.callers($0, of: Self.db) == 1 }
            #expect(try await !bed.isAllowed(from: "web", Self.db))
            try await bed.client.delete(
                .networkPolicies, namespace: "shop", name: "db", options: DeleteOptions())
            await bed.datapath.waitForPolicies { $0.isolations.isEmpty }
            #expect(try await bed.isAllowed(from: "web", Self.db))
        }
    }

    @Test("a namespace that denies everything lets out no question to DNS either, until a policy does")
    func dns() async throws {
        try await withBed { bed in
            try await bed.apply("deny", ["podSelector": [:], "policyTypes": ["Ingress", "Egress"]])
            await bed.datapath.waitForPolicies { $0.isolations.count == 4 }
            #expect(try await !bed.isAllowed(from: "web", Self.db))
            #expect(try await !bed.isAllowed(from: "web", "10.96.0.10", 53))
            #expect(try await bed.isAllowed(from: "stranger", "10.96.0.10", 53))
            try await bed.apply(
                "dns",
                [
                    "podSelector": [:], "policyTypes": ["Egress"],
                    "egress": [
                        [
                            "to": [
                                [
                                    "namespaceSelector": [
                                        "matchLabels": ["kubernetes.io/metadata.name": "kube-system"]
                                    ], "podSelector": ["matchLabels": ["k8s-app": "kube-dns"]],
                                ]
                            ], "ports": [["protocol": "TCP", "port": 53], ["protocol": "UDP", "port": 53]],
                        ]
                    ],
                ])
            await bed.datapath.waitForPolicies { $0.isolations.contains { $0.allowed.count == 2 } }
            #expect(try await bed.isAllowed(from: "web", "10.96.0.10", 53))
            #expect(try await !bed.isAllowed(from: "web", Self.db))
        }
    }
}
