import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import APIServer

@Suite("The audit journal, metrics and health", .timeLimit(.minutes(5))) struct JournalTests {
    private let fixture: AccessFixture

    init() throws { fixture = try AccessFixture() }

    private var journal: AuditJournal { fixture.server.auditJournal }

    @Test("every request is an event: who, what, and how it ended")
    func events() async throws {
        let start = journal.lastSequence
        _ = try await fixture.send("GET", "/api/v1/namespaces/default/pods/nosuch?x=1")
        _ = try await fixture.send("GET", "/api/v1/nodes", as: AccessFixture.jane)
        let node = fixture.cluster.server.client(user: "system:node:n1")
        _ = try await node.create(.nodes, KubeObject(.nodes, name: "n1"))
        let events = journal.events(after: start)
        #expect(events.map(\.code) == [404, 403, 201])
        #expect(events.map(\.verb) == ["get", "list", "create"])
        #expect(events.map(\.user.name) == ["admin", "jane", "system:node:n1"])
        let first = try #require(events.first?.value)
        #expect(first["apiVersion"] == "audit.k8s.io/v1")
        #expect(first["stage"] == "ResponseComplete")
        #expect(first["requestURI"] == "/api/v1/namespaces/default/pods/nosuch?x=1")
        #expect(
            first["objectRef"] == [
                "resource": "pods", "namespace": "default", "name": "nosuch", "apiVersion": "v1",
            ])
        #expect(first[["responseStatus", "reason"]] == "NotFound")
        #expect(first["annotations"]?["authorization.k8s.io/decision"] == "allow")
        #expect(events[1].value["annotations"]?["authorization.k8s.io/decision"] == "forbid")
        #expect(Set(events.map(\.auditID)).count == 3)
    }

    @Test("an impersonated request names both, and a Secret's data is nowhere")
    func secrets() async throws {
        let start = journal.lastSequence
        let jane = try #require(Impersonation(headers: [(name: "Impersonate-User", value: "jane")]))
        _ = try await fixture.send("GET", "/api/v1/nodes", impersonating: jane)
        var secret = KubeObject(.secrets, namespace: "default", name: "s")
        secret.value["stringData"] = ["password": "hunter2"]
        _ = try await fixture.send("POST", "/api/v1/namespaces/default/secrets", secret.value)
        let events = journal.events(after: start)
        #expect(events[0].user.name == "admin")
        #expect(events[0].impersonatedUser?.name == "jane")
        #expect(!events.contains { $0.value.text.contains("hunter2") || $0.value.text.contains("aHVudGVyMg") })
    }

    @Test("a watch is an event when it begins and one when it ends")
    func watches() async throws {
        let start = journal.lastSequence
        var stream: AsyncThrowingStream<WatchEvent, any Error>? = try await fixture.client.watch(
            .pods, namespace: nil, options: WatchOptions())
        #expect(journal.events(after: start).map(\.stage) == [.responseStarted])
        #expect(fixture.registry.ledger.metrics.series.contains { $0.series.open == 1 })
        _ = stream
        stream = nil
        #expect(journal.events(after: start).map(\.stage) == [.responseStarted, .responseComplete])
        #expect(!fixture.registry.ledger.metrics.series.contains { $0.series.open > 0 })
    }

    @Test("only so many events are kept, the newest")
    func bounds() async throws {
        let journal = AuditJournal(capacity: 3)
        let ledger = RequestLedger(journal: journal)
        for code in 1...5 {
            ledger.begin(RequestInfo(method: "GET", path: "/\(code)"), .anonymous).answered(code: code)
        }
        #expect(journal.lastSequence == 5)
        #expect(journal.events().map(\.code) == [3, 4, 5])
        #expect(journal.events(after: 4).map(\.code) == [5])
        #expect(journal.events(after: 9).isEmpty)
    }

    @Test("the file holds the events as lines, and is set aside when it has grown")
    func file() async throws {
        try await withTemporaryFolder { folder in
            let ledger = RequestLedger(journal: AuditJournal())
            let file = AuditFile(path: "\(folder)/audit.log", bytesMax: 4000)
            for code in 1...20 {
                ledger.begin(RequestInfo(method: "GET", path: "/\(code)"), .anonymous).answered(code: code)
            }
            let writing = Task { await file.follow(ledger.journal) }
            writing.cancel()
            await writing.value
            let first = try #require(SecretFile.read("\(folder)/audit.log"))
            let lines = first.split(separator: "\n")
            #expect(lines.count == 20)
            #expect(try JSONValue(parsing: String(lines[19]))["requestURI"] == "/20")
            ledger.begin(RequestInfo(method: "GET", path: "/21"), .anonymous).answered(code: 21)
            let again = AuditFile(path: "\(folder)/audit.log", bytesMax: 4000)
            let more = Task { await again.follow(ledger.journal) }
            more.cancel()
            await more.value
            #expect(SecretFile.read("\(folder)/audit.log.1") == first)
        }
    }

    @Test("checkers read the journal over the network, others do not")
    func page() async throws {
        _ = try await fixture.send("GET", "/api/v1/namespaces/default/pods/a", as: AccessFixture.jane)
        let answer = try await fixture.send("GET", "/debug/audit?user=jane&verb=get")
        #expect(answer.value["kind"] == "EventList")
        #expect(answer.value["items"]?.array?.map { $0[["objectRef", "name"]] } == ["a"])
        let after = try #require(answer.value[["metadata", "resourceVersion"]]?.string)
        let rest = try await fixture.send("GET", "/debug/audit?user=jane&after=\(after)")
        #expect(rest.value["items"] == [])
        #expect(try await fixture.send("GET", "/debug/audit", as: AccessFixture.jane).code == 403)
    }

    @Test("health tells its checks one by one, and leaves out what is excluded")
    func health() async throws {
        #expect(try await fixture.send("GET", "/readyz").text == "ok")
        let verbose = try await fixture.send("GET", "/livez?verbose&exclude=etcd&exclude=nosuch")
        #expect(verbose.text.hasPrefix("[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\n"))
        #expect(
            verbose.text.hasSuffix(
                "warn: some health checks cannot be excluded: no matches for \"nosuch\"\nlivez check passed\n"))
        #expect(try await fixture.send("GET", "/livez/ping").text == "ok")
        #expect(try await fixture.send("GET", "/readyz/poststarthook/rbac/bootstrap-roles").text == "ok")
        #expect(try await fixture.send("GET", "/livez/nosuch").code == 404)
        #expect(try await fixture.send("GET", "/healthz?verbose").text.hasSuffix("healthz check passed\n"))
    }

    @Test("the metrics count requests by what they ask, and objects by kind")
    func metrics() async throws {
        for _ in 0..<3 { _ = try await fixture.send("GET", "/api/v1/namespaces/default/pods/a") }
        let text = try await fixture.send("GET", "/metrics").text
        let lines = text.split(separator: "\n").map(String.init)
        #expect(
            lines.contains(
                "apiserver_request_total{code=\"404\",component=\"apiserver\",dry_run=\"\",group=\"\",resource=\"pods\","
                    + "scope=\"resource\",subresource=\"\",verb=\"GET\",version=\"v1\"} 3"))
        #expect(
            lines.contains(
                "apiserver_request_duration_seconds_bucket{component=\"apiserver\",dry_run=\"\",group=\"\","
                    + "resource=\"pods\",scope=\"resource\",subresource=\"\",verb=\"GET\",version=\"v1\",le=\"+Inf\"} 3"
            ))
        #expect(lines.contains("apiserver_storage_objects{resource=\"namespaces\"} 4"))
        #expect(lines.contains { $0.hasPrefix("process_resident_memory_bytes ") })
        #expect(lines.contains("apiserver_current_inflight_requests{request_kind=\"readOnly\"} 1"))
        #expect(try await fixture.send("GET", "/metrics", as: AccessFixture.jane).code == 403)
    }

    @Test("others can check our tokens by the published key")
    func keys() async throws {
        let account = UserInfo.serviceAccount("x", namespace: "default")
        let keys = try await fixture.send("GET", "/openid/v1/jwks", as: account)
        #expect(keys.value["keys"]?.array?.first?["alg"] == "ES256")
        #expect(keys.value["keys"]?.array?.first?["kid"] == .string(fixture.registry.tokens.signer.keyID))
        let configuration = try await fixture.send("GET", "/.well-known/openid-configuration", as: account)
        #expect(configuration.value["issuer"] == "https://kubernetes.default.svc.cluster.local")
    }
}
