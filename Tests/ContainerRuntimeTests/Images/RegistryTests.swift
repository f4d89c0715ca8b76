import Foundation
import KubeClient
import Synchronization
import Testing

@testable import ContainerRuntime

@Suite("Images from registries", .timeLimit(.minutes(5))) struct RegistryTests {
    private let bed: StoreBed
    init() throws { bed = try StoreBed() }

    private static let lower = Archives.tar { $0.add("bin/app", text: "#!", mode: 0o755) }
    private static let upper = Archives.tar { $0.add("etc/motd", text: "hello\n") }

    @Test("an image comes by its tag, layer after layer, and what is here does not come again")
    func tag() async throws {
        try await FakeRegistry.run { registry, host in
            registry.content.withLock {
                _ = $0.addImage("1.0", layers: [Self.lower, Self.upper], packing: Archives.gzip)
            }
            let pulled = try await bed.store.pull(named: "\(host)/team/web:1.0")
            #expect(pulled.name == "\(host)/team/web:1.0")
            #expect(try bed.text("/etc/motd", in: "\(host)/team/web:1.0") == "hello\n")
            let image = try bed.catalog.resolve("\(host)/team/web:1.0").image
            #expect(image.command == ["/bin/app"] && image.bytes == 8)
            #expect(image.digest == "\(host)/team/web@\(pulled.digest)")
            #expect(bed.catalog.entries.first?.origin == "pulled")
            #expect(registry.takeQuestions().filter { $0.hasPrefix("/elsewhere/") }.count == 3)
            _ = try await bed.store.pull(named: "\(host)/team/web:1.0")
            #expect(registry.takeQuestions().filter { $0.hasPrefix("/elsewhere/") }.count == 1)
            #expect(bed.store.names("/new").isEmpty)
        }
    }

    @Test("a digest names one image for ever: that of an index, or of the manifest in it")
    func digest() async throws {
        try await FakeRegistry.run { registry, host in
            let index = registry.content.withLock { $0.addImage("1.0", layers: [Self.lower], packing: Archives.gzip) }
            let catalog = ImageCatalog(workloads: "/bin/sh", store: bed.store, pulls: true)
            for name in ["\(host)/team/web@\(index)", "\(host)/team/web:any@\(index)"] {
                try await catalog.pull(name)
                #expect(try catalog.resolve(name).image.command == ["/bin/app"])
                _ = registry.takeQuestions()
                try await catalog.pull(name)
                #expect(registry.takeQuestions().isEmpty)
            }
            // The one that its tag gave is that as well, and says so.
            let other = try StoreBed()
            let pulled = try await other.store.pull(named: "\(host)/team/web:1.0")
            #expect(pulled.digest == index.description)
            _ = registry.takeQuestions()
            let pulling = ImageCatalog(workloads: "/bin/sh", store: other.store, pulls: true)
            try await pulling.pull("\(host)/team/web@\(index)")
            #expect(registry.takeQuestions().isEmpty)
            #expect(try other.catalog.resolve("\(host)/team/web:1.0").image.digest == "\(host)/team/web@\(index)")
        }
    }

    @Test("those that want an image at the same time have its layers fetched once")
    func together() async throws {
        try await FakeRegistry.run { registry, host in
            let packed = Archives.gzip(Self.lower)
            registry.content.withLock { _ = $0.addImage("1.0", layers: [Self.lower]) { _ in packed } }
            let catalog = ImageCatalog(workloads: "/bin/sh", store: bed.store, pulls: true)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 { group.addTask { try await catalog.pull("\(host)/team/web:1.0") } }
                try await group.waitForAll()
            }
            let layer = "/elsewhere/\(Digest(of: packed))"
            #expect(registry.takeQuestions().count { $0 == layer } == 1)
            // Nobody's failure is another one's.
            await #expect(throws: RuntimeError.self) { try await catalog.pull("\(host)/team/web:2.0") }
            try await catalog.pull("\(host)/team/web:1.0")
        }
    }

    @Test("a tag that has moved is followed by a pull, and by nothing else")
    func moved() async throws {
        try await FakeRegistry.run { registry, host in
            let name = "\(host)/team/web:latest"
            let catalog = ImageCatalog(workloads: "/bin/sh", store: bed.store, pulls: true)
            registry.content.withLock { _ = $0.addImage("latest", layers: [Self.lower], packing: Archives.gzip) }
            try await catalog.pull(name)
            registry.content.withLock { _ = $0.addImage("latest", layers: [Self.upper], packing: Archives.gzip) }
            #expect(try bed.text("/etc/motd", in: name) == nil)
            try await catalog.pull(name)
            #expect(try bed.text("/etc/motd", in: name) == "hello\n")
        }
    }

    @Test("what is built in or was built here is asked of no registry, and without leave nothing is")
    func local() async throws {
        let catalog = ImageCatalog(workloads: "/bin/sh", store: bed.store, pulls: true)
        try await catalog.pull("busybox")
        try bed.load(Archives.docker(["127.0.0.1:1/mine:1"], layers: [Self.lower]))
        try await catalog.pull("127.0.0.1:1/mine:1")
        try await bed.catalog.pull("127.0.0.1:1/other:1")
    }

    @Test("what a registry does not have or give is told in containerd's words to the cluster, in ours to people")
    func refusals() async throws {
        try await FakeRegistry.run { registry, host in
            let catalog = ImageCatalog(workloads: "/bin/sh", store: bed.store, pulls: true)
            let name = "\(host)/team/web:9"
            let failed = "failed to pull and unpack image \"\(name)\": failed to resolve reference \"\(name)\": "
            await #expect(
                throws: RuntimeError.imageNotFound(
                    reference: name, because: "rpc error: code = NotFound desc = \(failed)\(name): not found")
            ) { try await catalog.pull(name) }
            var error = await #expect(throws: ImageError.self) { try await bed.store.pull(named: name) }
            #expect(error?.message == "The registry '\(host)' has no image '\(name)'.")
            // This one it gives to nobody who has no name.
            error = await #expect(throws: ImageError.self) { try await bed.store.pull(named: "\(host)/team/private:1") }
            #expect(error?.message.contains("to nobody without a login") == true)
            error = await #expect(throws: ImageError.self) { try await bed.store.pull(named: "127.0.0.1:1/x:1") }
            #expect(
                error?.message
                    == "'127.0.0.1:1/x:1' cannot be fetched: failed to do request: Get"
                    + " \"http://127.0.0.1:1/v2/x/manifests/1\": dial tcp 127.0.0.1:1: connect: connection refused.")
        }
    }

    @Test("content that is not what its digest says is refused")
    func spoiled() async throws {
        try await FakeRegistry.run { registry, host in
            registry.content.withLock { content in
                content.addImage("1.0", layers: [Self.lower], packing: Archives.gzip)
                content.blobs[Digest(of: Archives.gzip(Self.lower))] = Archives.gzip(Self.upper)
            }
            let error = await #expect(throws: ImageError.self) {
                _ = try await bed.store.pull(named: "\(host)/team/web:1.0")
            }
            #expect(error?.message.contains("is not what its digest says") == true)
            #expect(bed.store.all().isEmpty && bed.store.names("/layers").isEmpty)
        }
    }

    @Test(
        "a registry's challenge is read in its parts",
        arguments: [
            (
                #"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull""#,
                "https://auth.docker.io/token?service=registry.docker.io&scope=repository:library/nginx:pull"
            ),
            (#"bearer realm="https://x/y?z=1""#, "https://x/y?z=1&scope=s"),
            (#"Bearer service=a realm="x""#, nil), ("Basic realm=\"x\"", nil), ("", nil),
        ])
    func challenge(text: String, address: String?) {
        #expect(RegistryChallenge(text)?.address(scope: "s")?.description == address)
    }

    @Test(
        "web addresses are taken apart",
        arguments: [
            ("https://a.b/c?d=e", true, "a.b", 443, "/c?d=e"), ("http://[::1]:80", false, "::1", 80, "/"),
            ("https://h:5000?x", true, "h", 5000, "/?x"),
        ])
    func addresses(text: String, isSecure: Bool, host: String, port: Int, path: String) throws {
        let address = try #require(WebAddress(text))
        #expect(address.isSecure == isSecure && address.host == host && address.port == port && address.path == path)
        #expect(WebAddress("ftp://x") == nil && WebAddress("https://") == nil)
    }
}
