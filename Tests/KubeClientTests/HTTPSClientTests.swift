import APIServer
import KubeModel
import LabTesting
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import KubeClient

@Suite("The client over HTTPS", .timeLimit(.minutes(5))) struct HTTPSClientTests {
    @Test("an object is made, read, replaced, patched and deleted")
    func verbs() async throws {
        try await MemoryCluster.overHTTPS { cluster, client in
            var object = try await client.create(.configMaps, configMap("a", data: ["k": "1"]))
            #expect(try await client.get(.configMaps, "a", in: "default") == object)
            object.value[["data", "k"]] = "2"
            let replaced = try await client.update(.configMaps, object, subresource: nil, options: WriteOptions())
            #expect(replaced.value["data"] == ["k": "2"])
            let patched = try await client.patch(
                .configMaps, namespace: "default", name: "a",
                ObjectPatch(.json, [["op": "add", "path": "/data/n", "value": "grüße"]]), subresource: nil,
                options: WriteOptions())
            #expect(patched.value["data"] == ["k": "2", "n": "grüße"])
            #expect(try await cluster.client.get(.configMaps, "a", in: "default") == patched)
            try await client.delete(.configMaps, namespace: "default", name: "a", options: DeleteOptions())
            try await client.deleteIfPresent(.configMaps, "a", in: "default")
        }
    }

    @Test("a list is narrowed by selectors, whatever their characters, and comes in pieces")
    func lists() async throws {
        try await MemoryCluster.overHTTPS { _, client in
            for (name, tier) in [("a", "front"), ("b", "back"), ("c", "back"), ("d", "none")] {
                _ = try await client.create(.configMaps, configMap(name, labels: ["example.com/tier": tier]))
            }
            func names(_ options: ListOptions) async throws -> [String] {
                try await client.list(.configMaps, namespace: "default", options: options).items.map(\.name)
            }
            let either = "example.com/tier in (front,back),example.com/tier!=front"
            #expect(try await names(ListOptions(labelSelector: either)) == ["b", "c"])
            #expect(try await names(ListOptions(fieldSelector: "metadata.name=d")) == ["d"])
            var options = ListOptions(labelSelector: "example.com/tier", limit: 3)
            let first = try await client.list(.configMaps, namespace: "default", options: options)
            #expect(first.items.map(\.name) == ["a", "b", "c"])
            #expect(first.items.allSatisfy { $0.kind == "ConfigMap" && $0.apiVersion == "v1" })
            #expect(first.continueToken != nil)
            options.continueToken = first.continueToken
            let second = try await client.list(.configMaps, namespace: "default", options: options)
            #expect(second.items.map(\.name) == ["d"])
            #expect(second.continueToken == nil)
        }
    }

    @Test("a refusal is the Status that the server sent")
    func refusals() async throws {
        try await MemoryCluster.overHTTPS { _, client in
            let missing = try await refusal { _ = try await client.get(.pods, "x", in: "default") }
            #expect(missing.isNotFound)
            #expect(missing.message == "pods \"x\" not found")
            var object = try await client.create(.configMaps, configMap("a"))
            let again = try await refusal { _ = try await client.create(.configMaps, configMap("a")) }
            #expect(again.isAlreadyExists)
            object.resourceVersion = "1"
            let stale = object
            let conflict = try await refusal {
                _ = try await client.update(.configMaps, stale, subresource: nil, options: WriteOptions())
            }
            #expect(conflict.isConflict)
        }
    }

    @Test("a dry run leaves no trace")
    func dryRun() async throws {
        try await MemoryCluster.overHTTPS { _, client in
            _ = try await client.create(.configMaps, configMap("a"), options: WriteOptions(isDryRun: true))
            #expect(try await refusal { _ = try await client.get(.configMaps, "a", in: "default") }.isNotFound)
        }
    }

    @Test("many requests at once all get their own answers")
    func concurrency() async throws {
        try await MemoryCluster.overHTTPS { _, client in
            let names = Set((0..<30).map { "n\($0)" })
            for name in names { _ = try await client.create(.configMaps, configMap(name)) }
            let found = try await withThrowingTaskGroup(of: (String, String).self) { group in
                for name in names {
                    group.addTask { (name, try await client.get(.configMaps, name, in: "default").name) }
                }
                return try await group.reduce(into: Set<String>()) { if $1.0 == $1.1 { $0.insert($1.1) } }
            }
            #expect(found == names)
        }
    }

    @Test("a server with another authority is not trusted, and the reason is told")
    func strangeAuthority() async throws {
        try await MemoryCluster.listening { _, _, port in
            let other = try PKI.make().kubeconfig(server: "https://127.0.0.1:\(port)")
            let client = try HTTPSClient(kubeconfig: Kubeconfig(yaml: other), context: nil)
            let status = try await refusal { _ = try await client.list(.namespaces) }
            #expect(status.reason == "Unreachable")
            #expect(status.message.hasPrefix("The cluster at 127.0.0.1:\(port) cannot be reached: "))
            #expect(status.message.contains("CERTIFICATE_VERIFY_FAILED"))
        }
    }

    @Test("a cluster that is not there is named, with the reason")
    func unreachable() async throws {
        let port = try UnheardPort()
        let client = try ScriptedServer.client(port.number)
        let status = try await refusal { _ = try await client.list(.pods) }
        #expect(status.code == 0)
        #expect(status.message.hasPrefix("The cluster at 127.0.0.1:\(port.number) cannot be reached: "))
        #expect(status.message.contains("Connection refused"))
        _ = consume port
    }

    @Test("a connection that the server closes instead of an answer is replaced once")
    func replaced() async throws {
        let list: JSONValue = ["metadata": ["resourceVersion": "7"], "items": []]
        try await ScriptedServer.running([.json(list), .hangUp, .json(list)]) { server, port in
            let client = try ScriptedServer.client(port)
            for _ in 0..<2 { #expect(try await client.list(.pods).resourceVersion == "7") }
            #expect(server.requests.count == 3)
        }
    }

    @Test("a connection that is closed already refuses, rather than to keep its caller waiting")
    func closedConnection() async throws {
        try await ScriptedServer.running([]) { _, port in
            let channel = try await ClientBootstrap(group: ClientEventLoops.group)
                .connect(host: "127.0.0.1", port: port).get()
            let connection = try await HTTPConnection.make(on: channel).get()
            try await channel.close()
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
            await #expect(throws: HTTPFailure.self) { _ = try await connection.exchange(head, body: nil) { _ in } }
        }
    }

    @Test(
        "an answer that is no Status says what came instead",
        arguments: [
            ("HTTP/1.1 502 x\r\nContent-Length: 11\r\n\r\nBad Gateway", 502, "Bad Gateway"),
            ("HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\nhi", 200, "The cluster's answer is not JSON."),
        ])
    func strangeAnswer(text: String, code: Int, message: String) async throws {
        try await ScriptedServer.running([ScriptedServer.Step(text: text)]) { _, port in
            let client = try ScriptedServer.client(port)
            let status = try await refusal { _ = try await client.list(.pods) }
            #expect(status == Status(code: code, reason: "Unknown", message: message))
        }
    }

    @Test("a watch that is cut, or that talks nonsense, ends with a Status")
    func brokenWatch() async throws {
        let nonsense = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno\n\r\n"
        try await ScriptedServer.running([.watch([], closes: true), .init(text: nonsense)]) { _, port in
            let client = try ScriptedServer.client(port)
            for reason in ["Unreachable", "Unknown"] {
                let events = try await client.watch(.pods, namespace: nil, options: WatchOptions())
                let status = try await refusal { for try await _ in events {} }
                #expect(status.reason == reason)
            }
        }
    }

    @Test("a path in the server's address goes before that of the API, and a token goes along")
    func prefix() async throws {
        try await ScriptedServer.running([.json(["items": []])]) { server, port in
            let yaml = """
                clusters: [{name: c, cluster: {server: "http://127.0.0.1:\(port)/clusters/7/"}}]
                users: [{name: u, user: {token: "abc"}}]
                contexts: [{name: c, context: {cluster: c, user: u}}]
                """
            let client = try HTTPSClient(kubeconfig: Kubeconfig(yaml: yaml), context: "c")
            _ = try await client.list(.pods)
            let head = try #require(server.requests.first).split(separator: "\r\n")
            #expect(head.first == "GET /clusters/7/api/v1/pods HTTP/1.1")
            #expect(head.contains("Authorization: Bearer abc"))
        }
    }
}
