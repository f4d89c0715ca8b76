import KubeClient
import KubeModel
import ObjectStore
import Testing

@testable import APIServer

@Suite("The life of events") struct EventExpiryTests {
    private let now = Timestamp(seconds: 1_800_000_000)

    @Test("old ones are looked for once a minute at most")
    func pause() {
        let expiry = EventExpiry()
        #expect(expiry.isDue(now: now))
        #expect(!expiry.isDue(now: now + .seconds(59)))
        #expect(expiry.isDue(now: now + .seconds(60)))
    }

    @Test("an event goes an hour after it was last seen", arguments: [(3599, false), (3601, true)])
    func lifetime(age: Int64, isOver: Bool) {
        let event = KubeObject([
            "lastTimestamp": .string((now + .seconds(-age)).text),
            "metadata": ["creationTimestamp": .string((now + .seconds(-9000)).text)],
        ])
        #expect(EventExpiry.isOver(event, now: now) == isOver)
    }

    @Test("a new event takes the old ones with it")
    func sweep() async throws {
        let fixture = try Fixture()
        func make(_ name: String, age: Int64) async throws {
            var event = KubeObject(.events, namespace: "default", name: name)
            event.value["involvedObject"] = ["kind": "Pod", "name": "p", "namespace": "default"]
            event.value["lastTimestamp"] = .string((Timestamp.now + .seconds(-age)).text)
            let kind = try fixture.server.registry.kind(of: .events)
            try await fixture.server.registry.prepare()
            // Straight into the store, so that only the last one looks for others.
            let key = Target(kind: kind, namespace: "default", name: name).key
            try await fixture.store.put(key, event)
        }
        try await make("old", age: 4000)
        try await make("recent", age: 10)
        var event = KubeObject(.events, namespace: "default", name: "new")
        event.value["involvedObject"] = ["kind": "Pod", "name": "p", "namespace": "default"]
        _ = try await fixture.client.create(.events, event)
        #expect(try await fixture.client.list(.events, in: "default").items.map(\.name) == ["new", "recent"])
    }
}
