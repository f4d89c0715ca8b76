import ContainerRuntime
import Foundation
import Glibc
import KubeClient
import Testing

/// Sandboxed pods with a web server each, and connections between them: every connection is made from inside a pod's network.
struct NetworkBed {
    let runtime: SandboxRuntime
    private let folder = NSTemporaryDirectory() + "/network-test-\(UUID().uuidString.prefix(8))"

    /// The addresses of pods `a`, `b`, `c` and so on.
    static func address(_ pod: String) -> IPv4Address {
        IPv4Address(10, 244, 0, 2 + (pod.utf8.first ?? 0) - UInt8(ascii: "a"))
    }

    /// Runs `body` with pods whose web servers listen on port 80; their answers name them.
    ///
    /// - Parameter onNode: The pod that is in the node's network.
    static func run(
        pods: [String], onNode: String? = nil, _ body: (NetworkBed) async throws -> Void
    ) async throws {
        let bed = NetworkBed(runtime: try SandboxRuntime(images: .ofThisProgram(), logs: ContainerLogs()))
        do {
            for pod in pods { try await bed.start(pod, isOnNode: pod == onNode) }
            try await body(bed)
        } catch {
            await bed.end()
            throw error
        }
        await bed.end()
    }

    private func end() async {
        await runtime.shutDown()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func start(_ pod: String, isOnNode: Bool) async throws {
        var configuration = PodSandboxConfiguration(
            podUID: pod, name: pod, namespace: "default", hostName: pod, address: Self.address(pod).description,
            resolverConfiguration: "nameserver 10.96.0.10\n", hosts: "127.0.0.1 localhost\n")
        configuration.isInNodeNetwork = isOnNode
        try await runtime.runPodSandbox(configuration)
        let image = try await runtime.pullImage("web:1.0")
        _ = try await runtime.startContainer(
            ContainerConfiguration(
                podUID: pod, name: "web", image: image, arguments: image.entrypoint, environment: ["PORT=80"],
                logPath: "\(folder)/\(pod).log"))
        // The server listens a moment after its program has started.
        while true {
            do throws(ConnectError) {
                close(try await connect(from: pod, "127.0.0.1"))
                return
            } catch {
                guard error == .refused else { throw error }
            }
        }
    }

    private func connect(from pod: String, _ address: String, _ port: Int = 80) async throws(ConnectError) -> Int32 {
        try await runtime.connect(address: address, port: port, insidePod: pod, timeout: .seconds(2))
    }

    /// Asks for a page from inside a pod, and returns which pod answered.
    func ask(from pod: String, _ address: String, _ port: Int = 80) async throws -> String {
        try await answer(over: try await connect(from: pod, address, port))
    }

    /// Which pod answers over a connection that stands.
    func answer(over socket: Int32) async throws -> String {
        let response = try await HTTPFetch.get(
            connectedSocket: socket, host: "web", path: "/ready", timeout: .seconds(5))
        let object = try JSONSerialization.jsonObject(with: Data(response.text.utf8)) as? [String: Any]
        return object?["pod"] as? String ?? ""
    }

    /// What becomes of a connection that nothing refuses and nothing answers: `.timedOut` soon.
    func isReached(from pod: String, _ address: IPv4Address, _ port: Int = 80) async throws -> Bool {
        do throws(ConnectError) {
            let socket = try await runtime.connect(
                address: address.description, port: port, insidePod: pod, timeout: .milliseconds(150))
            close(socket)
            return true
        } catch {
            guard error == .timedOut else { throw error }
            return false
        }
    }
}
