import APIServer
import Foundation
import KubeClient
import KubeModel
import LabTesting
import NIOCore
import NIOPosix

extension Fixture {
    /// A pod that runs on a node of local processes.
    @discardableResult
    func makeRunningPod(
        _ name: String = "web", containers: [String] = ["main"], agent: any NodeAgent = ProcessAgent(),
        spec: JSONValue = [:]
    ) async throws -> KubeObject {
        var pod = MemoryCluster.pod(name, node: "n1", spec: spec)
        pod.value[["spec", "containers"]] = .array(
            containers.map { ["name": .string($0), "image": "web:1.0", "stdin": true] })
        pod = try await client.create(.pods, pod)
        pod.value[["status", "phase"]] = "Running"
        pod.value[["status", "podIP"]] = "10.244.0.7"
        pod.value[["status", "podIPs"]] = [["ip": "10.244.0.7"]]
        pod.value[["status", "conditions"]] = [["type": "Ready", "status": "True"]]
        pod.value[["status", "containerStatuses"]] = .array(
            containers.map {
                [
                    "name": .string($0), "image": "web:1.0", "imageID": "", "ready": true, "restartCount": 0,
                    "state": ["running": ["startedAt": "2026-05-04T13:37:00Z"]],
                ]
            })
        server.setNodeAgent(agent, node: "n1")
        return try await client.updateStatus(.pods, pod)
    }
}

/// Runs an action with kubectl against a server that has a running pod `web`.
func withKubectl(
    agent: ProcessAgent = ProcessAgent(), containers: [String] = ["main"],
    _ action: @Sendable (Kubectl, Fixture, ProcessAgent) async throws -> Void
) async throws {
    try await withServer { fixture, kubeconfig, _ in
        try await fixture.makeRunningPod(containers: containers, agent: agent)
        let kubectl = try Kubectl(kubeconfig: kubeconfig)
        defer { kubectl.remove() }
        try await action(kubectl, fixture, agent)
    }
}

extension Kubectl {
    /// Runs a script of bash in which `kubectl` works.
    func script(_ text: String, environment: [String: String] = [:]) async throws -> Output {
        let file = try write("script-\(UInt64.random(in: 0 ... .max)).sh", text)
        return try await self(file, program: "/bin/bash", environment: environment)
    }
}

/// Runs an action while a server that answers every connection with `handle` listens on a port of 127.0.0.1.
func withBackend(
    _ handle: @escaping @Sendable (NIOAsyncChannel<ByteBuffer, ByteBuffer>) async throws -> Void,
    _ action: @Sendable (_ port: Int) async throws -> Void
) async throws {
    let server = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
        .childChannelOption(.allowRemoteHalfClosure, value: true)
        .childChannelOption(.autoRead, value: false)
        .bind(host: "127.0.0.1", port: 0) { channel in channel.eventLoop.makeSucceededFuture(channel) }
    let port = server.channel.localAddress?.port ?? 0
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            try await server.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await connection in connections {
                        group.addTask { try? await handle(try await takeBackend(connection)) }
                    }
                }
            }
        }
        try await action(port)
        group.cancelAll()
    }
}

/// Only when somebody serves it: an asynchronous channel that is let go of unserved ends the program.
private func takeBackend(_ channel: any Channel) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
    try await channel.eventLoop.submit {
        guard channel.isActive else { throw ChannelError.alreadyClosed }
        let taken = try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        channel.setOption(.autoRead, value: true).whenFailure { _ in channel.close(promise: nil) }
        return taken
    }.get()
}
