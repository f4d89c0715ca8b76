import APIServer
import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Over HTTPS", .timeLimit(.minutes(5))) struct HTTPSTests {
    @Test("objects are written, listed, patched and deleted with the client certificate")
    func roundTrip() async throws {
        try await withServer { _, kubeconfig, _ in
            let client = try HTTPSClient(kubeconfig: Kubeconfig(yaml: kubeconfig), context: nil)
            let made = try await client.create(.deployments, MemoryCluster.deployment("web"))
            #expect(made.uid.count == 36)
            #expect(try await client.list(.deployments, in: "default").items == [made])
            let scaled = try await client.patch(
                .deployments, namespace: "default", name: "web", .merge(["spec": ["replicas": 4]]),
                subresource: "scale", options: WriteOptions())
            #expect(scaled.value[["spec", "replicas"]] == 4)
            try await client.delete(.deployments, namespace: "default", name: "web", options: DeleteOptions())
            let status = try await refusal { _ = try await client.get(.deployments, "web", in: "default") }
            #expect(status.isNotFound)
        }
    }

    @Test("a watch delivers changes as they happen")
    func watch() async throws {
        try await withServer { fixture, kubeconfig, _ in
            let client = try HTTPSClient(kubeconfig: Kubeconfig(yaml: kubeconfig), context: nil)
            var events = try await client.watch(
                .configMaps, namespace: "default", options: WatchOptions(allowsBookmarks: false)
            ).makeAsyncIterator()
            _ = try await fixture.makeConfigMap("a")
            #expect(try await events.next()?.name == "added a")
            try await fixture.client.delete(.configMaps, namespace: "default", name: "a", options: DeleteOptions())
            #expect(try await events.next()?.name == "deleted a")
        }
    }

    @Test("a bearer token stands for its user, a wrong one for nobody")
    func tokens() async throws {
        try await withServer(tokens: ["secret": UserInfo(name: "lena", groups: ["system:masters"])]) {
            _, kubeconfig, _ in
            func client(token: String) throws -> HTTPSClient {
                // The certificate goes, the token comes.
                let lines = kubeconfig.split(separator: "\n").filter { !$0.contains("client-") }
                let yaml = lines.joined(separator: "\n") + "\n    token: \(token)\n"
                return try HTTPSClient(kubeconfig: Kubeconfig(yaml: yaml), context: nil)
            }
            #expect(try await client(token: "secret").list(.namespaces).items.count == 4)
            let wrong = try client(token: "guess")
            let status = try await refusal { _ = try await wrong.list(.namespaces) }
            #expect(status.code == 401)
        }
    }

    @Test("a body above 3 MiB is refused")
    func tooLarge() async throws {
        try await withServer { _, kubeconfig, _ in
            let client = try HTTPSClient(kubeconfig: Kubeconfig(yaml: kubeconfig), context: nil)
            var object = KubeObject(.configMaps, namespace: "default", name: "big")
            object.value["data"] = ["k": .string(String(repeating: "x", count: 3 << 20))]
            let big = object
            let status = try await refusal { _ = try await client.create(.configMaps, big) }
            #expect(status.code == 413)
        }
    }

    @Test("a port that is taken is named")
    func portTaken() async throws {
        try await withServer { _, _, port in
            let second = try Fixture(configuration: APIServerConfiguration(port: port, credentials: PKI.make()))
            let error = await #expect(throws: ServerError.self) { try await second.server.run() }
            #expect(error?.message == "The port \(port) is in use by another program.")
            await #expect(throws: ServerError.self) { try await second.server.boundPort }
        }
    }

    @Test("a server that is stopped ends its watches and its run, without an error")
    func stop() async throws {
        let pki = try PKI.make()
        let fixture = try Fixture(configuration: APIServerConfiguration(port: 0, credentials: pki))
        let run = Task { try await fixture.server.run() }
        let port = try await fixture.server.boundPort
        let yaml = pki.kubeconfig(server: "https://127.0.0.1:\(port)")
        let client = try HTTPSClient(kubeconfig: Kubeconfig(yaml: yaml), context: nil)
        _ = try await fixture.makeConfigMap("a")
        var events = try await client.watch(
            .configMaps, namespace: "default", options: WatchOptions(allowsBookmarks: false)
        ).makeAsyncIterator()
        #expect(try await events.next()?.name == "added a")
        run.cancel()
        try await run.value
        // The connection is cut in the middle of an answer, so the stream may say so; it must not go on.
        let rest = try? await events.next()
        #expect(rest == nil)
    }

    @Test("certificates are kept between starts and made anew before they expire")
    func certificates() async throws {
        let folder = "/tmp/velocity-pki-\(UInt64.random(in: 0 ... .max))"
        defer { removeFolder(folder) }
        let now = Timestamp(seconds: 1_800_000_000)
        let first = try PKI.load(orMakeIn: folder, now: now)
        let again = try PKI.load(orMakeIn: folder, now: now + .seconds(300 * 86_400))
        #expect(again.serverCertificate == first.serverCertificate)
        let renewed = try PKI.load(orMakeIn: folder, now: now + .seconds(360 * 86_400))
        #expect(renewed.serverCertificate != first.serverCertificate)
    }
}
