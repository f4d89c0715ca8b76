import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import APIServer

/// Watchers of one event loop are told together; each must hear what it would hear alone.
@Suite("Watchers that are told together", .timeLimit(.minutes(2))) struct WatchCrowdTests {
    private typealias Picture = [ObjectKey: JSONValue]

    private struct View: Sendable {
        var namespace: String?
        var labels: String?
        var fields: String?
        /// Where the object is whose last state ends the watch.
        var last = "default"
    }

    private static let views = [
        View(), View(namespace: "default"), View(labels: "app=a"),
        View(namespace: "default", fields: "metadata.name=n3"),
        View(namespace: "kube-public", labels: "app!=a,tier", last: "kube-public"),
        View(labels: "app in (a,b)", fields: "metadata.name!=n1"), View(fields: "metadata.namespace=default"),
    ]

    /// Applies events as an informer does until the last one has come.
    private static func follow(
        _ events: AsyncThrowingStream<WatchEvent, any Error>, _ picture: Picture, _ view: View, _ note: String
    ) async throws -> Picture {
        var picture = picture
        var revision = 0
        for try await event in events {
            let object: KubeObject
            switch event {
            case .added(let new):
                #expect(picture[ObjectKey(new)] == nil, "\(note): \(new.name) is added twice")
                object = new
            case .modified(let changed):
                #expect(picture[ObjectKey(changed)] != nil, "\(note): \(changed.name) is modified before it is added")
                object = changed
            case .deleted(let gone):
                #expect(picture.removeValue(forKey: ObjectKey(gone)) != nil, "\(note): \(gone.name) is deleted twice")
                object = gone
            default: continue
            }
            let next = try #require(Int(object.resourceVersion))
            #expect(next > revision, "\(note): \(next) comes after \(revision)")
            revision = next
            if case .deleted = event { continue }
            picture[ObjectKey(object)] = object.value
            if object.namespace == view.last, object.value[["data", "k"]] == "last" { return picture }
        }
        throw Unrefused()
    }

    private static func list(_ client: any ClusterClient, _ view: View) async throws -> (picture: Picture, at: String) {
        let list = try await client.list(
            .configMaps, namespace: view.namespace,
            options: ListOptions(labelSelector: view.labels, fieldSelector: view.fields))
        let pairs = list.items.map { (ObjectKey($0), $0.value) }
        return (Dictionary(uniqueKeysWithValues: pairs), list.resourceVersion)
    }

    private static func write(
        _ client: any ClusterClient, _ name: String, in namespace: String, _ labels: [String: String], _ text: String
    ) async throws {
        var object = KubeObject(.configMaps, namespace: namespace, name: name)
        object.labels = labels
        object.value["data"] = ["k": .string(text)]
        do throws(Status) {
            _ = try await client.create(.configMaps, object)
        } catch {
            guard error.isAlreadyExists else { throw error }
            _ = try await client.update(.configMaps, object, subresource: nil, options: WriteOptions())
        }
    }

    private static func writeAtRandom(
        _ client: any ClusterClient, _ count: Int, _ random: inout SeededGenerator
    ) async throws {
        for number in 0..<count {
            let namespace = Bool.random(using: &random) ? "default" : "kube-public"
            let name = "n\(Int.random(in: 0..<8, using: &random))"
            if Int.random(in: 0..<4, using: &random) == 0 {
                do throws(Status) {
                    try await client.delete(.configMaps, namespace: namespace, name: name, options: DeleteOptions())
                } catch {
                    guard error.isNotFound else { throw error }
                }
            } else {
                var labels = ["app": ["a", "b", "c"].randomElement(using: &random) ?? ""]
                if Bool.random(using: &random) { labels["tier"] = "x" }
                try await write(client, name, in: namespace, labels, "\(number)")
            }
        }
    }

    @Test("each of many watchers ends up with what a list gives", arguments: 1...2)
    func pictures(seed: UInt64) async throws {
        try await withServer { fixture, kubeconfig, _ in
            var random = SeededGenerator(seed: seed)
            let client = try HTTPSClient(kubeconfig: Kubeconfig(yaml: kubeconfig), context: nil)
            // The server's own map comes when it listens; later it would be in lists that are made after the last event.
            let isThere = try await client.waitFor(
                .configMaps, "extension-apiserver-authentication", in: "kube-system", timeout: .seconds(30)
            ) { $0 != nil }
            try #require(isThere)
            try await Self.writeAtRandom(fixture.client, 20, &random)
            var starts: [(picture: Picture, at: String)] = []
            for view in Self.views { starts.append(try await Self.list(fixture.client, view)) }
            // They begin behind, and so have to catch up while others go on.
            try await Self.writeAtRandom(fixture.client, 20, &random)
            try await withThrowingTaskGroup(of: (Int, Picture).self) { group in
                for number in 0..<56 {
                    let index = number % Self.views.count
                    let (view, start) = (Self.views[index], starts[index])
                    group.addTask {
                        let events = try await client.watch(
                            .configMaps, namespace: view.namespace,
                            options: WatchOptions(
                                labelSelector: view.labels, fieldSelector: view.fields, resourceVersion: start.at))
                        let note = "seed \(seed), watcher \(number)"
                        return (index, try await Self.follow(events, start.picture, view, note))
                    }
                }
                try await Self.writeAtRandom(fixture.client, 120, &random)
                try await Self.write(fixture.client, "n3", in: "kube-public", ["app": "b", "tier": "x"], "last")
                try await Self.write(fixture.client, "n3", in: "default", ["app": "a", "tier": "x"], "last")
                for try await (index, picture) in group {
                    let wanted = try await Self.list(fixture.client, Self.views[index]).picture
                    #expect(picture == wanted, "seed \(seed), view \(index)")
                }
            }
        }
    }

    @Test(
        "a watch is told where it is each minute and before its end, if it wants, and ends",
        arguments: [
            (150, true, ["60 b", "120 b", "148 b", "150 e"]), (61, true, ["59 b", "61 e"]), (2, true, ["2 be"]),
            (150, false, ["150 e"]),
        ])
    func schedule(seconds: Int, sendsBookmarks: Bool, wanted: [String]) {
        let schedule = WatchSchedule(timeout: .seconds(seconds), sendsBookmarks: sendsBookmarks)
        var rings: [String] = []
        var moment = Duration.zero
        while let ring = schedule.next(after: moment) {
            rings.append("\(ring.at.components.seconds) " + (ring.isBookmark ? "b" : "") + (ring.isEnd ? "e" : ""))
            moment = ring.at
        }
        #expect(rings == wanted)
    }
}
