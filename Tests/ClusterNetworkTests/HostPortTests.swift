import ContainerRuntime
import Glibc
import KubeModel
import NIOCore
import Synchronization
import Testing

@testable import ClusterNetwork

@Suite("Node ports", .timeLimit(.minutes(1)))
struct NodePortTests {
    private let datapath = LoopbackDatapath()
    private let key = ObjectKey(namespace: "shop", name: "web")

    /// Runs `body` with node ports whose listeners run in a task group.
    private func withListeners(_ body: (NodePortListeners) async throws -> Void) async throws {
        let forwarder = StreamForwarder()
        try await withThrowingDiscardingTaskGroup { group in
            let (jobs, newJobs) = AsyncStream<@Sendable () async -> Void>.makeStream()
            group.addTask {
                await withDiscardingTaskGroup { group in
                    for await job in jobs { group.addTask { await job() } }
                }
            }
            let listeners = NodePortListeners(forwarder: forwarder, datapath: datapath) { newJobs.yield($0) }
            try await body(listeners)
            await listeners.closeAll()
            newJobs.finish()
        }
        #expect(forwarder.openCount == 0)
    }

    private static var hasVersion6: Bool { (try? HostSocket(.v6, port: 0)) != nil }

    /// A free port below those that the kernel gives to outgoing connections, which other tests make all the time.
    private func freePort() throws -> Int {
        while true {
            let port = UInt16.random(in: 15_000..<30_000)
            if (try? HostSocket(.v4, port: port)) != nil { return Int(port) }
        }
    }

    private func nodePort(_ port: Int, _ addresses: [String], version: Int = 1) -> ServicePlan.NodePort {
        ServicePlan.NodePort(
            port: port, service: key, resourceVersion: "\(version)",
            backends: addresses.map { ServiceRule.Backend(address: $0, port: 8080) })
    }

    @Test("a port leads to each of its endpoints, and refuses without any")
    func endpoints() async throws {
        let (first, second) = (try await Speaker.start("one"), try await Speaker.start("two"))
        datapath.route("10.244.0.2", 8080, to: first.port)
        datapath.route("10.244.0.3", 8080, to: second.port)
        let port = try freePort()
        let gone = try freePort()
        let bound = try HostSocket(.v4, port: UInt16(gone))
        defer { withExtendedLifetime(bound) {} }
        try await withListeners { listeners in
            var refusals = await listeners.update(to: [nodePort(port, [])]).refusals
            await #expect(throws: (any Error).self) { try await Speaker.ask(port, "") }
            refusals += await listeners.update(to: [nodePort(port, ["10.244.0.2", "10.244.0.3"])]).refusals
            var heard: Set<String> = []
            while heard.count < 2 { heard.insert(try await Speaker.ask(port, "hi")) }
            #expect(heard == ["one:hi", "two:hi"])
            // An endpoint that has gone is passed over: its port is bound, but nobody listens.
            datapath.route("10.244.0.2", 8080, to: gone)
            for _ in 0..<8 { #expect(try await Speaker.ask(port, "hi") == "two:hi") }
            refusals += await listeners.update(to: [nodePort(port, [])]).refusals
            await #expect(throws: (any Error).self) { try await Speaker.ask(port, "") }
            refusals += await listeners.update(to: [nodePort(port, ["10.244.0.3"])]).refusals
            #expect(try await Speaker.ask(port, "again") == "two:again")
            refusals += await listeners.update(to: []).refusals
            await #expect(throws: (any Error).self) { try await Speaker.ask(port, "") }
            #expect(refusals.isEmpty)
        }
        await first.stop()
        await second.stop()
    }

    @Test("a port leads to its endpoints on ::1 too, where there is one")
    func version6() async throws {
        let server = try await Speaker.start("one")
        datapath.route("10.244.0.2", 8080, to: server.port)
        let port = try freePort()
        let hasVersion6 = Self.hasVersion6
        try await withListeners { listeners in
            #expect(await listeners.update(to: [nodePort(port, ["10.244.0.2"])]) == .init())
            guard hasVersion6 else { return }
            let answer = try await Speaker.ask("::1", port, [])
            #expect(answer == Array("one:".utf8))
        }
        await server.stop()
    }

    @Test("a port that is taken is reported once, and tried again until it is free")
    func taken() async throws {
        let server = try await Speaker.start("one")
        datapath.route("10.244.0.2", 8080, to: server.port)
        let port = try freePort()
        var other: Int32? = try HostSocket(.v4, port: UInt16(port)).listen()
        defer { if let other { close(other) } }
        try await withListeners { listeners in
            let refusals = await listeners.update(to: [nodePort(port, ["10.244.0.2"])]).refusals
            #expect(
                refusals.map(\.message) == [
                    "Port \(port) on 127.0.0.1 of this machine is taken by another program. "
                        + "End that program, or give the Service another nodePort."
                ])
            #expect(await listeners.update(to: [nodePort(port, ["10.244.0.2"])]) == .init())
            #expect(await listeners.update(to: [nodePort(port, [])]) == .init())
            #expect(await listeners.update(to: [nodePort(port, ["10.244.0.2"], version: 2)]).refusals.count == 1)
            #expect(listeners.hasRefusals)
            if let descriptor = other.take() { close(descriptor) }
            let outcome = await listeners.update(to: [nodePort(port, ["10.244.0.2"], version: 2)])
            #expect(outcome.refusals.isEmpty && outcome.recoveries.map(\.port) == [port])
            #expect(!listeners.hasRefusals)
            let answer = try await Speaker.ask(port, "hi")
            #expect(answer == "one:hi")
        }
        await server.stop()
    }
}
