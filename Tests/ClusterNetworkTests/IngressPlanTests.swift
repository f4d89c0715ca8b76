import ContainerRuntime
import KubeModel
import Testing

@testable import ClusterNetwork

@Suite("Ingress plan", .timeLimit(.minutes(5)))
struct IngressPlanTests {
    private static let services = [
        Fixture.service("web", clusterIP: "10.96.0.50", ports: [["name": "http", "port": 80, "protocol": "TCP"]]),
        Fixture.service("api", clusterIP: "10.96.0.51", ports: [["name": "http", "port": 8080, "protocol": "TCP"]]),
    ]
    private static let slices = [
        slice("web", "10.244.0.2"), slice("api", "10.244.0.3"),
    ]

    private static func slice(_ name: String, _ address: String) -> KubeObject {
        Fixture.slice(
            of: name, ports: [["name": "http", "port": 3000, "protocol": "TCP"]],
            endpoints: [Fixture.endpoint(address)])
    }

    static func backend(_ service: String, _ port: JSONValue = ["name": "http"]) -> JSONValue {
        ["service": ["name": .string(service), "port": port]]
    }

    static func path(_ path: String, _ type: String, _ service: String) -> JSONValue {
        ["path": .string(path), "pathType": .string(type), "backend": backend(service)]
    }

    static func ingress(
        _ name: String, host: String? = nil, _ paths: [JSONValue], annotations: [String: String] = [:],
        tls: [JSONValue] = [], className: String? = nil, created: String = "2026-01-01T00:00:00Z"
    ) -> KubeObject {
        var object = KubeObject(.ingresses, namespace: "shop", name: name)
        object.value[["metadata", "creationTimestamp"]] = .string(created)
        for (name, value) in annotations {
            object.value[["metadata", "annotations", "nginx.ingress.kubernetes.io/\(name)"]] = .string(value)
        }
        var rule: JSONValue = ["http": ["paths": .array(paths)]]
        if let host { rule["host"] = .string(host) }
        object.value["spec"] = ["rules": [rule]]
        if let className { object.value[["spec", "ingressClassName"]] = .string(className) }
        if !tls.isEmpty { object.value[["spec", "tls"]] = .array(tls) }
        return object
    }

    private func plan(_ ingresses: [KubeObject], classes: [KubeObject] = []) -> IngressPlan {
        IngressPlan(ingresses: ingresses, classes: classes, services: Self.services, slices: Self.slices)
    }

    /// Where a request goes, as `10.244.0.2:3000/path`.
    private func ask(_ plan: IngressPlan, _ host: String, _ uri: String, isTLS: Bool = false) -> String {
        switch plan.table.verdict(host: host, uri: uri, isTLS: isTLS) {
        case .missing: "404"
        case .redirect(let location): "308 \(location)"
        case .pass(let destination, let uri):
            destination.backends.isEmpty
                ? "503" : destination.backends.map { "\($0.address):\($0.port)" }.joined() + uri
        }
    }

    @Test(
        "paths match whole segments, the longest first, an exact one before all",
        arguments: [
            ("/", "10.244.0.2:3000/"), ("/api", "10.244.0.3:3000/api"), ("/api/", "10.244.0.3:3000/api/"),
            ("/api/v1?x=/a", "10.244.0.3:3000/api/v1?x=/a"), ("/apis", "10.244.0.2:3000/apis"),
            ("/api/v2", "10.244.0.2:3000/api/v2"), ("/api/v2/x", "10.244.0.3:3000/api/v2/x"),
        ])
    func paths(uri: String, expected: String) {
        let plan = plan([
            Self.ingress(
                "web", host: "web.example",
                [
                    Self.path("/", "Prefix", "web"), Self.path("/api/", "Prefix", "api"),
                    Self.path("/api/v2", "Exact", "web"),
                ])
        ])
        #expect(ask(plan, "web.example", uri) == expected)
    }

    @Test(
        "hosts are told apart without case and port; a star stands for one label",
        arguments: [
            ("web.example", "10.244.0.2:3000/"), ("WEB.example:8080", "10.244.0.2:3000/"),
            ("a.star.example", "10.244.0.3:3000/"), ("a.b.star.example", "404"), ("star.example", "404"),
            ("other.example", "404"), ("", "404"),
        ])
    func hosts(host: String, expected: String) {
        let plan = plan([
            Self.ingress("web", host: "web.example", [Self.path("/", "Prefix", "web")]),
            Self.ingress("star", host: "*.star.example", [Self.path("/", "Prefix", "api")]),
        ])
        #expect(ask(plan, host, "/") == expected)
    }

    @Test("a rule without a host takes what other rules leave, and a default backend what no rule takes")
    func defaults() {
        var catchAll = KubeObject(.ingresses, namespace: "shop", name: "all")
        catchAll.value["spec"] = ["defaultBackend": Self.backend("api", ["number": 8080])]
        let plan = plan([
            Self.ingress("web", host: "web.example", [Self.path("/web", "Prefix", "web")]),
            Self.ingress("any", [Self.path("/any", "Prefix", "web")]), catchAll,
        ])
        #expect(ask(plan, "other.example", "/any") == "10.244.0.2:3000/any")
        #expect(ask(plan, "other.example", "/") == "10.244.0.3:3000/")
        #expect(ask(plan, "web.example", "/any") == "404")
    }

    @Test("a Service or port that is not there has nobody to answer")
    func missing() {
        let plan = plan([
            Self.ingress("web", host: "web.example", [Self.path("/", "Prefix", "nonesuch")])
        ])
        #expect(ask(plan, "web.example", "/") == "503")
    }

    @Test(
        "rewriting makes every path of the host a pattern",
        arguments: [
            ("/app/x/y?q=1", "10.244.0.2:3000/x/y?q=1"), ("/app", "10.244.0.2:3000/"), ("/APP/x", "10.244.0.2:3000/x"),
            ("/apples", "404"), ("/plainly", "10.244.0.3:3000/plainly"),
        ])
    func rewriting(uri: String, expected: String) {
        let plan = plan([
            Self.ingress(
                "web", host: "web.example", [Self.path("/app(/|$)(.*)", "ImplementationSpecific", "web")],
                annotations: ["rewrite-target": "/$2"]),
            Self.ingress("api", host: "web.example", [Self.path("/plain", "Prefix", "api")]),
        ])
        #expect(ask(plan, "web.example", uri) == expected)
    }

    @Test("a host with a certificate sends clients to HTTPS, unless it says otherwise")
    func redirect() {
        let tls: [JSONValue] = [["hosts": ["web.example"], "secretName": "web-tls"]]
        let path = [Self.path("/", "Prefix", "web")]
        let plain = plan([Self.ingress("web", host: "web.example", path, tls: tls)])
        #expect(ask(plain, "web.example:8080", "/a?b") == "308 https://web.example/a?b")
        #expect(ask(plain, "web.example", "/a", isTLS: true) == "10.244.0.2:3000/a")
        #expect(plain.secrets == ["web.example": ObjectKey(namespace: "shop", name: "web-tls")])
        let off = Self.ingress("web", host: "web.example", path, annotations: ["ssl-redirect": "false"], tls: tls)
        #expect(ask(plan([off]), "web.example", "/a") == "10.244.0.2:3000/a")
        let forced = Self.ingress("web", host: "web.example", path, annotations: ["force-ssl-redirect": "true"])
        #expect(ask(plan([forced]), "web.example", "/a") == "308 https://web.example/a")
    }

    @Test("of two that want the same path the older one has it")
    func conflict() {
        let plan = plan([
            Self.ingress("a", host: "w.example", [Self.path("/", "Prefix", "web")], created: "2026-01-02T00:00:00Z"),
            Self.ingress("b", host: "w.example", [Self.path("/", "Prefix", "api")], created: "2026-01-01T00:00:00Z"),
        ])
        #expect(ask(plan, "w.example", "/") == "10.244.0.3:3000/")
    }

    @Test("Ingresses of other controllers' classes are left alone, and nothing is wanted without one of ours")
    func classes() {
        func ingressClass(_ name: String, _ controller: String) -> KubeObject {
            var object = KubeObject(.ingressClasses, namespace: nil, name: name)
            object.value["spec"] = ["controller": .string(controller)]
            return object
        }
        func isServed(_ name: String?, _ classes: KubeObject...) -> Bool {
            let ingress = Self.ingress("web", [Self.path("/", "Prefix", "web")], className: name)
            return !plan([ingress], classes: classes).served.isEmpty
        }
        let (ours, other) = (
            ingressClass("public", IngressPlan.controller), ingressClass("nginx", "example.com/other")
        )
        #expect(isServed(nil) && isServed("nginx") && isServed("public", ours))
        #expect(!isServed("public") && !isServed("traefik", ours) && !isServed("nginx", other))
        #expect(!plan([]).isWanted && !plan([], classes: [other]).isWanted && plan([], classes: [ours]).isWanted)
    }
}
