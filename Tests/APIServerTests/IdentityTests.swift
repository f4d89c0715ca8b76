import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import APIServer

@Suite("Who somebody is", .timeLimit(.minutes(5))) struct IdentityTests {
    private let fixture: AccessFixture

    init() throws { fixture = try AccessFixture(admitsAccounts: true) }

    private func makeAccount(_ name: String = "builder") async throws -> KubeObject {
        try await fixture.client.create(
            .serviceAccounts, KubeObject(.serviceAccounts, namespace: "default", name: name))
    }

    private func requestToken(_ name: String = "builder", _ spec: JSONValue = [:]) async throws -> AccessFixture.Answer
    {
        try await fixture.send("POST", "/api/v1/namespaces/default/serviceaccounts/\(name)/token", ["spec": spec])
    }

    private func user(_ token: String, now: Timestamp = .now) throws -> UserInfo? {
        try fixture.registry.tokens.user(of: token, now: now)?.user
    }

    @Test("a token says for whom, from when and until when, and stands for its account")
    func token() async throws {
        let account = try await makeAccount()
        let answer = try await requestToken("builder", ["expirationSeconds": 600])
        #expect(answer.code == 201)
        let token = try #require(answer.value[["status", "token"]]?.string)
        let claims = try #require(fixture.registry.tokens.signer.claims(of: token))
        #expect(claims["iss"] == "https://kubernetes.default.svc.cluster.local")
        #expect(claims["aud"] == ["https://kubernetes.default.svc.cluster.local"])
        #expect(claims["sub"] == "system:serviceaccount:default:builder")
        #expect(claims[["kubernetes.io", "serviceaccount"]] == ["name": "builder", "uid": .string(account.uid)])
        #expect((claims["exp"]?.int ?? 0) - (claims["iat"]?.int ?? 0) == 600)
        let user = try #require(try user(token))
        #expect(user.name == "system:serviceaccount:default:builder")
        #expect(
            user.groups == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"])
        #expect(user.uid == account.uid)
    }

    @Test("a token ends with its time, and with its account")
    func end() async throws {
        _ = try await makeAccount()
        let token = try #require(try await requestToken().value[["status", "token"]]?.string)
        #expect(throws: ServiceAccountTokens.Refusal(message: "service account token has expired")) {
            try user(token, now: .now + .seconds(3700))
        }
        try await fixture.client.delete(.serviceAccounts, namespace: "default", name: "builder", options: .init())
        #expect(throws: ServiceAccountTokens.Refusal(message: "serviceaccounts \"builder\" not found")) {
            try user(token)
        }
        let again = try await makeAccount()
        #expect(throws: ServiceAccountTokens.Refusal.self) { try user(token) }
        #expect(!again.uid.isEmpty)
    }

    @Test("a token that was changed, or signed by another key, is nobody's")
    func forged() async throws {
        let account = try await makeAccount()
        let token = try #require(try await requestToken().value[["status", "token"]]?.string)
        var parts = token.split(separator: ".").map(String.init)
        parts[1] = Base64URL.encode(Array(#"{"sub":"system:admin"}"#.utf8))
        #expect(try user(parts.joined(separator: ".")) == nil)
        let other = ServiceAccountTokens(signer: TokenSigner(), store: fixture.cluster.store)
        let foreign = other.issue(
            for: account, audiences: [ServiceAccountTokens.issuer], seconds: 600, binding: nil, now: .now)
        #expect(try user(foreign.token) == nil)
        #expect(try user("abc") == nil)
    }

    @Test("a token that is bound to a pod ends with the pod")
    func bound() async throws {
        _ = try await makeAccount()
        let pod = try await fixture.client.create(
            .pods, MemoryCluster.pod("web", spec: ["serviceAccountName": "builder"]))
        let reference: JSONValue = ["kind": "Pod", "apiVersion": "v1", "name": "web", "uid": .string(pod.uid)]
        let answer = try await requestToken("builder", ["boundObjectRef": reference, "expirationSeconds": 3607])
        let token = try #require(answer.value[["status", "token"]]?.string)
        let found = try #require(try user(token))
        #expect(found.extra["authentication.kubernetes.io/pod-name"] == ["web"])
        let claims = try #require(fixture.registry.tokens.signer.claims(of: token))
        #expect((claims["exp"]?.int ?? 0) - (claims["iat"]?.int ?? 0) == 365 * 86_400)
        #expect(claims[["kubernetes.io", "warnafter"]] != nil)
        try await fixture.client.delete(.pods, namespace: "default", name: "web", options: .init())
        #expect(throws: ServiceAccountTokens.Refusal(message: "service account token has been invalidated")) {
            try user(token)
        }
    }

    @Test(
        "what cannot be issued is refused",
        arguments: [
            (
                #"{"expirationSeconds":60}"#,
                "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 60: may "
                    + "not specify a duration less than 10 minutes"
            ),
            (
                #"{"boundObjectRef":{"kind":"Deployment","apiVersion":"apps/v1","name":"x"}}"#,
                "cannot bind token to object of type apps/v1, Kind=Deployment"
            ),
            (
                #"{"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"nosuch"}}"#,
                "pods \"nosuch\" not found"
            ),
        ])
    func refusals(spec: String, message: String) async throws {
        _ = try await makeAccount()
        #expect(try await requestToken("builder", JSONValue(parsing: spec)).message == message)
    }

    @Test("a Secret for an account is filled with a token without end")
    func secret() async throws {
        _ = try await makeAccount()
        var secret = KubeObject(.secrets, namespace: "default", name: "builder-token")
        secret.annotations = ["kubernetes.io/service-account.name": "builder"]
        secret.value["type"] = "kubernetes.io/service-account-token"
        let made = try await fixture.client.create(.secrets, secret)
        let bytes = try #require(made.value[["data", "token"]]?.string.flatMap(SecretText.decode))
        let token = String(decoding: bytes, as: UTF8.self)
        #expect(try user(token)?.name == "system:serviceaccount:default:builder")
        try await fixture.client.delete(.secrets, namespace: "default", name: "builder-token", options: .init())
        #expect(throws: ServiceAccountTokens.Refusal.self) { try user(token) }
    }

    @Test("a TokenReview tells who is behind a token, or that nobody is")
    func review() async throws {
        _ = try await makeAccount()
        let token = try #require(try await requestToken().value[["status", "token"]])
        let path = "/apis/authentication.k8s.io/v1/tokenreviews"
        let good = try await fixture.send("POST", path, ["spec": ["token": token]])
        #expect(good.code == 201)
        #expect(good.value[["status", "authenticated"]] == true)
        #expect(good.value[["status", "user", "username"]] == "system:serviceaccount:default:builder")
        let bad = try await fixture.send("POST", path, ["spec": ["token": "guess"]])
        #expect(bad.value[["status", "authenticated"]] == nil)
        #expect(bad.value[["status", "error"]] == "invalid bearer token")
        let jane = try await fixture.send("POST", path, ["spec": ["token": token]], as: AccessFixture.jane)
        #expect(jane.code == 403)
    }

    @Test("pods get an account, and its token as files, unless they do not want it")
    func pods() async throws {
        let pod = try await fixture.client.create(.pods, MemoryCluster.pod("web"))
        #expect(pod.value[["spec", "serviceAccountName"]] == "default")
        let volume = try #require(pod.value[["spec", "volumes"]]?.array?.first)
        #expect(volume["name"]?.string?.hasPrefix("kube-api-access-") == true)
        let mount = try #require(
            pod.value[["spec", "containers"]]?.array?.first?["volumeMounts"]?.array?.first)
        #expect(mount["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount")
        #expect(mount["name"] == volume["name"])
        let shy = try await fixture.client.create(
            .pods, MemoryCluster.pod("shy", spec: ["automountServiceAccountToken": false]))
        #expect(shy.value[["spec", "volumes"]] == nil)
        let unknown = try await refusal {
            _ = try await fixture.client.create(.pods, MemoryCluster.pod("p", spec: ["serviceAccountName": "nosuch"]))
        }
        #expect(
            unknown.message
                == "pods \"p\" is forbidden: error looking up service account default/nosuch: serviceaccount "
                + "\"nosuch\" not found")
    }

    @Test("somebody else can be impersonated by those who may, part by part")
    func impersonation() async throws {
        let jane = try #require(
            Impersonation(headers: [(name: "Impersonate-User", value: "jane"), (name: "Accept", value: "*/*")]))
        let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        let asJane = try await fixture.send("POST", path, [:], impersonating: jane)
        #expect(asJane.value[["status", "userInfo"]] == ["username": "jane", "groups": ["system:authenticated"]])
        let account = try #require(
            Impersonation(headers: [(name: "impersonate-user", value: "system:serviceaccount:default:builder")]))
        let asAccount = try await fixture.send("POST", path, [:], impersonating: account)
        #expect(
            asAccount.value[["status", "userInfo", "groups"]]
                == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"])
        let group = try #require(
            Impersonation(headers: [
                (name: "Impersonate-User", value: "jane"), (name: "Impersonate-Group", value: "devs"),
                (name: "Impersonate-Extra-scopes", value: "a"),
            ]))
        let asGroup = try await fixture.send("POST", path, [:], impersonating: group)
        #expect(asGroup.value[["status", "userInfo", "groups"]] == ["devs", "system:authenticated"])
        #expect(asGroup.value[["status", "userInfo", "extra"]] == ["scopes": ["a"]])
        let refused = try await fixture.send("POST", path, [:], as: AccessFixture.jane, impersonating: jane)
        #expect(refused.code == 403)
        #expect(
            refused.message
                == "users \"jane\" is forbidden: User \"jane\" cannot impersonate resource \"users\" in API group \"\" "
                + "at the cluster scope")
        #expect(Impersonation(headers: [(name: "Accept", value: "*/*")]) == nil)
    }

    @Test("strangers get 401, but for health and version")
    func strangers() async throws {
        for path in ["/healthz", "/livez", "/readyz", "/version"] {
            #expect(try await fixture.send("GET", path, as: .anonymous).code == 200)
        }
        for path in ["/api", "/livez/ping", "/metrics", "/openid/v1/jwks", "/api/v1/pods"] {
            #expect(try await fixture.send("GET", path, as: .anonymous).code == 401)
        }
        #expect(try await fixture.send("GET", "/healthz", as: nil).code == 401)
    }
}
