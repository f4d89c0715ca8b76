import ControllerKit
import KubeClient
import KubeModel
import LabTesting
import Synchronization
import Testing

/// Tells of every reconciliation, and does what the test says.
private final class ScriptedReconciler: Reconciler {
    let calls: AsyncStream<(key: ObjectKey, time: ContinuousClock.Instant)>
    private let teller: AsyncStream<(key: ObjectKey, time: ContinuousClock.Instant)>.Continuation
    private let script: @Sendable (ObjectKey, Int) async throws -> Outcome
    private let counts = Mutex<[ObjectKey: Int]>([:])

    /// - Parameter script: What to do with a key the n-th time, counted from 1.
    init(_ script: @escaping @Sendable (ObjectKey, Int) async throws -> Outcome) {
        (calls, teller) = AsyncStream.makeStream()
        self.script = script
    }

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        let count = counts.withLock { counts in
            counts[key, default: 0] += 1
            return counts[key, default: 0]
        }
        teller.yield((key, .now))
        return try await script(key, count)
    }
}

private struct Refused: Error {}

@Suite("Controller loop", .timeLimit(.minutes(5))) struct ControllerLoopTests {
    private func create(_ cluster: MemoryCluster, _ name: String, owner: KubeObject? = nil) async throws -> KubeObject {
        var map = KubeObject(.configMaps, namespace: "default", name: name)
        map.ownerReferences = owner.map { [OwnerReference(controller: $0)] } ?? []
        return try await cluster.client.create(.configMaps, map)
    }

    private func touch(_ cluster: MemoryCluster, _ name: String, _ value: Int) async throws {
        _ = try await cluster.client.patch(
            .configMaps, namespace: "default", name: name, .merge(["data": ["x": .string("\(value)")]]),
            subresource: nil, options: WriteOptions())
    }

    @Test("the present objects and every change lead to a reconciliation")
    func keys() async throws {
        let cluster = try MemoryCluster()
        _ = try await create(cluster, "a")
        let informer = Informer(client: cluster.client, resource: .configMaps)
        let reconciler = ScriptedReconciler { _, _ in .settled }
        let loop = ControllerLoop(reconciler, sources: [.own(informer)])
        try await cluster.running([informer, loop]) {
            var calls = reconciler.calls.makeAsyncIterator()
            #expect(await calls.next()?.key.name == "a")
            _ = try await create(cluster, "b")
            #expect(await calls.next()?.key.name == "b")
            try await touch(cluster, "a", 1)
            #expect(await calls.next()?.key.name == "a")
            try await cluster.client.delete(.configMaps, namespace: "default", name: "b", options: DeleteOptions())
            #expect(await calls.next()?.key.name == "b")
        }
    }

    @Test("no more keys are worked on side by side than the loop may have workers")
    func workers() async throws {
        let cluster = try MemoryCluster()
        _ = try await create(cluster, "a")
        _ = try await create(cluster, "b")
        let informer = Informer(client: cluster.client, resource: .configMaps)
        let gate = Gate()
        gate.close()
        let open = Mutex((now: 0, most: 0))
        let reconciler = ScriptedReconciler { _, _ in
            open.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            await gate.pass()
            open.withLock { $0.now -= 1 }
            return .settled
        }
        let loop = ControllerLoop(reconciler, sources: [.own(informer)], workersMax: 1)
        try await cluster.running([informer, loop]) {
            var calls = reconciler.calls.makeAsyncIterator()
            let first = await calls.next()?.key.name
            await gate.waitForVisitor()
            gate.open()
            let second = await calls.next()?.key.name
            #expect(Set([first, second]) == ["a", "b"])
            #expect(open.withLock { $0.most } == 1)
        }
    }

    @Test("a changed dependent leads to its owner")
    func owners() async throws {
        let cluster = try MemoryCluster()
        let owner = try await create(cluster, "owner")
        let informer = Informer(client: cluster.client, resource: .configMaps)
        let reconciler = ScriptedReconciler { _, _ in .settled }
        let loop = ControllerLoop(reconciler, sources: [.owner(informer, kind: "ConfigMap")])
        try await cluster.running([informer, loop]) {
            var calls = reconciler.calls.makeAsyncIterator()
            _ = try await create(cluster, "dependent", owner: owner)
            #expect(await calls.next()?.key == ObjectKey(owner))
            try await cluster.client.delete(
                .configMaps, namespace: "default", name: "dependent", options: DeleteOptions())
            #expect(await calls.next()?.key == ObjectKey(owner))
        }
    }

    @Test("a failing reconciliation is tried again, later each time, and others go on meanwhile")
    func backoff() async throws {
        let cluster = try MemoryCluster()
        _ = try await create(cluster, "bad")
        let informer = Informer(client: cluster.client, resource: .configMaps)
        let reconciler = ScriptedReconciler { key, count in
            if key.name == "bad", count < 6 { throw Refused() }
            return .settled
        }
        let loop = ControllerLoop(reconciler, sources: [.own(informer)])
        try await cluster.running([informer, loop]) {
            var calls = reconciler.calls.makeAsyncIterator()
            var times: [ContinuousClock.Instant] = []
            while times.count < 6, let call = await calls.next() { times.append(call.time) }
            // A test that is out of time has seen fewer.
            try #require(times.count == 6)
            for index in 1..<6 {
                #expect(times[index] - times[index - 1] >= Backoff.delay(failures: index - 1))
            }
            // It has settled: the next call is somebody else's.
            _ = try await create(cluster, "good")
            #expect(await calls.next()?.key.name == "good")
        }
    }

    @Test("a reconciler that asks for it is called again after the time it says")
    func again() async throws {
        let cluster = try MemoryCluster()
        _ = try await create(cluster, "a")
        let informer = Informer(client: cluster.client, resource: .configMaps)
        let reconciler = ScriptedReconciler { _, count in count == 1 ? .again(after: .milliseconds(30)) : .settled }
        let loop = ControllerLoop(reconciler, sources: [.own(informer)])
        try await cluster.running([informer, loop]) {
            var calls = reconciler.calls.makeAsyncIterator()
            let first = try #require(await calls.next())
            let second = try #require(await calls.next())
            #expect(second.time - first.time >= .milliseconds(30))
        }
    }

    @Test("one key is never reconciled twice at once, and different keys are side by side")
    func exclusion() async throws {
        let cluster = try MemoryCluster()
        _ = try await create(cluster, "a")
        let gate = Gate()
        gate.close()
        let running = Mutex<[String: Int]>([:])
        let informer = Informer(client: cluster.client, resource: .configMaps)
        let reconciler = ScriptedReconciler { key, count in
            let now = running.withLock { running in
                running[key.name, default: 0] += 1
                return running[key.name] ?? 0
            }
            #expect(now == 1)
            if key.name == "a", count == 1 { await gate.pass() }
            running.withLock { $0[key.name, default: 0] -= 1 }
            return .settled
        }
        let loop = ControllerLoop(reconciler, sources: [.own(informer)])
        try await cluster.running([informer, loop]) {
            var calls = reconciler.calls.makeAsyncIterator()
            #expect(await calls.next()?.key.name == "a")
            // The first call hangs. Changes of its key wait; another key does not.
            for value in 1...5 { try await touch(cluster, "a", value) }
            _ = try await create(cluster, "b")
            #expect(await calls.next()?.key.name == "b")
            gate.open()
            // All that happened meanwhile is one more call.
            #expect(await calls.next()?.key.name == "a")
            _ = try await create(cluster, "c")
            #expect(await calls.next()?.key.name == "c")
        }
    }
}
