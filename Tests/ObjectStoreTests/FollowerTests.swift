import KubeModel
import Synchronization
import Testing

@testable import ObjectStore

@Suite("Followers of a store", .timeLimit(.minutes(5))) struct FollowerTests {
    /// Counts how often a follower was told.
    private final class Bell: Sendable {
        let count = Atomic(0)
        var rings: Int { count.load(ordering: .relaxed) }
        func ring() { count.add(1, ordering: .relaxed) }
    }

    private static let secrets = StoreKey(resource: "secrets", namespace: "default", name: "s")

    @Test("is told once, takes everything of its resources, and is told again")
    func takes() async throws {
        let store = try ObjectStore(.memory)
        let bell = Bell()
        let follower = StoreFollower { bell.ring() }
        try await store.put(ObjectStoreTests.key("before"), ObjectStoreTests.object("before"))
        store.follow("configmaps", by: follower)
        try await store.put(Self.secrets, ObjectStoreTests.object("s"))
        #expect(bell.rings == 0)
        for name in ["a", "b", "c"] { try await store.put(ObjectStoreTests.key(name), ObjectStoreTests.object(name)) }
        try await store.put(Self.secrets, ObjectStoreTests.object("s", "2"))
        #expect(bell.rings == 1)
        let news = try store.take(follower)
        #expect(news.events.map(\.object.key.name) == ["a", "b", "c"])
        #expect(news.upTo == store.revision)
        #expect(try store.take(follower).events.isEmpty)
        try await store.delete(ObjectStoreTests.key("a"))
        #expect(bell.rings == 2)
        #expect(try store.take(follower).events.map(\.kind) == [.deleted])
    }

    @Test("is told nothing when it has let go of a resource as often as it took it")
    func letsGo() async throws {
        let store = try ObjectStore(.memory)
        let bell = Bell()
        let follower = StoreFollower { bell.ring() }
        store.follow("configmaps", by: follower)
        store.follow("configmaps", by: follower)
        store.unfollow("configmaps", by: follower)
        try await store.put(ObjectStoreTests.key("a"), ObjectStoreTests.object("a"))
        #expect(bell.rings == 1)
        store.unfollow("configmaps", by: follower)
        try await store.put(ObjectStoreTests.key("b"), ObjectStoreTests.object("b"))
        #expect(bell.rings == 1)
        #expect(try store.take(follower).events.isEmpty)
    }

    @Test("a quiet resource costs a follower nothing, however busy the others are")
    func quiet() async throws {
        let store = try ObjectStore(.memory, historyCount: 20)
        let follower = StoreFollower {}
        store.follow("configmaps", by: follower)
        for number in 0..<200 { try await store.put(Self.secrets, ObjectStoreTests.object("s", "\(number)")) }
        try await store.put(ObjectStoreTests.key("a"), ObjectStoreTests.object("a"))
        #expect(try store.take(follower).events.map(\.object.key.name) == ["a"])
        for number in 0..<200 {
            try await store.put(ObjectStoreTests.key("a"), ObjectStoreTests.object("a", "\(number)"))
        }
        #expect(throws: StoreError.self) { try store.take(follower) }
        #expect(try store.take(follower).events.isEmpty)
    }

    @Test("a history of large objects is shorter, but not short")
    func largeObjects() {
        var state = StoreState(historyCount: 10_000, historyBytes: 1000)
        for number in 1...5000 {
            let revision = Revision(Int64(number))
            let object = EncodedObject(ObjectStoreTests.object("a")).stored(
                ObjectStoreTests.key("a"), revision, created: Revision(1))
            state.apply(StoreEvent(kind: .modified, object: object, previous: state.get(object.key)))
        }
        let kept = 5000 - state.compacted.rawValue
        #expect(kept >= 1000 && kept < 2000)
    }

    @Test("an object that was replaced long ago is still read as it was")
    func forgottenValues() async throws {
        let store = try ObjectStore(.memory)
        let first = try await store.put(ObjectStoreTests.key("a"), ObjectStoreTests.object("a", "first"))
        let value = first.object
        for number in 0..<300 {
            try await store.put(ObjectStoreTests.key("a"), ObjectStoreTests.object("a", "\(number)"))
        }
        let old = try store.list(.all(resource: "configmaps"), at: first.revision).items
        #expect(old.map(\.object) == [value])
    }
}
