import KubeClient
import KubeModel
import Testing

@Suite("Lists and watches", .timeLimit(.minutes(5))) struct ReadTests {
    @Test("selectors choose by label and field")
    func selectors() async throws {
        let fixture = try Fixture()
        _ = try await fixture.makeConfigMap("a", labels: ["app": "web"])
        _ = try await fixture.makeConfigMap("b", labels: ["app": "db"])
        let byLabel = try await fixture.client.list(
            .configMaps, namespace: nil, options: ListOptions(labelSelector: "app in (web)"))
        #expect(byLabel.items.map(\.name) == ["a"])
        let byName = try await fixture.client.list(
            .configMaps, namespace: "default", options: ListOptions(fieldSelector: "metadata.name=b"))
        #expect(byName.items.map(\.name) == ["b"])
        let status = try await refusal {
            _ = try await fixture.client.list(
                .configMaps, namespace: nil, options: ListOptions(fieldSelector: "data.k=v"))
        }
        #expect(status.code == 400)
        #expect(
            status.message
                == #""data.k" is not a known field selector: only "metadata.name", "metadata.namespace""#)
    }

    @Test("a list in pieces is of one moment, and its token expires with the history")
    func pieces() async throws {
        let fixture = try Fixture(historyCount: 8)
        for name in ["a", "b", "c"] { _ = try await fixture.makeConfigMap(name) }
        let first = try await fixture.client.list(.configMaps, namespace: "default", options: ListOptions(limit: 2))
        #expect(first.items.map(\.name) == ["a", "b"])
        let token = try #require(first.continueToken)
        try await fixture.client.delete(.configMaps, namespace: "default", name: "c", options: DeleteOptions())
        let rest = try await fixture.client.list(
            .configMaps, namespace: "default", options: ListOptions(limit: 2, continueToken: token))
        #expect(rest.items.map(\.name) == ["c"])
        #expect(rest.continueToken == nil)
        for number in 0..<40 { _ = try await fixture.makeConfigMap("x\(number)") }
        let status = try await refusal {
            _ = try await fixture.client.list(
                .configMaps, namespace: "default", options: ListOptions(limit: 2, continueToken: token))
        }
        #expect(status.code == 410)
        #expect(status.reason == "Expired")
    }

    @Test("a page with a selector is filled although the store's pages hold few matches")
    func filteredPieces() async throws {
        let fixture = try Fixture()
        for number in 0..<9 {
            _ = try await fixture.makeConfigMap("c\(number)", labels: number % 4 == 0 ? ["keep": "1"] : [:])
        }
        var options = ListOptions(labelSelector: "keep=1", limit: 2)
        let first = try await fixture.client.list(.configMaps, namespace: "default", options: options)
        #expect(first.items.map(\.name) == ["c0", "c4"])
        options.continueToken = first.continueToken
        let second = try await fixture.client.list(.configMaps, namespace: "default", options: options)
        #expect(second.items.map(\.name) == ["c8"])
    }

    @Test("a revision of the future is refused")
    func future() async throws {
        let fixture = try Fixture()
        let status = try await refusal {
            _ = try await fixture.client.list(
                .configMaps, namespace: nil, options: ListOptions(resourceVersion: "999999"))
        }
        #expect(status.code == 504)
        #expect(status.message.hasPrefix("Timeout: Too large resource version: 999999, current: "))
    }

    @Test("a watch without a revision begins with what is there, then follows")
    func watchFromPresent() async throws {
        let fixture = try Fixture()
        _ = try await fixture.makeConfigMap("a")
        var events = try await fixture.client.watch(
            .configMaps, namespace: "default", options: WatchOptions(allowsBookmarks: false)
        ).makeAsyncIterator()
        #expect(try await events.next()?.name == "added a")
        _ = try await fixture.makeConfigMap("b")
        #expect(try await events.next()?.name == "added b")
        try await fixture.client.delete(.configMaps, namespace: "default", name: "a", options: DeleteOptions())
        #expect(try await events.next()?.name == "deleted a")
    }

    @Test("what begins to match is added, what no longer matches is deleted")
    func transitions() async throws {
        let fixture = try Fixture()
        let revision = try await fixture.client.list(.configMaps).resourceVersion
        var events = try await fixture.client.watch(
            .configMaps, namespace: "default",
            options: WatchOptions(labelSelector: "app=web", resourceVersion: revision)
        ).makeAsyncIterator()
        _ = try await fixture.makeConfigMap("other")
        _ = try await fixture.makeConfigMap("a", data: ["k": "1"])
        func label(_ value: JSONValue) async throws -> KubeObject {
            try await fixture.client.patch(
                .configMaps, namespace: "default", name: "a", .merge(["metadata": ["labels": ["app": value]]]),
                subresource: nil, options: WriteOptions())
        }
        _ = try await label("web")
        #expect(try await events.next()?.name == "added a")
        let left = try await label("db")
        let event = try #require(try await events.next())
        #expect(event.name == "deleted a")
        #expect(event.object?.labels == ["app": "web"])
        #expect(event.object?.resourceVersion == left.resourceVersion)
    }

    @Test("a watch from before the history is expired")
    func expired() async throws {
        let fixture = try Fixture(historyCount: 4)
        let revision = try await fixture.client.list(.configMaps).resourceVersion
        for number in 0..<40 { _ = try await fixture.makeConfigMap("x\(number)") }
        let status = try await refusal {
            var events = try await fixture.client.watch(
                .configMaps, namespace: "default", options: WatchOptions(resourceVersion: revision)
            ).makeAsyncIterator()
            _ = try await events.next()
        }
        #expect(status.isExpired)
        #expect(status.reason == "Expired")
    }

    @Test("a watch ends with the task that reads it")
    func cancellation() async throws {
        let fixture = try Fixture()
        let events = try await fixture.client.watch(
            .configMaps, namespace: "default", options: WatchOptions(allowsBookmarks: false))
        let reader = Task {
            var count = 0
            for try await _ in events { count += 1 }
            return count
        }
        reader.cancel()
        #expect(try await reader.value == 0)
    }
}

extension WatchEvent {
    var name: String {
        switch self {
        case .added(let object): "added \(object.name)"
        case .modified(let object): "modified \(object.name)"
        case .deleted(let object): "deleted \(object.name)"
        case .bookmark: "bookmark"
        }
    }
}
