import Glibc
import KubeClient
import KubeModel
import Synchronization
import Testing

@testable import ContainerRuntime

/// A plain runtime with a folder of its own for logs; everything is gone after `body`.
func withPlainRuntime(_ body: (PlainRuntime, PlainBench) async throws -> Void) async throws {
    var template = Array("/tmp/velocity-test-XXXXXX".utf8CString)
    let folder = String(cString: try #require(mkdtemp(&template)))
    let logs = ContainerLogs()
    let runtime = try PlainRuntime(images: .ofThisProgram(), logs: logs)
    let bench = PlainBench(runtime: runtime, logs: logs, folder: folder)
    do {
        try await body(runtime, bench)
    } catch {
        await runtime.shutDown()
        throw error
    }
    await runtime.shutDown()
    let inside = try #require(opendir(folder))
    while let entry = readdir(inside) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        unlink("\(folder)/\(name)")
    }
    closedir(inside)
    rmdir(folder)
}

/// Starts pods on a runtime as the kubelet does.
struct PlainBench {
    let runtime: PlainRuntime
    let logs: ContainerLogs
    let folder: String

    func address(_ number: UInt8) -> String {
        let network = runtime.podNetwork?.number ?? 0
        return IPv4Address(network | UInt32(number)).description
    }

    func pod(_ uid: String, _ number: UInt8) async throws {
        try await runtime.runPodSandbox(
            PodSandboxConfiguration(
                podUID: uid, name: uid, namespace: "shop", hostName: uid, address: address(number),
                resolverConfiguration: """
                    search shop.svc.cluster.local svc.cluster.local cluster.local
                    nameserver 10.96.0.10
                    options ndots:5

                    """, hosts: "127.0.0.1 localhost\n"))
    }

    func container(
        in pod: String, _ arguments: [String], image: String = "busybox", environment: [String] = [],
        mounts: [ContainerConfiguration.Mount] = [], name: String = "main",
        resources: ResourceAmounts = ResourceAmounts()
    ) async throws -> ContainerID {
        let image = try await runtime.pullImage(image)
        return try await runtime.startContainer(
            ContainerConfiguration(
                podUID: pod, name: name, image: image, arguments: arguments,
                environment: image.environment + environment, mounts: mounts, resources: resources,
                logPath: "\(folder)/\(pod)-\(name).log"))
    }

    func shell(in pod: String, _ script: String) async throws -> ContainerID {
        try await container(in: pod, ["bash", "-c", script])
    }

    /// The course's own server, started and listening.
    func server(in pod: String, port: Int) async throws -> ContainerID {
        let id = try await container(
            in: pod, ["payment-gateway"], image: "velocitytech/payment-gateway:optimized",
            environment: ["PORT=\(port)"])
        for try await piece in try logs.read("\(folder)/\(pod)-main.log", LogOptions(isFollowing: true)) {
            if String(decoding: piece, as: UTF8.self).contains("listening") { break }
        }
        return id
    }

    /// All that a container has printed, after its end.
    func output(of pod: String, name: String = "main") async throws -> String {
        var text = ""
        for try await piece in try logs.read("\(folder)/\(pod)-\(name).log", LogOptions()) {
            text += String(decoding: piece, as: UTF8.self)
        }
        return text
    }

    func get(_ address: String, _ port: Int, insidePod: String? = nil) async throws -> String {
        let descriptor = try await runtime.connect(
            address: address, port: port, insidePod: insidePod, timeout: .seconds(30))
        let response = try await HTTPFetch.get(
            connectedSocket: descriptor, host: address, path: "/health", timeout: .seconds(30))
        return String(decoding: response.body, as: UTF8.self)
    }
}
