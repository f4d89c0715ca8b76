import ContainerRuntime
import NIOCore
import NIOPosix
import Testing

@testable import ClusterNetwork

@Suite("Ingress proxy", .timeLimit(.minutes(5)))
struct IngressProxyTests {
    private let datapath = LoopbackDatapath()

    /// Runs `body` with a proxy that leads `web.example` to the given addresses, and nothing else anywhere.
    private func withProxy(
        _ addresses: [String] = ["10.244.0.2"], _ body: (_ port: Int, IngressProxy) async throws -> Void
    ) async throws {
        let dialer = IngressDialer(datapath: datapath, source: "10.244.255.2")
        let proxy = try IngressProxy(dialer: dialer, eventLoops: MultiThreadedEventLoopGroup.singleton)
        let destination = IngressTable.Destination(backends: addresses.map { .init(address: $0, port: 80) })
        let path = IngressTable.Path(kind: .prefix, text: "/", destination: destination)
        proxy.replace(IngressTable(sites: ["web.example": .init(paths: [path])]), proxy.certificates)
        let channel = try await proxy.listen(on: try HostSocket(.v4, port: 0).listen(), isTLS: false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await proxy.dialer.run() }
            try await body(try #require(channel.localAddress?.port), proxy)
            group.cancelAll()
        }
        try await channel.close()
        proxy.closeAll()
    }

    private func ask(_ port: Int, _ request: String) async throws -> String {
        let connection = try await RawConnection(port: port)
        try await connection.say(request)
        return try await connection.hear()
    }

    @Test("what is no HTTP is told so")
    func malformed() async throws {
        try await withProxy { port, _ in
            let answer = try await ask(port, "hello\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(answer)")
        }
    }

    @Test("a request reaches the backend with what the client sent and what is known about it")
    func headers() async throws {
        let backend = try await HTTPBackend.start("one")
        datapath.route("10.244.0.2", 80, to: backend.port)
        try await withProxy { port, _ in
            let answer = try await ask(
                port,
                "POST /a?b=c HTTP/1.1\r\nHost: web.example\r\nContent-Length: 5\r\nX-Forwarded-For: 192.0.2.1\r\n"
                    + "X-Request-ID: 42\r\nConnection: close, X-Private\r\nX-Private: 1\r\n\r\nhello")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("X-Backend: one\r\n") && answer.contains("Connection: close\r\n"))
            #expect(!answer.contains("Keep-Alive: timeout"))
            for line in [
                "POST /a?b=c", "host: web.example", "content-length: 5", "x-forwarded-for: 127.0.0.1",
                "x-forwarded-host: web.example", "x-forwarded-port: 80", "x-forwarded-proto: http",
                "x-real-ip: 127.0.0.1", "x-request-id: 42", "\nhello",
            ] {
                #expect(answer.contains(line + "\n") || answer.contains(line), "\(line) is missing in \(answer)")
            }
            #expect(!answer.contains("x-private") && !answer.contains("connection: close"))
        }
        await backend.stop()
    }

    @Test("several requests go over one connection, to one backend after the other")
    func keepAlive() async throws {
        let (one, two) = (try await HTTPBackend.start("one"), try await HTTPBackend.start("two"))
        datapath.route("10.244.0.2", 80, to: one.port)
        datapath.route("10.244.0.3", 80, to: two.port)
        try await withProxy(["10.244.0.2", "10.244.0.3"]) { port, _ in
            let connection = try await RawConnection(port: port)
            var heard: [String] = []
            for number in 0..<6 {
                try await connection.say("GET /\(number) HTTP/1.1\r\nHost: web.example\r\n\r\n")
                let answer = try await connection.hear(until: "0\r\n\r\n")
                #expect(answer.contains("GET /\(number)\n"))
                heard.append(answer.contains("X-Backend: one") ? "one" : "two")
            }
            #expect(
                heard == ["one", "two", "one", "two", "one", "two"]
                    || heard == ["two", "one", "two", "one", "two", "one"])
            // Asked all at once, the answers come in the order of the questions.
            try await connection.say(
                (0..<3).map {
                    "GET /p\($0) HTTP/1.1\r\nHost: web.example\r\nConnection: \($0 < 2 ? "keep-alive" : "close")\r\n\r\n"
                }
                .joined())
            let answers = try await connection.hear()
            let order = try (0..<3).map { try #require(answers.firstRange(of: "GET /p\($0)\n")?.lowerBound) }
            #expect(order == order.sorted())
        }
        await one.stop()
        await two.stop()
    }

    @Test(
        "what cannot be passed on is answered as nginx does",
        arguments: [
            ("other.example", "404 Not Found"), ("web.example", "502 Bad Gateway"),
            ("empty.example", "503 Service Temporarily Unavailable"),
        ])
    func refusals(host: String, status: String) async throws {
        // A port at which nobody listens.
        let (socket, free) = try unheardPort()
        datapath.route("10.244.0.2", 80, to: free)
        try await withProxy { port, proxy in
            var table = proxy.table
            let path = IngressTable.Path(kind: .prefix, text: "/", destination: .init(backends: []))
            table.sites["empty.example"] = .init(paths: [path])
            proxy.replace(table, proxy.certificates)
            let answer = try await ask(port, "GET / HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\n"))
            #expect(answer.contains("<center><h1>\(status)</h1></center>\r\n<hr><center>nginx</center>"))
        }
        withExtendedLifetime(socket) {}
    }

    /// A free port that is bound and refuses, as long as the socket lives.
    private func unheardPort() throws -> (HostSocket, Int) {
        while true {
            let port = UInt16.random(in: 15_000..<30_000)
            if let socket = try? HostSocket(.v4, port: port) { return (socket, Int(port)) }
        }
    }

    @Test("a backend that refuses is passed over")
    func failover() async throws {
        let (socket, free) = try unheardPort()
        datapath.route("10.244.0.2", 80, to: free)
        let backend = try await HTTPBackend.start("two")
        datapath.route("10.244.0.3", 80, to: backend.port)
        try await withProxy(["10.244.0.2", "10.244.0.3"]) { port, _ in
            for _ in 0..<4 {
                let answer = try await ask(port, "GET / HTTP/1.1\r\nHost: web.example\r\nConnection: close\r\n\r\n")
                #expect(answer.contains("X-Backend: two"))
            }
        }
        withExtendedLifetime(socket) {}
        await backend.stop()
    }

    @Test("a response that breaks off is no complete one for the client either")
    func hangup() async throws {
        let backend = try await HTTPBackend.start("one")
        datapath.route("10.244.0.2", 80, to: backend.port)
        try await withProxy { port, _ in
            let answer = try await ask(port, "GET /hangup HTTP/1.1\r\nHost: web.example\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && !answer.hasSuffix("0\r\n\r\n"))
        }
        await backend.stop()
    }

    @Test("long bodies go through both ways, also in pieces")
    func bodies() async throws {
        let backend = try await HTTPBackend.start("one")
        datapath.route("10.244.0.2", 80, to: backend.port)
        try await withProxy { port, _ in
            let piece = String(repeating: "0123456789abcdef", count: 4096)
            let size = String(piece.utf8.count, radix: 16)
            let body = (0..<64).map { _ in "\(size)\r\n\(piece)\r\n" }.joined() + "0\r\n\r\n"
            let answer = try await ask(
                port,
                "POST / HTTP/1.1\r\nHost: web.example\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + body
            )
            #expect(answer.utf8.count > 64 * piece.utf8.count)
            #expect(answer.contains("transfer-encoding: chunked\n"))
        }
        await backend.stop()
    }

    @Test("both sides can change to another protocol, and then say what they want")
    func upgrade() async throws {
        let backend = try await HTTPBackend.start("one")
        datapath.route("10.244.0.2", 80, to: backend.port)
        try await withProxy { port, _ in
            let connection = try await RawConnection(port: port)
            // What is said right after the offer belongs to the other protocol already.
            try await connection.say(
                "GET /socket HTTP/1.1\r\nHost: web.example\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst;")
            let answer = try await connection.hear(until: "first;")
            #expect(answer.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n") && answer.contains("Upgrade: echo\r\n"))
            for words in ["second;", "third;"] {
                try await connection.say(words)
                #expect(try await connection.hear(until: ";") == words)
            }
            await connection.close()
        }
        await backend.stop()
    }
}
