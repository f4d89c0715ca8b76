import ClusterNetwork
import ContainerRuntime
import KubeClient
import KubeModel
import LabTesting
import Synchronization

/// How long the change of an endpoint takes from its write to the last rule in the kernel.
///
/// A store in memory, the network of a cluster, and the kernel's own rules; no pods, so that nothing else happens meanwhile.
enum ServiceLoad {
    private static let serviceCount = 200
    private static let changes = 101

    static func run() async throws {
        let runtime = try SandboxRuntime(images: .ofThisProgram(), logs: ContainerLogs())
        let kernel = WatchedRules(runtime)
        let cluster = try MemoryCluster()
        for service in 0..<serviceCount {
            _ = try await cluster.client.create(.services, makeService(service))
            _ = try await cluster.client.create(.endpointSlices, makeSlice(service, generation: 0))
        }
        let network = ClusterNetwork(
            client: cluster.client, datapath: kernel, level: .sandbox,
            configuration: ClusterNetworkConfiguration(opensNodePorts: false))
        let times = try await cluster.running([network]) {
            await kernel.wait(for: address(serviceCount - 1, generation: 0))
            var times: [Duration] = []
            for turn in 1...changes {
                let service = turn % serviceCount
                let slice = makeSlice(service, generation: turn)
                let began = ContinuousClock.now
                _ = try await cluster.client.update(.endpointSlices, slice, subresource: nil, options: WriteOptions())
                await kernel.wait(for: address(service, generation: turn))
                times.append(.now - began)
            }
            return times
        }
        Report.line(
            "an endpoint of 200 Services x 3 -> in the kernel", Report.spread(times), "target: under 10 ms")
        await runtime.shutDown()
    }

    private static func address(_ service: Int, generation: Int) -> String {
        "10.244.\(generation).\(service + 2)"
    }

    private static func makeService(_ number: Int) -> KubeObject {
        var service = KubeObject(.services, namespace: "default", name: "s\(number)")
        service.value["spec"] = ["ports": [["port": 80, "targetPort": 8080]], "selector": ["app": "s"]]
        return service
    }

    private static func makeSlice(_ service: Int, generation: Int) -> KubeObject {
        var slice = KubeObject(.endpointSlices, namespace: "default", name: "s\(service)")
        slice.labels = ["kubernetes.io/service-name": "s\(service)"]
        slice.value["addressType"] = "IPv4"
        slice.value["ports"] = [["name": "", "port": 8080, "protocol": "TCP"]]
        let addresses = [
            address(service, generation: generation), "10.244.200.\(service + 2)", "10.244.201.\(service + 2)",
        ]
        slice.value["endpoints"] = .array(
            addresses.map { ["addresses": [.string($0)], "conditions": ["ready": true]] })
        return slice
    }
}

/// A datapath that tells when a backend is in force.
private final class WatchedRules: NetworkDatapath {
    private struct State {
        var addresses: Set<String> = []
        var waiter: (address: String, continuation: CheckedContinuation<Void, Never>)?
    }

    private let runtime: SandboxRuntime
    private let state = Mutex(State())

    init(_ runtime: SandboxRuntime) { self.runtime = runtime }

    /// Returns when connections go to a backend; for one caller at a time.
    func wait(for address: String) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.addresses.contains(address) { return true }
                state.waiter = (address, continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    func apply(_ rules: [ServiceRule]) async throws(RuntimeError) {
        try await runtime.apply(rules)
        let addresses = Set(rules.flatMap(\.backends).map(\.address))
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.addresses = addresses
            guard let waiter = state.waiter, addresses.contains(waiter.address) else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        waiter?.resume()
    }

    func apply(_ policies: PolicyRules) async throws(RuntimeError) { try await runtime.apply(policies) }

    func listen(_ transport: TransportProtocol, address: String, port: Int) async throws(RuntimeError) -> Int32 {
        try await runtime.listen(transport, address: address, port: port)
    }

    func connect(
        address: String, port: Int, insidePod podUID: String?, timeout: Duration
    ) async throws(ConnectError) -> Int32 {
        try await runtime.connect(address: address, port: port, insidePod: podUID, timeout: timeout)
    }
}
