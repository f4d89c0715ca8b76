import KubeClient
import KubeModel
import NIOCore
import Testing

@testable import APIServer

/// Clients that mean harm, or are broken: each gets a clear refusal, and nobody else notices.
@Suite("Hostile clients", .timeLimit(.minutes(2))) struct HostileTests {
    private static let token = "Authorization: Bearer secret\r\n"
    private static let path = "/api/v1/namespaces/default/configmaps"

    /// Runs an action against a server with limits of its own, then sees whether it still serves others.
    private func withServer(
        limits: RequestCollector.Limits = RequestCollector.Limits(), _ action: @Sendable (Int) async throws -> Void
    ) async throws {
        let pki = try PKI.make()
        let fixture = try Fixture()
        try await fixture.server.registry.prepare()
        let admin = UserInfo(name: "lena", groups: ["system:masters"])
        let server = HTTPServer(
            port: 0, credentials: pki, pipeline: RequestPipeline(registry: fixture.server.registry),
            authenticator: Authenticator(tokens: ["secret": admin], accounts: fixture.server.registry.tokens),
            limits: limits)
        let (ports, found) = AsyncStream<Int>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run { found.yield($0) } }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await action(port)
            let yaml = pki.kubeconfig(server: "https://127.0.0.1:\(port)")
            let client = try HTTPSClient(kubeconfig: Kubeconfig(yaml: yaml), context: nil)
            #expect(try await client.list(.namespaces).items.count == 4)
            group.cancelAll()
        }
    }

    private func post(_ body: [UInt8], port: Int, type: String = "application/json") async throws -> RawClient.Answer {
        try await RawClient.with(port: port) { client in
            try await client.send(
                "POST \(Self.path) HTTP/1.1\r\nHost: a\r\n\(Self.token)Content-Type: \(type)\r\n"
                    + "Content-Length: \(body.count)\r\n\r\n")
            try await client.send(body)
            return try #require(try await client.readAnswer())
        }
    }

    private func status(_ answer: RawClient.Answer) throws -> Status {
        try #require(Status(try JSONValue(parsing: answer.body)))
    }

    // MARK: Bodies

    @Test("a body above 3 MiB is refused, announced or not")
    func tooLarge() async throws {
        try await withServer { port in
            let announced = try await post([UInt8](repeating: 0x20, count: 3 * 1024 * 1024 + 1), port: port)
            #expect(announced.code == 413)
            #expect(try status(announced).message == "Request entity too large: limit is 3145728")
            try await RawClient.with(port: port) { client in
                try await client.send(
                    "POST \(Self.path) HTTP/1.1\r\nHost: a\r\n\(Self.token)Transfer-Encoding: chunked\r\n\r\n")
                let chunk = "100000\r\n" + String(repeating: " ", count: 0x100000) + "\r\n"
                for _ in 0..<4 { try await client.send(chunk) }
                try await client.send("0\r\n\r\n")
                #expect(try await client.readAnswer()?.code == 413)
                // The body is over, so the connection is good for more.
                try await client.send("GET /version HTTP/1.1\r\nHost: a\r\n\(Self.token)\r\n")
                #expect(try await client.readAnswer()?.code == 200)
            }
        }
    }

    @Test("a body that nobody will read need not be sent")
    func hugeAnnouncement() async throws {
        try await withServer { port in
            try await RawClient.with(port: port) { client in
                try await client.send(
                    "POST \(Self.path) HTTP/1.1\r\nHost: a\r\n\(Self.token)Content-Length: 999999999999\r\n\r\n")
                let answer = try #require(try await client.readAnswer())
                #expect(answer.code == 413)
                #expect(answer.head.lowercased().contains("connection: close"))
            }
        }
    }

    @Test(
        "JSON that is none is refused",
        arguments: [
            Array(repeating: UInt8(ascii: "["), count: 100_000),
            Array(#"{"a":"#.utf8) + [0x22, 0xFF, 0xFE, 0x22, 0x7D],
            Array(String(repeating: #"{"a":"#, count: 50_000).utf8), Array("{\"a\":1e999999}".utf8), [0x00],
        ])
    func badJSON(body: [UInt8]) async throws {
        try await withServer { port in
            let answer = try await post(body, port: port)
            #expect(answer.code == 400)
            #expect(try status(answer).reason == "BadRequest")
        }
    }

    @Test(
        "protobuf that is none is refused",
        arguments: [
            [], [0x6B, 0x38, 0x73, 0x00, 0xFF], [0x6B, 0x38, 0x73, 0x00] + [UInt8](repeating: 0x0A, count: 9999),
            [0x6B, 0x38, 0x73, 0x00, 0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        ] as [[UInt8]])
    func badProtobuf(body: [UInt8]) async throws {
        try await withServer { port in
            let answer = try await post(body, port: port, type: "application/vnd.kubernetes.protobuf")
            #expect(answer.code == 400)
        }
    }

    @Test("more bodies at once than there is room for are put off, and are taken later")
    func budget() async throws {
        var limits = RequestCollector.Limits()
        limits.bodiesBytesMax = 1024 * 1024
        try await withServer(limits: limits) { port in
            try await RawClient.with(port: port) { holder in
                // This client sends most of its body and then takes its time.
                try await holder.send(
                    "POST \(Self.path) HTTP/1.1\r\nHost: a\r\n\(Self.token)Content-Length: 1000000\r\n\r\n")
                try await holder.send([UInt8](repeating: 0x20, count: 999_999))
                var answer = try await post([UInt8](repeating: 0x20, count: 500_000), port: port)
                while answer.code == 400 {
                    // The holder's bytes are still on their way.
                    answer = try await post([UInt8](repeating: 0x20, count: 500_000), port: port)
                }
                #expect(answer.code == 429)
                #expect(try status(answer).reason == "TooManyRequests")
                #expect(answer.head.contains("Retry-After: 1"))
                try await holder.send([0x20])
                #expect(try await holder.readAnswer()?.code == 400)
                #expect(try await post([UInt8](repeating: 0x20, count: 500_000), port: port).code == 400)
            }
        }
    }

    // MARK: Heads

    @Test(
        "a head that makes no sense ends the connection",
        arguments: [
            "Content-Length: -1\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: x\r\n",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n", "No colon here\r\n",
            "X: " + String(repeating: "x", count: 2_000_000) + "\r\n",
            (0..<20_000).map { "X-\($0): y\r\n" }.joined(),
        ])
    func badHead(lines: String) async throws {
        try await withServer { port in
            let answer = try await RawClient.with(port: port) { client in
                try? await client.send("POST \(Self.path) HTTP/1.1\r\nHost: a\r\n\(Self.token)\(lines)\r\n")
                return await client.readToEnd()
            }
            // Whoever is still writing may not get to read why.
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
        }
    }

    @Test(
        "what is not HTTP/1 ends the connection",
        arguments: [
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u{16}\u{03}\u{01}\r\n\r\n", "GET\r\n\r\n", "\r\n\r\n\0\0\0\0\r\n",
        ])
    func notHTTP(text: String) async throws {
        try await withServer { port in
            let answer = try await RawClient.with(port: port) { client in
                try await client.send(text)
                return await client.readToEnd()
            }
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4") || answer.hasPrefix("HTTP/1.0 4"), "\(answer)")
        }
    }

    @Test(
        "chunks that are none end the connection", arguments: ["zz\r\n", "-5\r\nhello\r\n", "FFFFFFFFFFFFFFFFFF\r\n"])
    func badChunks(chunk: String) async throws {
        try await withServer { port in
            let answer = try await RawClient.with(port: port) { client in
                try await client.send(
                    "POST \(Self.path) HTTP/1.1\r\nHost: a\r\n\(Self.token)Transfer-Encoding: chunked\r\n\r\n\(chunk)")
                return await client.readToEnd()
            }
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
        }
    }

    @Test("requests that come all at once are answered in turn")
    func pipelining() async throws {
        try await withServer { port in
            try await RawClient.with(port: port) { client in
                let names = (0..<50).map { "n\($0)" }
                try await client.send(
                    names.map { "GET \(Self.path)/\($0) HTTP/1.1\r\nHost: a\r\n\(Self.token)\r\n" }.joined())
                for name in names {
                    let answer = try #require(try await client.readAnswer())
                    #expect(try status(answer).message == "configmaps \"\(name)\" not found")
                }
            }
        }
    }

    @Test("who asks to go on in the middle of another answer is not told, and brings nobody down")
    func continueDuringWatch() async throws {
        try await withServer { port in
            try await RawClient.with(port: port) { client in
                try await client.send("GET \(Self.path)?watch=1 HTTP/1.1\r\nHost: a\r\n\(Self.token)\r\n")
                #expect(try await client.readAnswer()?.code == 200)
                try await client.send(
                    "POST \(Self.path) HTTP/1.1\r\nHost: a\r\n\(Self.token)Expect: 100-continue\r\n"
                        + "Content-Length: 2\r\n\r\n")
                // An object made by somebody else still comes through the watch.
                let posted = try await post(Array(#"{"metadata":{"name":"a"}}"#.utf8), port: port)
                #expect(posted.code == 201)
                #expect(try await client.readUntil("\"name\":\"a\""))
            }
        }
    }

    // MARK: Patience

    private static var impatient: RequestCollector.Limits {
        var limits = RequestCollector.Limits()
        // Long enough for an honest request on a busy machine.
        limits.requestTime = .seconds(6)
        limits.idleTime = .seconds(6)
        return limits
    }

    @Test(
        "who does not come to the point is sent away",
        arguments: [
            "", "GET /version HTTP/1.1\r\nHost: a\r\n", "GET /version HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST /api/v1/namespaces HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
        ])
    func slow(text: String) async throws {
        try await withServer(limits: Self.impatient) { port in
            _ = try await RawClient.with(port: port) { client in
                // On a busy machine the server may have lost its patience before.
                try? await client.send(text)
                return await client.readToEnd()
            }
        }
    }

    @Test("a handshake that does not go on is given up", arguments: [[], [0x16, 0x03, 0x01, 0x02, 0x00, 0x01]])
    func halfHandshake(bytes: [UInt8]) async throws {
        try await withServer(limits: Self.impatient) { port in
            _ = try await RawClient.with(port: port, isSecure: false) { client in
                try? await client.send(bytes)
                return await client.readToEnd()
            }
        }
    }

    @Test("hundreds of clients that hold their connections leave room for others")
    func crowd() async throws {
        let count = 400
        try await withServer { port in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (arrivals, arrived) = AsyncStream<Int?>.makeStream()
                func open() {
                    group.addTask {
                        defer { arrived.yield(nil) }
                        try await RawClient.with(port: port) { client in
                            try await client.send(
                                "GET \(Self.path)?watch=1 HTTP/1.1\r\nHost: a\r\n\(Self.token)\r\n")
                            arrived.yield(try await client.readAnswer()?.code)
                            _ = await client.readToEnd()
                        }
                    }
                }
                // Some at a time, because other tests want the processor, too.
                for _ in 0..<20 { open() }
                var opened = 20
                var held = 0
                for await code in arrivals {
                    // Nobody is sent away, or goes.
                    #expect(code == 200)
                    guard code == 200 else { break }
                    held += 1
                    if held == count { break }
                    guard opened < count else { continue }
                    opened += 1
                    open()
                }
                let posted = try await post(Array(#"{"metadata":{"name":"a"}}"#.utf8), port: port)
                #expect(posted.code == 201)
                group.cancelAll()
            }
        }
    }

    /// Takes so many places, then does something while they are taken.
    private func holding(_ count: Int, port: Int, _ body: () async throws -> Void) async throws {
        guard count > 0 else { return try await body() }
        let ask = "GET /version HTTP/1.1\r\nHost: a\r\n\(Self.token)"
        try await RawClient.with(port: port) { client in
            try await client.send(ask + "\r\n")
            #expect(try await client.readAnswer()?.code == 200)
            try await holding(count - 1, port: port, body)
            // The server closes, so its place is free when this returns.
            try await client.send(ask + "Connection: close\r\n\r\n")
            #expect(try await client.readAnswer()?.code == 200)
            #expect(await client.readToEnd().isEmpty)
        }
    }

    @Test("whoever comes when all places are taken is told to come again, and gets in when there is room")
    func full() async throws {
        var limits = RequestCollector.Limits()
        limits.connectionsMax = 8
        try await withServer(limits: limits) { port in
            try await holding(8, port: port) {
                try await RawClient.with(port: port) { client in
                    try await client.send("GET /version HTTP/1.1\r\nHost: a\r\n\(Self.token)\r\n")
                    let answer = try #require(try await client.readAnswer())
                    #expect(answer.code == 429)
                    #expect(answer.head.lowercased().contains("retry-after: 1"))
                    #expect(try status(answer).reason == "TooManyRequests")
                    #expect(await client.readToEnd().isEmpty)
                }
            }
        }
    }
}
