import Foundation
import KubeModel
import ObjectStore
import Testing

@Suite("Object store", .timeLimit(.minutes(5))) struct ObjectStoreTests {
    static func key(_ name: String, in namespace: String = "default") -> StoreKey {
        StoreKey(resource: "configmaps", namespace: namespace, name: name)
    }

    static func object(_ name: String, _ value: String = "") -> KubeObject {
        var object = KubeObject(.configMaps, namespace: "default", name: name)
        object.value["data"] = ["value": .string(value)]
        return object
    }

    @Test("a write gets the next revision, in the object and in its bytes")
    func revisions() async throws {
        let store = try ObjectStore(.memory)
        let first = try await store.put(Self.key("a"), Self.object("a"))
        let second = try await store.put(Self.key("a"), Self.object("a", "2"))
        #expect(first.revision == Revision(1) && second.revision == Revision(2))
        #expect(second.createRevision == Revision(1))
        #expect(second.object.resourceVersion == "2")
        #expect(try JSONValue(parsing: second.bytes) == second.object.value)
        #expect(store.get(Self.key("a"))?.object.value[["data", "value"]] == "2")
    }

    @Test("an object without metadata is stored with some")
    func bareObject() async throws {
        let store = try ObjectStore(.memory)
        let stored = try await store.put(Self.key("bare"), KubeObject(["kind": "ConfigMap"]))
        #expect(
            String(decoding: stored.bytes, as: UTF8.self) == #"{"kind":"ConfigMap","metadata":{"resourceVersion":"1"}}"#
        )
    }

    @Test("preconditions are kept: absent, at a revision, present for a deletion")
    func preconditions() async throws {
        let store = try ObjectStore(.memory)
        let key = Self.key("a")
        try await store.put(key, Self.object("a"), .absent)
        await #expect(throws: StoreError.exists(key)) { try await store.put(key, Self.object("a"), .absent) }
        await #expect(throws: StoreError.conflict(key, current: Revision(1))) {
            try await store.put(key, Self.object("a"), .revision(Revision(7)))
        }
        await #expect(throws: StoreError.notFound(Self.key("b"))) {
            try await store.put(Self.key("b"), Self.object("b"), .revision(Revision(1)))
        }
        let last = try await store.delete(key, .revision(Revision(1)))
        #expect(last.revision == Revision(2) && last.object.resourceVersion == "2")
        #expect(store.get(key) == nil)
        await #expect(throws: StoreError.notFound(key)) { try await store.delete(key) }
    }

    @Test("a list comes in the order of keys, in parts, at one revision")
    func list() async throws {
        let store = try ObjectStore(.memory)
        for name in ["c", "a", "e", "b", "d"] { try await store.put(Self.key(name), Self.object(name)) }
        try await store.put(Self.key("z", in: "other"), Self.object("z"))
        let range = KeyRange.namespace(resource: "configmaps", namespace: "default")
        let part = try store.list(range, limit: 2)
        #expect(part.items.map(\.key.name) == ["a", "b"] && part.hasMore)
        try await store.delete(Self.key("d"))
        try await store.put(Self.key("f"), Self.object("f"))
        let rest = try store.list(range, after: part.items.last?.key, at: part.revision)
        #expect(rest.items.map(\.key.name) == ["c", "d", "e"] && !rest.hasMore)
        #expect(try store.list(.all(resource: "configmaps")).items.count == 6)
        #expect(try store.list(.all(resource: "secrets")).items.isEmpty)
    }

    @Test("a cursor before the history is refused, one ahead of it waits or is refused")
    func compaction() async throws {
        let store = try ObjectStore(.memory, historyCount: 16)
        for number in 0..<100 { try await store.put(Self.key("a"), Self.object("a", "\(number)")) }
        await #expect {
            try await store.events(after: Revision(1), in: .all(resource: "configmaps"))
        } throws: { error in
            if case StoreError.compacted(let oldest)? = error as? StoreError { oldest > Revision(60) } else { false }
        }
        #expect(throws: StoreError.future(Revision(100))) {
            try store.list(.all(resource: "configmaps"), at: Revision(101))
        }
    }

    @Test("a watcher sleeps until its own range is written, and cancellation wakes it")
    func watching() async throws {
        let store = try ObjectStore(.memory)
        let range = KeyRange.namespace(resource: "configmaps", namespace: "default")
        async let seen = store.events(after: Revision(0), in: range)
        try await store.put(Self.key("x", in: "other"), Self.object("x"))
        try await store.put(Self.key("a"), Self.object("a"))
        let events = try await seen.events
        #expect(events.map(\.object.key.name) == ["a"])
        let waiting = Task { try await store.events(after: store.revision, in: range) }
        waiting.cancel()
        await #expect(throws: StoreError.cancelled) { try await waiting.value }
    }

    @Test("what was answered is there after opening the file again, history included", arguments: [1, 40])
    func durable(writers: Int) async throws {
        let path = NSTemporaryDirectory() + "store-\(UUID().uuidString).sqlite"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        let store = try ObjectStore(.file(path), historyCount: 10_000)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<writers {
                group.addTask {
                    for number in 0..<10 {
                        try await store.put(Self.key("w\(writer)"), Self.object("w\(writer)", "\(number)"))
                    }
                }
            }
            try await group.waitForAll()
        }
        try await store.delete(Self.key("w0"))
        let before = try await store.events(after: Revision(0), in: .all(resource: "configmaps"), limit: 100_000).events

        // Not closed: the process that wrote might have been killed.
        let again = try ObjectStore(.file(path), historyCount: 10_000)
        #expect(again.revision == store.revision)
        #expect(again.get(Self.key("w0")) == nil)
        let after = try await again.events(after: Revision(0), in: .all(resource: "configmaps"), limit: 100_000).events
        #expect(after.map(\.revision) == before.map(\.revision))
        #expect(after.map(\.object.bytes) == before.map(\.object.bytes))
        #expect(after.map { $0.previous?.revision } == before.map { $0.previous?.revision })
    }

    @Test("a task that is cancelled while it commits takes no other task's write with it")
    func cancelledLeader() async throws {
        let folder = NSTemporaryDirectory() + "store-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try ObjectStore(.file(folder + "/store.sqlite"))
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<100 {
                group.addTask {
                    if number.isMultiple(of: 2) { withUnsafeCurrentTask { $0?.cancel() } }
                    return (try? await store.put(Self.key("a\(number)"), Self.object("a\(number)"))) != nil
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count == 100 && outcomes.allSatisfy { $0 })
        await store.close()
    }

    @Test("the log forgets what the history has forgotten, and keeps every object")
    func logCompaction() async throws {
        let path = NSTemporaryDirectory() + "store-\(UUID().uuidString).sqlite"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        let store = try ObjectStore(.file(path), historyCount: 100)
        try await store.put(Self.key("old"), Self.object("old"))
        try await store.put(Self.key("gone"), Self.object("gone"))
        try await store.delete(Self.key("gone"))
        for number in 0..<2500 { try await store.put(Self.key("busy"), Self.object("busy", "\(number)")) }
        let again = try ObjectStore(.file(path), historyCount: 100)
        #expect(try again.list(.all(resource: "configmaps")).items.map(\.key.name) == ["busy", "old"])
        #expect(again.get(Self.key("busy"))?.object.value[["data", "value"]] == "2499")
        await #expect(throws: (any Error).self) {
            try await again.events(after: Revision(2), in: .all(resource: "configmaps"))
        }
    }

    @Test("a file that is not a store is refused with a sentence, and left as it is")
    func damaged() throws {
        let path = NSTemporaryDirectory() + "store-\(UUID().uuidString).sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try "this is not a database, and long enough to be read as one".write(
            toFile: path, atomically: true, encoding: .utf8)
        #expect { try ObjectStore(.file(path)) } throws: { error in
            if case StoreError.io(let sentence)? = error as? StoreError {
                sentence.contains("is damaged")
            } else {
                false
            }
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix("this is not"))
    }
}
