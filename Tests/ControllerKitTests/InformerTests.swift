import ControllerKit
import KubeClient
import KubeModel
import LabTesting
import Synchronization
import Testing

@Suite("Informer", .timeLimit(.minutes(5))) struct InformerTests {
    private func create(_ cluster: MemoryCluster, _ name: String, data: JSONValue = [:]) async throws -> KubeObject {
        var map = KubeObject(.configMaps, namespace: "default", name: name)
        map.value["data"] = data
        return try await cluster.client.create(.configMaps, map)
    }

    private func delete(_ cluster: MemoryCluster, _ name: String) async throws {
        try await cluster.client.delete(.configMaps, namespace: "default", name: name, options: DeleteOptions())
    }

    private func text(_ change: Informer.Change?) -> String {
        guard let change else { return "the end" }
        let sign = change.old == nil ? "+" : change.new == nil ? "-" : "~"
        return sign + change.object.name
    }

    @Test("it holds the present objects as soon as it is synced")
    func initialList() async throws {
        let cluster = try MemoryCluster()
        let a = try await create(cluster, "a")
        let informer = Informer(client: cluster.client, resource: .configMaps)
        try await cluster.running([informer]) {
            await informer.waitUntilSynced()
            #expect(informer.get(ObjectKey(a)) == a)
            #expect(informer.list(namespace: "default") == [a])
            #expect(informer.list(namespace: "kube-system").isEmpty)
        }
    }

    @Test("who waits for it and is cancelled waits no longer")
    func cancelledWaiting() async throws {
        let informer = Informer(client: try MemoryCluster().client, resource: .configMaps)
        let waiting = Task { await informer.waitUntilSynced() }
        waiting.cancel()
        await waiting.value
        #expect(!informer.isSynced)
    }

    @Test("additions, changes and deletions arrive in their order, with the state before and after")
    func changes() async throws {
        let cluster = try MemoryCluster()
        let a = try await create(cluster, "a")
        let informer = Informer(client: cluster.client, resource: .configMaps)
        try await cluster.running([informer]) {
            await informer.waitUntilSynced()
            var changes = informer.changes().makeAsyncIterator()
            let present = await changes.next()
            #expect(text(present) == "+a")
            let b = try await create(cluster, "b")
            var changed = a
            changed.value["data"] = ["x": "1"]
            changed = try await cluster.client.update(
                .configMaps, changed, subresource: nil, options: WriteOptions())
            try await delete(cluster, "b")
            let added = await changes.next()
            #expect(text(added) == "+b")
            #expect(added?.new == b)
            let modified = await changes.next()
            #expect(modified?.old == a)
            #expect(modified?.new == changed)
            let deleted = await changes.next()
            #expect(text(deleted) == "-b")
            #expect(informer.list() == [changed])
        }
    }

    @Test("resource versions only grow, however many write")
    func versions() async throws {
        let cluster = try MemoryCluster()
        let informer = Informer(client: cluster.client, resource: .configMaps)
        try await cluster.running([informer]) {
            await informer.waitUntilSynced()
            var changes = informer.changes().makeAsyncIterator()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 { group.addTask { _ = try await create(cluster, "map-\(number)") } }
                try await group.waitForAll()
            }
            var versions: [Int] = []
            for _ in 0..<50 {
                let change = await changes.next()
                versions.append(change?.new.flatMap { Int($0.resourceVersion) } ?? 0)
            }
            #expect(versions == versions.sorted())
            #expect(Set(versions).count == 50)
        }
    }

    @Test("after an expired watch it lists again, and what was missed arrives as changes")
    func relist() async throws {
        let cluster = try MemoryCluster()
        for name in ["gone", "kept", "changed", "replaced"] { _ = try await create(cluster, name) }
        let gate = Gate()
        let client = InterceptedClient(cluster.client) { request throws(Status) in
            if request.verb == .list { await gate.pass() }
        }
        let informer = Informer(client: client, resource: .configMaps, namespace: "default")
        try await cluster.running([informer]) {
            await informer.waitUntilSynced()
            var changes = informer.changes().makeAsyncIterator()
            for _ in 0..<4 { _ = await changes.next() }
            // Only a watch that stands can be cut, and this change shows that it does.
            _ = try await create(cluster, "first")
            _ = await changes.next()
            gate.close()
            client.cutWatches(Status(code: 410, reason: "Expired", message: "too old resource version"))
            await gate.waitForVisitor()
            try await delete(cluster, "gone")
            try await delete(cluster, "replaced")
            let replacement = try await create(cluster, "replaced")
            _ = try await cluster.client.patch(
                .configMaps, namespace: "default", name: "changed", .merge(["data": ["x": "1"]]), subresource: nil,
                options: WriteOptions())
            _ = try await create(cluster, "new")
            gate.open()
            var missed: Set<String> = []
            for _ in 0..<5 {
                let change = await changes.next()
                missed.insert(text(change))
            }
            #expect(missed == ["-gone", "~changed", "-replaced", "+replaced", "+new"])
            #expect(informer.get(ObjectKey(replacement)) == replacement)
            #expect(informer.get(ObjectKey(namespace: "default", name: "gone")) == nil)
            _ = try await create(cluster, "last")
            let next = await changes.next()
            #expect(text(next) == "+last")
        }
    }

    @Test("what does not match its selectors is not there, and leaves when it stops matching")
    func selectors() async throws {
        let cluster = try MemoryCluster()
        let informer = Informer(client: cluster.client, resource: .configMaps, labelSelector: "app=web")
        try await cluster.running([informer]) {
            await informer.waitUntilSynced()
            var changes = informer.changes().makeAsyncIterator()
            _ = try await create(cluster, "other")
            var map = KubeObject(.configMaps, namespace: "default", name: "web")
            map.labels = ["app": "web"]
            map = try await cluster.client.create(.configMaps, map)
            let added = await changes.next()
            #expect(text(added) == "+web")
            map.labels = [:]
            _ = try await cluster.client.update(.configMaps, map, subresource: nil, options: WriteOptions())
            let left = await changes.next()
            #expect(text(left) == "-web")
        }
    }

    @Test("when it ends, its streams end and nobody waits for it any more")
    func end() async throws {
        let cluster = try MemoryCluster()
        let client = InterceptedClient(cluster.client) { request throws(Status) in
            throw Status(code: 0, reason: "Unreachable", message: "nobody answers")
        }
        let informer = Informer(client: client, resource: .configMaps)
        var changes = informer.changes().makeAsyncIterator()
        try await cluster.running([informer]) {}
        await informer.waitUntilSynced()
        let last = await changes.next()
        #expect(last == nil)
        #expect(informer.list().isEmpty)
    }
}
