import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Following objects", .timeLimit(.minutes(5))) struct FollowTests {
    @Test("what the caller throws ends the following, an expired status too")
    func bodyThrows() async throws {
        let client = try MemoryCluster().client
        let expired = Status(code: 410, reason: "Expired", message: "mine")
        let thrown = try await refusal {
            let _: Int = try await client.follow(.configMaps, namespace: "default") { _, change in
                guard change == nil else { throw expired }
                _ = try await client.create(.configMaps, configMap("a"))
                return nil
            }
        }
        #expect(thrown == expired)
    }

    @Test("a cancelled caller ends the following")
    func cancellation() async throws {
        let client = try MemoryCluster().client
        let (started, start) = AsyncStream<Void>.makeStream()
        let following = Task<Int, any Error> {
            try await client.follow(.configMaps, namespace: "default") { _, _ in
                start.yield()
                return nil
            }
        }
        for await _ in started { break }
        following.cancel()
        await #expect(throws: (any Error).self) { try await following.value }
    }

    private static func event(_ type: String, _ name: String) -> JSONValue {
        ["type": .string(type), "object": configMap(name).value]
    }

    private static func list(_ names: String...) -> ScriptedServer.Step {
        .json(["metadata": ["resourceVersion": "5"], "items": .array(names.map { configMap($0).value })])
    }

    private static let expired = Status(code: 410, reason: "Expired", message: "too old resource version").value

    @Test(
        "after a watch has ended, is cut or expired, the objects are listed again, and what is gone is forgotten",
        arguments: [
            ScriptedServer.Step.watch([event("ADDED", "x")], ends: true),
            .watch([event("ADDED", "x")], closes: true),
            .watch([event("ADDED", "x"), ["type": "ERROR", "object": expired]]), .json(expired, code: 410),
        ])
    func survives(interruption: ScriptedServer.Step) async throws {
        let script = [Self.list("a"), interruption, Self.list("b"), .watch([Self.event("ADDED", "c")])]
        try await ScriptedServer.running(script) { server, port in
            let client = try ScriptedServer.client(port)
            let names: [String] = try await client.follow(.configMaps, namespace: "default") { objects, _ in
                let names = objects.keys.map(\.name).sorted()
                return names.contains("c") ? names : nil
            }
            #expect(names == ["b", "c"])
            #expect(server.requests.map { $0.contains("watch=true") } == [false, true, false, true])
            #expect(server.requests.last?.contains("resourceVersion=5") == true)
        }
    }

    @Test("an error of another kind ends the following, and so does a cluster that goes away")
    func otherErrors() async throws {
        let forbidden = Status(code: 403, reason: "Forbidden", message: "no watching here").value
        for (step, reason) in [
            (ScriptedServer.Step.json(forbidden, code: 403), "Forbidden"), (.watch([], closes: true), "Unreachable"),
        ] {
            try await ScriptedServer.running([Self.list(), step]) { _, port in
                let client = try ScriptedServer.client(port)
                let thrown = try await refusal {
                    let _: Int = try await client.follow(.configMaps, namespace: "default") { _, _ in nil }
                }
                #expect(thrown.reason == reason)
            }
        }
    }

    @Test("when the time is over the answer is false, and nil for lists")
    func timeout() async throws {
        let client = try MemoryCluster().client
        #expect(
            try await !client.waitFor(.configMaps, "a", in: "default", timeout: .milliseconds(20)) { $0 != nil })
        let found = try await client.waitFor(.configMaps, namespace: "default", timeout: .milliseconds(20)) { _ in
            false
        }
        #expect(found == nil)
    }

    @Test("what is so already needs no change, and lists are in the order of their names")
    func already() async throws {
        let client = try MemoryCluster().client
        #expect(try await client.waitFor(.configMaps, "a", in: "default", timeout: .seconds(50)) { $0 == nil })
        let found = try await client.waitFor(.namespaces, namespace: nil, timeout: .seconds(50)) { $0.count == 4 }
        #expect(found?.map(\.name) == ["default", "kube-node-lease", "kube-public", "kube-system"])
    }

    @Test("a creation, a change and a deletion are seen, in process and over HTTPS", arguments: [false, true])
    func changes(overHTTPS: Bool) async throws {
        guard overHTTPS else { return try await seeChanges(try MemoryCluster().client) }
        try await MemoryCluster.overHTTPS { _, client in try await seeChanges(client) }
    }

    private func seeChanges(_ client: any ClusterClient) async throws {
        func wait(
            until isMet: @escaping @Sendable (KubeObject?) -> Bool, after action: () async throws -> Void
        ) async throws {
            async let isSeen = client.waitFor(.configMaps, "a", in: "default", timeout: .seconds(50), until: isMet)
            try await action()
            #expect(try await isSeen)
        }
        try await wait(until: { $0 != nil }) { _ = try await client.create(.configMaps, configMap("a")) }
        try await wait(until: { $0?.labels["new"] == "yes" }) {
            _ = try await client.patch(
                .configMaps, namespace: "default", name: "a", .merge(["metadata": ["labels": ["new": "yes"]]]),
                subresource: nil, options: WriteOptions())
        }
        try await wait(until: { $0 == nil }) {
            try await client.delete(.configMaps, namespace: "default", name: "a", options: DeleteOptions())
        }
    }
}
