import KubeModel
import ObjectStore
import Testing

@Suite("List and watch agree", .timeLimit(.minutes(5))) struct HistoryPropertyTests {
    /// A small generator, so that a failure can be repeated from its seed.
    struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    @Test("a list at R plus the events after R is the list at every later revision", arguments: 1...20)
    func listPlusEvents(seed: UInt64) async throws {
        var random = Seeded(state: seed)
        let store = try ObjectStore(.memory, historyCount: 1000)
        let range = KeyRange.all(resource: "configmaps")
        var lists: [Revision: [StoreKey: String]] = [:]
        for _ in 0..<200 {
            let key = ObjectStoreTests.key(
                "n\(Int.random(in: 0..<8, using: &random))", in: Bool.random(using: &random) ? "a" : "b")
            if Bool.random(using: &random), store.get(key) != nil {
                try await store.delete(key)
            } else {
                try await store.put(
                    key, ObjectStoreTests.object(key.name, "\(UInt8.random(in: 0...9, using: &random))"))
            }
            lists[store.revision] = try contents(store, range, at: nil)
        }
        for _ in 0..<20 {
            let from = Revision(Int64.random(in: 1...200, using: &random))
            let to = Revision(Int64.random(in: from.rawValue...200, using: &random))
            var known = try contents(store, range, at: from)
            #expect(known == lists[from], "seed \(seed): list at \(from)")
            if from < to {
                for event in try await store.events(after: from, in: range, limit: 1000).events
                where event.revision <= to {
                    known[event.object.key] = event.kind == .deleted ? nil : text(event.object)
                }
            }
            #expect(known == lists[to], "seed \(seed): \(from) to \(to)")
        }
    }

    private func contents(_ store: ObjectStore, _ range: KeyRange, at revision: Revision?) throws -> [StoreKey: String]
    {
        let items = try store.list(range, at: revision).items
        return Dictionary(uniqueKeysWithValues: items.map { ($0.key, text($0)) })
    }

    private func text(_ object: StoredObject) -> String { String(decoding: object.bytes, as: UTF8.self) }
}
