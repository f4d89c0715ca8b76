import Glibc
import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("A single HTTP request", .timeLimit(.minutes(5))) struct HTTPFetchTests {
    private typealias Step = ScriptedServer.Step

    private func fetch(_ step: Step, timeout: Duration = .seconds(55)) async throws -> HTTPFetch.Response {
        var response: HTTPFetch.Response?
        try await ScriptedServer.running([step]) { _, port in
            response = try await HTTPFetch.get(host: "127.0.0.1", port: port, path: "/", timeout: timeout)
        }
        return try #require(response)
    }

    private func failure(_ step: Step, timeout: Duration = .seconds(55)) async -> HTTPFetch.Failure? {
        await #expect(throws: HTTPFetch.Failure.self) { _ = try await fetch(step, timeout: timeout) }
    }

    @Test("the answer comes with its code, its header fields in order, and its body")
    func answer() async throws {
        let response = try await fetch(
            Step(text: "HTTP/1.1 503 Busy\r\nX-B: 1\r\nX-A: 2\r\nX-B: 3\r\nContent-Length: 3\r\n\r\nabc"))
        #expect(response.status == 503)
        #expect(response.text == "abc")
        #expect(response.headers.map { "\($0.name)=\($0.value)" } == ["X-B=1", "X-A=2", "X-B=3", "Content-Length=3"])
    }

    @Test("over a connection that is there already it speaks TLS, whoever's certificate it meets")
    func secure() async throws {
        let response = try await MemoryCluster.listening { _, _, port in
            let socket = try connectedSocket(port)
            return try await HTTPFetch.get(
                connectedSocket: socket, isTLS: true, host: "127.0.0.1:\(port)", path: "/livez",
                timeout: .seconds(30))
        }
        #expect(response.status == 200)
        #expect(response.text == "ok")
    }

    @Test(
        "the body ends where the answer says",
        arguments: [
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", false, "abc"),
            ("HTTP/1.1 200 OK\r\n\r\nuntil the end", true, "until the end"),
            ("HTTP/1.1 204 No Content\r\n\r\n", false, ""),
            ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", false, "ab"),
        ])
    func bodies(text: String, closes: Bool, body: String) async throws {
        #expect(try await fetch(Step(text: text, closes: closes)).text == body)
    }

    @Test("a request names its host and its program, and says that it is the last")
    func requestHead() async throws {
        try await ScriptedServer.running([.json([:]), .json([:])]) { server, port in
            _ = try await HTTPFetch.get(host: "127.0.0.1", port: port, path: "/health?a=b", timeout: .seconds(30))
            _ = try await HTTPFetch.get(
                host: "127.0.0.1", port: port, path: "/", headers: [("Host", "shop.example"), ("X-Probe", "1")],
                timeout: .seconds(30))
            let heads = server.requests.map { $0.split(separator: "\r\n").map(String.init) }
            #expect(heads[0].first == "GET /health?a=b HTTP/1.1")
            #expect(heads[0].contains("Host: 127.0.0.1:\(port)"))
            #expect(heads[0].contains("Connection: close"))
            #expect(heads[0].contains { $0.hasPrefix("User-Agent: velocitylab/") })
            #expect(heads[1].filter { $0.hasPrefix("Host:") } == ["Host: shop.example"])
            #expect(heads[1].contains("X-Probe: 1"))
        }
    }

    @Test("a port where nobody listens refuses")
    func refused() async throws {
        let port = try UnheardPort()
        let number = port.number
        let error = await #expect(throws: HTTPFetch.Failure.self) {
            _ = try await HTTPFetch.get(host: "127.0.0.1", port: number, path: "/", timeout: .seconds(30))
        }
        #expect(error == .refused)
        _ = consume port
    }

    @Test(
        "a server that does not come to an end is given up in time",
        arguments: ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"])
    func timedOut(text: String) async {
        #expect(await failure(Step(text: text), timeout: .milliseconds(100)) == .timedOut)
    }

    @Test(
        "a connection that ends before the answer is an error, and not a time-out",
        arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"])
    func closed(text: String) async throws {
        let error = try #require(await failure(Step(text: text, closes: true)))
        #expect(error != .timedOut)
    }

    @Test("an answer above 1 MiB is refused")
    func tooLarge() async {
        let body = String(repeating: "x", count: 1024 * 1024 + 1)
        let head = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        #expect(await failure(Step(text: head + body)) == .tooLarge)
    }

    @Test("what is no HTTP is an error of another kind")
    func garbage() async {
        guard case .other = await failure(Step(text: "220 mail.example ESMTP\r\n")) else {
            Issue.record("A mail server is taken for a web server.")
            return
        }
    }
}

/// A TCP connection to a port of this machine.
private func connectedSocket(_ port: Int) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let code = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    try #require(code == 0)
    return descriptor
}
