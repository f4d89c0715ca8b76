import APIServer
import Foundation
import KubeClient
import KubeModel
import NIOCore
import Testing

@Suite("Requests that are passed on", .timeLimit(.minutes(5))) struct ProxyTests {
    private static let root = "/api/v1/namespaces/default"

    /// A program that answers with the request it got, or as the path says.
    private static func program(_ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var text = ""
            var pieces = inbound.makeAsyncIterator()
            while let bytes = try await pieces.next(isolation: #isolation) {
                text += String(buffer: bytes)
                if text.contains("Upgrade: echo") {
                    if !text.contains("\r\n\r\n") { continue }
                    let answer =
                        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nready "
                    try await outbound.write(ByteBuffer(string: answer))
                    while let bytes = try await pieces.next(isolation: #isolation) { try await outbound.write(bytes) }
                    return
                }
                if !text.hasPrefix("POST") || text.hasSuffix("body") { break }
            }
            let answer: String
            switch text.split(separator: " ").dropFirst().first ?? "" {
            case "/redirect": answer = "302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
            case "/page":
                let page = #"<a href="/next">next</a>"#
                answer = "200 OK\r\nContent-Type: text/html\r\nContent-Length: \(page.utf8.count)\r\n\r\n\(page)"
            case "/chunks": answer = "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            case "/empty": answer = "204 No Content\r\n\r\n"
            default: answer = "200 OK\r\nX-Own: 1\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)"
            }
            try await outbound.write(ByteBuffer(string: "HTTP/1.1 " + answer))
        }
    }

    private struct Answer: Sendable {
        let head: String
        let body: String
    }

    private static func ask(
        _ port: Int, _ path: String, method: String = "GET", headers: [String] = [], body: String = ""
    ) async throws -> Answer {
        try await StreamClient.with(port: port) { client in
            let more = body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]
            try await client.send(
                "\(method) \(path) HTTP/1.1\r\nHost: cluster\r\nAuthorization: Bearer secret\r\nConnection: close\r\n"
                    + (headers + more).map { "\($0)\r\n" }.joined() + "\r\n" + body)
            let head = try await client.readHead()
            return Answer(head: head, body: String(decoding: try await client.readRest(), as: UTF8.self))
        }
    }

    /// Runs an action against a server with a pod `web`, in which the program listens on `backend`, behind a Service.
    private func withProgram(
        _ action: @Sendable (_ port: Int, _ backend: Int, _ fixture: Fixture) async throws -> Void
    ) async throws {
        try await withBackend(Self.program) { backend in
            let admin = UserInfo(name: "admin", groups: ["system:masters"])
            try await withServer(tokens: ["secret": admin]) { fixture, _, port in
                try await fixture.makeRunningPod()
                _ = try await fixture.client.create(
                    .services, Fixture.service("web", ["ports": [["name": "http", "port": 80]]]))
                var endpoints = KubeObject(.endpoints, namespace: "default", name: "web")
                endpoints.value["subsets"] = [
                    [
                        "addresses": [
                            ["ip": "10.244.0.7", "targetRef": ["kind": "Pod", "name": "web", "namespace": "default"]]
                        ],
                        "ports": [["name": "http", "port": JSONValue(backend)]],
                    ]
                ]
                _ = try await fixture.client.create(.endpoints, endpoints)
                try await action(port, backend, fixture)
            }
        }
    }

    @Test("a request reaches the program with its method, path, parameters and body, by pod and by Service")
    func passing() async throws {
        try await withProgram { port, backend, _ in
            for place in ["pods/web:\(backend)", "services/web:http", "services/web:80", "services/http:web:http"] {
                let answer = try await Self.ask(
                    port, "\(Self.root)/\(place)/proxy/a/b%20c/?d=e%26f", method: "POST",
                    headers: ["X-Mine: 2", "Content-Type: text/plain"], body: "body")
                #expect(answer.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(answer.head.contains("X-Own: 1"))
                #expect(answer.body.hasPrefix("POST /a/b%20c/?d=e%26f HTTP/1.1\r\n"))
                #expect(answer.body.contains("X-Mine: 2"))
                #expect(answer.body.contains("X-Forwarded-Uri: \(Self.root)/\(place)/proxy/a/b%20c/"))
                #expect(answer.body.hasSuffix("\r\n\r\nbody"))
                #expect(!answer.body.contains("secret"))
            }
        }
    }

    @Test("answers come back: redirects and links led through the proxy, chunks, nothing at all")
    func answers() async throws {
        try await withProgram { port, backend, _ in
            let proxy = "\(Self.root)/pods/web:\(backend)/proxy"
            let redirect = try await Self.ask(port, proxy + "/redirect")
            #expect(redirect.head.hasPrefix("HTTP/1.1 302 Found\r\n"))
            #expect(redirect.head.contains("Location: \(proxy)/elsewhere"))
            #expect(try await Self.ask(port, proxy + "/page").body == #"<a href="\#(proxy)/next">next</a>"#)
            #expect(try await Self.ask(port, proxy + "/chunks").body == "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
            #expect(try await Self.ask(port, proxy + "/empty").head.hasPrefix("HTTP/1.1 204 No Content\r\n"))
            let head = try await Self.ask(port, proxy + "/x", method: "HEAD")
            #expect(head.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(head.body == "")
            let bare = try await Self.ask(port, proxy + "?a=b")
            #expect(bare.head.hasPrefix("HTTP/1.1 301 Moved Permanently\r\n"))
            #expect(bare.head.contains("Location: \(proxy)/?a=b"))
        }
    }

    @Test("a program may take the connection over")
    func upgrade() async throws {
        try await withProgram { port, backend, _ in
            try await StreamClient.with(port: port) { client in
                let head = try await client.upgrade(
                    "\(Self.root)/pods/web:\(backend)/proxy/", token: "secret",
                    ["Connection: Upgrade", "Upgrade: echo"])
                #expect(head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
                try await client.send("steady go")
                while client.received.count < "ready steady go".utf8.count, try await client.readMore() {}
                #expect(String(decoding: client.received, as: UTF8.self) == "ready steady go")
            }
        }
    }

    @Test(
        "what cannot be reached is said",
        arguments: [
            ("services/nosuch:http", 404, #"endpoints \"nosuch\" not found"#),
            ("services/web", 503, #"no endpoints available for service \"web\""#),
            ("services/web:99", 503, #"no service port 99 found for service \"web\""#),
            ("pods/a:b:c:d", 400, #"invalid pod request \"a:b:c:d\""#),
            ("pods/nosuch:80", 404, #"pods \"nosuch\" not found"#), ("pods/new:80", 400, "address not allowed"),
        ])
    func refusals(place: String, code: Int, message: String) async throws {
        try await withProgram { port, _, fixture in
            _ = try await fixture.makePod("new")
            let answer = try await Self.ask(port, "\(Self.root)/\(place)/proxy/")
            #expect(answer.head.hasPrefix("HTTP/1.1 \(code) "))
            #expect(answer.body.contains(message))
        }
    }

    @Test("a program that speaks TLS is reached by https:, whatever its certificate")
    func secureProgram() async throws {
        try await withProgram { port, _, _ in
            // The server itself is such a program.
            let answer = try await Self.ask(port, "\(Self.root)/pods/https:web:\(port)/proxy/livez")
            #expect(answer.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.body == "ok")
        }
    }

    @Test("a port that nobody listens on")
    func refused() async throws {
        try await withProgram { port, _, _ in
            let answer = try await Self.ask(port, "\(Self.root)/pods/web:1/proxy/")
            #expect(answer.head.hasPrefix("HTTP/1.1 503 "))
            #expect(
                answer.body.contains(
                    "error trying to reach service: dial tcp 10.244.0.7:1: connect: connection refused"))
        }
    }

    @Test("kubectl gets through: get --raw and proxy", .enabled(if: Kubectl.path != nil, "kubectl is not installed"))
    func kubectl() async throws {
        try await withBackend(Self.program) { backend in
            try await withServer { fixture, kubeconfig, _ in
                try await fixture.makeRunningPod()
                let kubectl = try Kubectl(kubeconfig: kubeconfig)
                defer { kubectl.remove() }
                let path = "\(Self.root)/pods/web:\(backend)/proxy/hello"
                #expect(try await kubectl("get", "--raw", path).stdout.hasPrefix("GET /hello HTTP/1.1\r\n"))
                let output = try await kubectl.script(
                    """
                    coproc F { exec kubectl proxy --port=0; }
                    proxy=$F_PID
                    read -r line <&"${F[0]}"
                    curl -s http://${line##* }\(path); kill $proxy
                    """)
                #expect(output.stdout.hasPrefix("GET /hello HTTP/1.1\r\n"))
            }
        }
    }
}
