import KubeModel
import Synchronization
import Testing

@testable import ContainerRuntime

@Suite("Logins of registries", .timeLimit(.minutes(5))) struct RegistryLoginTests {
    private static func secret(_ type: String, _ key: String, _ text: String) -> KubeObject {
        KubeObject(["type": .string("kubernetes.io/\(type)"), "data": [key: .string(Base64.encode(text))]])
    }

    private static func keyring(_ host: String, _ user: String = "u", _ password: String = "p") -> RegistryKeyring {
        var keyring = RegistryKeyring()
        keyring.add(RegistryLogin(user: user, password: password), for: host)
        return keyring
    }

    @Test(
        "a login counts for its registry, or the part of it, or those that its pattern covers",
        arguments: [
            ("reg.example.org", "reg.example.org/a:1", true), ("reg.example.org", "reg.example.org:5000/a:1", false),
            ("reg.example.org/team", "reg.example.org/team/a:1", true),
            ("reg.example.org/team", "reg.example.org/other/a:1", false),
            ("https://reg.example.org/v1/", "reg.example.org/a:1", true),
            ("http://127.0.0.1:5000/v2/", "127.0.0.1:5000/a:1", true),
            ("*.example.org", "reg.example.org/a:1", true), ("*.example.org", "a.b.example.org/a:1", false),
            ("https://index.docker.io/v1/", "nginx:1", true), ("docker.io", "team/app:1", true),
            ("https://index.docker.io/v1/", "quay.io/team/app:1", false),
        ])
    func place(place: String, image: String, counts: Bool) throws {
        let reference = try #require(ImageReference(parsing: image))
        #expect(Self.keyring(place).logins(for: reference).isEmpty == !counts)
    }

    @Test("the most special place is tried first, and those of one place in their order")
    func order() throws {
        var keyring = Self.keyring("r.io", "all")
        keyring.add(RegistryLogin(user: "team", password: ""), for: "r.io/team")
        keyring.add(RegistryLogin(user: "later", password: ""), for: "r.io")
        let reference = try #require(ImageReference(parsing: "r.io/team/app"))
        #expect(keyring.logins(for: reference).map(\.user) == ["team", "all", "later"])
    }

    @Test(
        "Secrets of both types are read, with the password beside the name or in one text, padded or not",
        arguments: [
            (secret("dockerconfigjson", ".dockerconfigjson", #"{"auths":{"r.io":{"auth":"dTpw"}}}"#), true),
            (secret("dockercfg", ".dockercfg", #"{"r.io":{"username":"u","password":"p","email":"e"}}"#), true),
            (secret("dockercfg", ".dockercfg", #"{"r.io":{"auth":"dTpwOg"}}"#), false),
            (secret("dockerconfigjson", ".dockerconfigjson", #"{"auths":{"r.io":{}}}"#), false),
        ])
    func secrets(secret: KubeObject, isIt: Bool) throws {
        var keyring = RegistryKeyring()
        try keyring.add(secret: secret)
        #expect((keyring == Self.keyring("r.io")) == isIt)
        try keyring.add(secret: Self.secret("tls", "tls.crt", "x"))
        #expect(!"\(keyring)".contains("\"p\""))
    }

    @Test("a Secret that cannot be read says why, without what is in it")
    func malformed() throws {
        for auth in ["!", "dXA="] {
            let secret = Self.secret("dockercfg", ".dockercfg", #"{"r.io":{"auth":"\#(auth)"}}"#)
            var keyring = RegistryKeyring()
            let error = #expect(throws: RegistryKeyring.Malformed.self) { try keyring.add(secret: secret) }
            #expect(error?.sentence.contains(auth) == false)
        }
    }

    @Test("a registry that asks for a name and a password gets them, itself or where it sends for a token")
    func pulls() async throws {
        let bed = try StoreBed()
        try await FakeRegistry.run { registry, host in
            registry.content.withLock {
                _ = $0.addImage("1.0", layers: [Archives.tar { $0.add("a", text: "b") }], packing: Archives.gzip)
            }
            let catalog = ImageCatalog(workloads: "/bin/sh", store: bed.store, pulls: true)
            var identity = RegistryKeyring()
            identity.add(RegistryLogin(user: "", password: "", identityToken: "i"), for: host)
            for (name, keyring) in [
                ("team/basic", Self.keyring(host)), ("team/private", Self.keyring(host)), ("team/private", identity),
            ] {
                try await catalog.pull("\(host)/\(name):1.0", with: keyring)
                #expect(bed.store.find(try #require(ImageReference(parsing: "\(host)/\(name):1.0"))) != nil)
                _ = try bed.store.remove("\(host)/\(name):1.0", besides: catalog)
            }
            // All that are for the image are tried.
            var several = Self.keyring(host, "wrong")
            several.add(RegistryLogin(user: "u", password: "p"), for: host)
            try await catalog.pull("\(host)/team/basic:1.0", with: several)
        }
    }

    @Test("refusals are told in containerd's words: no login, a wrong one, one that gets no token")
    func refusals() async throws {
        let bed = try StoreBed()
        try await FakeRegistry.run { _, host in
            let catalog = ImageCatalog(workloads: "/bin/sh", store: bed.store, pulls: true)
            let closed = "pull access denied, repository does not exist or may require authorization: "
            for (repository, keyring, words) in [
                ("basic", RegistryKeyring(), closed + "authorization failed: no basic auth credentials"),
                (
                    "basic", Self.keyring(host, "wrong"),
                    "unexpected status from GET request to http://\(host)/v2/team/basic/manifests/1: 401 Unauthorized"
                ), ("private", RegistryKeyring(), closed + "server message: insufficient_scope: authorization failed"),
                (
                    "private", Self.keyring(host, "wrong"),
                    "failed to authorize: failed to fetch oauth token: unexpected status from GET request to"
                        + " http://\(host)/token?service=here&scope=repository:team/private:pull: 401 Unauthorized"
                ),
            ] {
                let name = "\(host)/team/\(repository):1"
                let failed = "failed to pull and unpack image \"\(name)\": failed to resolve reference \"\(name)\": "
                await #expect(
                    throws: RuntimeError.imageNotFound(
                        reference: name, because: "rpc error: code = Unknown desc = \(failed)\(words)")
                ) { try await catalog.pull(name, with: keyring) }
            }
        }
    }
}
