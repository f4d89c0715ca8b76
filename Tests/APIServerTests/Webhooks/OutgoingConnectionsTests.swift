import KubeModel
import LabTesting
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import APIServer

/// Connections that the server keeps for its next call.
@Suite("Kept connections", .timeLimit(.minutes(5))) struct OutgoingConnectionsTests {
    private static func call(_ server: WebhookServer, _ registry: Registry) -> OutgoingCall {
        OutgoingCall(registry: registry, client: WebhookClient(server.client()), timeout: .seconds(30))
    }

    @Test(
        "a call goes over the connection of the one before, unless that was closed",
        arguments: [
            (WebhookServer.Answer.End.open, [1, 1, 1]), (.announced, [1, 2, 3]), (.sudden, [1, 2, 3]),
        ])
    func reuse(end: WebhookServer.Answer.End, connections: [Int]) async throws {
        let answer = WebhookServer.Answer(body: Array("{}".utf8), end: end)
        try await WebhookServer.with(answer: { _ in answer }) { server in
            let registry = try Fixture().server.registry
            let url = try #require(OutgoingURL(server.url))
            let purpose = OutgoingConnections.Purpose(Self.call(server, registry), url)
            for _ in connections {
                _ = try await Self.call(server, registry).send([1], url: server.url)
                if end == .sudden, let idle = await registry.connections.take(for: purpose) {
                    // Its end is on its way; it is not kept once it is there.
                    await idle.closed()
                    await registry.connections.keep(idle, for: purpose)
                }
                #expect(registry.connections.count == (end == .open ? 1 : 0))
            }
            #expect(server.requests.map(\.connection) == connections)
        }
    }

    @Test("a call that keeps none says so")
    func close() async throws {
        try await WebhookServer.with(answer: { _ in .json([:]) }) { server in
            let registry = try Fixture().server.registry
            var call = Self.call(server, registry)
            call.keepsConnection = false
            for _ in 0..<2 { _ = try await call.send([], url: server.url) }
            #expect(server.requests.map(\.connection) == [1, 2])
            #expect(server.requests.allSatisfy { $0.headers["connection"] == "close" })
            #expect(registry.connections.count == 0)
        }
    }

    @Test("whoever believes other authorities does not get the connection")
    func trust() async throws {
        try await WebhookServer.with(answer: { _ in .json([:]) }) { server in
            let registry = try Fixture().server.registry
            _ = try await Self.call(server, registry).send([1], url: server.url)
            var client = server.client()
            client["caBundle"] = .string(SecretText.encode(try PKI.make().authorityCertificate))
            let stranger = OutgoingCall(registry: registry, client: WebhookClient(client), timeout: .seconds(30))
            await #expect(throws: CallFailure.self) { _ = try await stranger.send([1], url: server.url) }
        }
    }

    @Test("a call that is broken off leaves no connection behind")
    func failure() async throws {
        let silence = WebhookServer.Answer(body: [], end: .silence)
        try await WebhookServer.with(answer: { _ in silence }) { server in
            let registry = try Fixture().server.registry
            let call = OutgoingCall(
                registry: registry, client: WebhookClient(server.client()), timeout: .milliseconds(200))
            await #expect(throws: CallFailure.self) { _ = try await call.send([1], url: server.url) }
            #expect(registry.connections.count == 0)
        }
    }

    private static func connection(_ server: WebhookServer) async throws -> OutgoingConnections.Connection {
        try await OutgoingConnections.Connection.open(
            "127.0.0.1", server.port, NIOSingletons.posixEventLoopGroup.any(), tls: nil
        ) { try $0.addHTTPClientHandlers() }
    }

    @Test("there are only so many for one purpose, and the last that was used is the next")
    func bounds() async throws {
        try await WebhookServer.with(answer: { _ in .json([:]) }) { server in
            let url = try #require(OutgoingURL(server.url))
            let purpose = OutgoingConnections.Purpose(Self.call(server, try Fixture().server.registry), url)
            let connections = OutgoingConnections()
            var last: OutgoingConnections.Connection?
            for index in 0...OutgoingConnections.perPurposeMax {
                let connection = try await Self.connection(server)
                await connections.keep(connection, for: purpose)
                if index < OutgoingConnections.perPurposeMax { last = connection }
            }
            #expect(connections.count == OutgoingConnections.perPurposeMax)
            #expect(await connections.take(for: purpose) === last)
            #expect(connections.count == OutgoingConnections.perPurposeMax - 1)
        }
    }

    @Test("one that nobody wants is closed")
    func idleTime() async throws {
        try await WebhookServer.with(answer: { _ in .json([:]) }) { server in
            let url = try #require(OutgoingURL(server.url))
            let purpose = OutgoingConnections.Purpose(Self.call(server, try Fixture().server.registry), url)
            let connections = OutgoingConnections(idleTime: .milliseconds(1))
            let connection = try await Self.connection(server)
            await connections.keep(connection, for: purpose)
            await connection.closed()
            #expect(connections.count == 0)
            #expect(await !connection.wake())
        }
    }
}
