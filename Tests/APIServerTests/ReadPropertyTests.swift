import KubeClient
import KubeModel
import LabTesting
import ObjectStore
import Testing

@testable import APIServer

/// What lists and watches promise together, tried with random writes, selectors, pages and a history that is too short.
@Suite("Lists, pages and watches agree", .timeLimit(.minutes(2))) struct ReadPropertyTests {
    private typealias Picture = [ObjectKey: String]

    private static let selections: [(namespace: String?, labels: String?, fields: String?)] = [
        (nil, nil, nil), ("default", nil, nil), (nil, "app=a", nil), ("kube-public", "app!=a,tier", nil),
        (nil, nil, "metadata.namespace=default"), ("default", nil, "metadata.name=n3"),
        (nil, "app in (a,b)", "metadata.name!=n1"),
    ]

    /// A cluster that is written to at random, and everything that was ever there to be read.
    private final class World {
        let fixture: Fixture
        let kind: KindSchema
        var random: SeededGenerator
        var revisions: [Revision] = []
        var pictures: [[Revision: Picture]]

        var registry: Registry { fixture.server.registry }
        var store: ObjectStore { fixture.store }

        init(seed: UInt64, historyCount: Int) async throws {
            fixture = try Fixture(historyCount: historyCount)
            try await fixture.server.registry.prepare()
            kind = try fixture.server.registry.kind(of: .configMaps)
            random = SeededGenerator(seed: seed)
            pictures = selections.map { _ in [:] }
            // The first change may turn out to be none.
            await record()
        }

        func selection(_ index: Int) throws(Status) -> Selection {
            let chosen = selections[index]
            return try Selection(kind, labelSelector: chosen.labels, fieldSelector: chosen.fields)
        }

        func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

        /// One random change; nothing when the object to delete is not there.
        func write() async throws {
            let namespace = number(0..<2) == 0 ? "default" : "kube-public"
            let name = "n\(number(0..<8))"
            if number(0..<4) == 0 {
                do throws(Status) {
                    try await fixture.client.delete(
                        .configMaps, namespace: namespace, name: name, options: DeleteOptions())
                } catch {
                    guard error.isNotFound else { throw error }
                    return
                }
            } else {
                var object = KubeObject(.configMaps, namespace: namespace, name: name)
                object.labels = ["app": ["a", "b", "c"][number(0..<3)]]
                if number(0..<2) == 0 { object.labels["tier"] = "x" }
                object.value["data"] = ["k": .string("\(number(0..<1000))")]
                do throws(Status) {
                    _ = try await fixture.client.create(.configMaps, object)
                } catch {
                    guard error.isAlreadyExists else { throw error }
                    _ = try await fixture.client.update(
                        .configMaps, object, subresource: nil, options: WriteOptions())
                }
            }
            await record()
        }

        func record() async {
            revisions.append(store.revision)
            for index in selections.indices {
                pictures[index][store.revision] = try? await picture(index, ListQuery(selection: selection(index)))
            }
        }

        func list(_ index: Int, _ query: ListQuery) async throws(Status) -> ListPage {
            try await registry.list(kind, namespace: selections[index].namespace, query)
        }

        func picture(_ index: Int, _ query: ListQuery) async throws(Status) -> Picture {
            ReadPropertyTests.picture(try await list(index, query).items)
        }

        func cursor(_ index: Int, from revision: Revision) async throws(Status) -> WatchCursor {
            try await WatchCursor(
                registry, kind, namespace: selections[index].namespace,
                WatchQuery(selection: selection(index), resourceVersion: "\(revision)"))
        }

        /// The oldest revision that can still be asked for.
        func isForgotten(_ revision: Revision) -> Bool {
            do { _ = try store.list(.all(resource: "nothing"), at: revision) } catch { return true }
            return false
        }
    }

    private static func picture(_ items: [StoredObject]) -> Picture {
        Dictionary(uniqueKeysWithValues: items.map { (ObjectKey($0.object), text($0.object)) })
    }

    private static func text(_ object: KubeObject) -> String { object.value.text }

    /// Applies events as an informer does, and holds each against what was known before.
    private static func apply(_ items: [WatchItem], to picture: inout Picture, _ note: String) {
        for item in items {
            let key = ObjectKey(item.object)
            switch item.kind {
            case .added:
                #expect(picture[key] == nil, "\(note): \(key) is added twice")
                picture[key] = text(item.object)
            case .modified:
                #expect(picture[key] != nil, "\(note): \(key) is modified before it is added")
                picture[key] = text(item.object)
            case .deleted:
                #expect(picture[key] != nil, "\(note): \(key) is deleted before it is added")
                picture[key] = nil
            case .bookmark: break
            }
        }
    }

    @Test("a list at R plus the events after R is the list at every later revision", arguments: 1...6)
    func listPlusEvents(seed: UInt64) async throws {
        let world = try await World(seed: seed, historyCount: 60)
        await world.record()
        for _ in 0..<150 { try await world.write() }
        for _ in 0..<60 {
            let index = world.number(0..<Self.selections.count)
            let from = world.revisions[world.number(0..<world.revisions.count)]
            let later = world.revisions.filter { $0 >= from }
            let to = later[world.number(0..<later.count)]
            let note = "seed \(seed), selection \(index), \(from) to \(to)"
            var picture = try #require(world.pictures[index][from])
            var cursor = try await world.cursor(index, from: from)
            do throws(Status) {
                while cursor.revision < to {
                    cursor.wake()
                    let items = try await cursor.next()
                    let wanted = items.filter { Revision(Int64($0.object.resourceVersion) ?? 0) <= to }
                    Self.apply(wanted, to: &picture, note)
                }
            } catch {
                #expect(error.isExpired && world.isForgotten(from), "\(note): \(error)")
                continue
            }
            #expect(picture == world.pictures[index][to], "\(note)")
        }
    }

    @Test("a watch that is drained now and then always knows what a list would give", arguments: 1...6)
    func mirrors(seed: UInt64) async throws {
        let world = try await World(seed: seed, historyCount: 40)
        await world.record()
        var mirrors: [(picture: Picture, cursor: WatchCursor)] = []
        for index in Self.selections.indices {
            let page = try await world.list(index, ListQuery(selection: world.selection(index)))
            mirrors.append((Self.picture(page.items), try await world.cursor(index, from: page.revision)))
        }
        for _ in 0..<200 {
            try await world.write()
            guard world.number(0..<6) == 0 else { continue }
            let index = world.number(0..<mirrors.count)
            let note = "seed \(seed), selection \(index), revision \(world.store.revision)"
            do throws(Status) {
                while mirrors[index].cursor.revision < world.store.revision {
                    mirrors[index].cursor.wake()
                    let items = try await mirrors[index].cursor.next()
                    Self.apply(items, to: &mirrors[index].picture, note)
                }
            } catch {
                // It slept too long: the history has gone on without it, and it begins again.
                #expect(error.isExpired && world.isForgotten(mirrors[index].cursor.revision), "\(note): \(error)")
                let page = try await world.list(index, ListQuery(selection: world.selection(index)))
                mirrors[index] = (Self.picture(page.items), try await world.cursor(index, from: page.revision))
            }
            #expect(mirrors[index].picture == world.pictures[index][world.store.revision], "\(note)")
        }
    }

    @Test("pages taken between writes are one list of one moment, or say that they cannot be", arguments: 1...6)
    func pages(seed: UInt64) async throws {
        let world = try await World(seed: seed, historyCount: 24)
        for _ in 0..<40 { try await world.write() }
        for _ in 0..<20 {
            let index = world.number(0..<Self.selections.count)
            var query = ListQuery(selection: try world.selection(index), limit: world.number(1..<4))
            var items: [StoredObject] = []
            var revision: Revision?
            var isInconsistent = false
            repeat {
                do throws(Status) {
                    let page = try await world.list(index, query)
                    #expect(page.items.count <= query.limit ?? 0)
                    if !isInconsistent { #expect(revision == nil || revision == page.revision) }
                    revision = page.revision
                    items += page.items
                    query.continueToken = page.continueToken
                } catch {
                    #expect(error.isExpired)
                    query.continueToken = error.continueToken
                    #expect(error.continueToken != nil)
                    isInconsistent = true
                }
                for _ in 0..<world.number(0..<12) { try await world.write() }
            } while query.continueToken != nil
            let note = "seed \(seed), selection \(index), revision \(revision?.description ?? "none")"
            #expect(items.map(\.key) == items.map(\.key).sorted(), "\(note)")
            let picture = Self.picture(items)
            if !isInconsistent, let revision { #expect(picture == world.pictures[index][revision], "\(note)") }
        }
    }
}
