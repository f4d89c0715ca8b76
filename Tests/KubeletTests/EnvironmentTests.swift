import ContainerRuntime
import KubeClient
import KubeModel
import Testing

@Suite("Environment", .timeLimit(.minutes(5))) struct EnvironmentTests {
    private func spec(_ env: JSONValue, _ more: JSONValue = [:], pod: JSONValue = [:]) -> JSONValue {
        var container: JSONValue = ["name": "main", "image": "web:1.0", "env": env]
        for (key, value) in more.object ?? [:] { container[key] = value }
        var spec = pod
        spec["containers"] = [container]
        return spec
    }

    private func make(_ bed: KubeletBed, _ resource: ResourceType, _ name: String, _ member: String, _ data: JSONValue)
        async throws
    {
        var object = KubeObject(resource, namespace: "default", name: name)
        object.value[member] = data
        _ = try await bed.client.create(resource, object)
    }

    /// The variables that a pod's container is started with.
    private func environment(_ bed: KubeletBed, _ spec: JSONValue) async throws -> [String: String] {
        _ = try await bed.ready(try await bed.makePod("web", spec))
        let lines = try #require(bed.runtime.configuration(of: "main")).environment
        return Dictionary(
            lines.map { line in
                let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                return (parts[0], parts[1])
            }, uniquingKeysWith: { "\($0) and \($1)" })
    }

    @Test("variables come from the manifest, over those of the image; HOSTNAME is the pod's name")
    func values() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let found = try await environment(
                bed, spec([["name": "A", "value": "1"], ["name": "PATH", "value": "/mine"]]))
            #expect(found["A"] == "1")
            #expect(found["PATH"] == "/mine")
            #expect(found["FROM_IMAGE"] == "yes")
            #expect(found["HOSTNAME"] == "web")
        }
    }

    @Test("$(NAME) is replaced by a variable that was set before, in values, commands and arguments")
    func expansion() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let env: JSONValue = [
                ["name": "LATE", "value": "$(HOST) $(MISSING)"], ["name": "HOST", "value": "db"],
                ["name": "URL", "value": "http://$(HOST):80/$$(HOST)"],
            ]
            let found = try await environment(
                bed, spec(env, ["command": ["run", "$(URL)"], "args": ["$(HOST)", "$$x"]]))
            #expect(found["LATE"] == "$(HOST) $(MISSING)")
            #expect(found["URL"] == "http://db:80/$(HOST)")
            #expect(
                bed.runtime.configuration(of: "main")?.arguments == ["run", "http://db:80/$(HOST)", "db", "$x"])
        }
    }

    @Test(
        "a fieldRef gives a fact about the pod",
        arguments: [
            ("metadata.name", "web"), ("metadata.namespace", "default"), ("metadata.labels['app']", "web"),
            ("status.podIP", "10.244.0.1"), ("status.podIPs", "10.244.0.1"), ("status.hostIP", "192.0.2.1"),
            ("status.hostIPs", "192.0.2.1"), ("spec.nodeName", "n1"), ("spec.serviceAccountName", "default"),
        ])
    func field(path: String, value: String) async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let env: JSONValue = [["name": "A", "valueFrom": ["fieldRef": ["fieldPath": .string(path)]]]]
            let found = try await environment(bed, spec(env))
            #expect(found["A"] == value)
        }
    }

    @Test(
        "a resourceFieldRef gives an amount in units of its divisor, rounded up; without a limit it is the node's",
        arguments: [
            ("limits.memory", nil, "67108864"), ("limits.memory", "1Mi", "64"), ("limits.cpu", nil, "1"),
            ("limits.cpu", "1m", "250"), ("requests.cpu", "1m", "100"), ("limits.cpu", nil, "4"),
        ] as [(String, String?, String)])
    func resource(name: String, divisor: String?, value: String) async throws {
        let bed = try KubeletBed()
        var reference: JSONValue = ["resource": .string(name)]
        if let divisor { reference["divisor"] = .string(divisor) }
        let amounts: JSONValue = [
            "limits": ["memory": "64Mi", "cpu": "250m"], "requests": ["memory": "64Mi", "cpu": "100m"],
        ]
        let env: JSONValue = [["name": "A", "valueFrom": ["resourceFieldRef": reference]]]
        let spec = spec(env, value == "4" ? [:] : ["resources": amounts])
        try await bed.run {
            let found = try await environment(bed, spec)
            #expect(found["A"] == value)
        }
    }

    @Test("a key of a ConfigMap or a Secret gives its value, an optional one that is missing none")
    func keys() async throws {
        let bed = try KubeletBed()
        try await make(bed, .configMaps, "settings", "data", ["mode": "fast"])
        try await make(bed, .secrets, "login", "data", ["password": "czNjcmV0"])
        try await bed.run {
            let env: JSONValue = [
                ["name": "MODE", "valueFrom": ["configMapKeyRef": ["name": "settings", "key": "mode"]]],
                ["name": "PASSWORD", "valueFrom": ["secretKeyRef": ["name": "login", "key": "password"]]],
                [
                    "name": "NONE",
                    "valueFrom": ["configMapKeyRef": ["name": "settings", "key": "x", "optional": true]],
                ],
                ["name": "NOBODY", "valueFrom": ["secretKeyRef": ["name": "x", "key": "x", "optional": true]]],
                ["name": "BOTH", "value": "$(MODE)/$(PASSWORD)"],
            ]
            let found = try await environment(bed, spec(env))
            #expect(found["MODE"] == "fast")
            #expect(found["PASSWORD"] == "s3cret")
            #expect(found["NONE"] == nil)
            #expect(found["NOBODY"] == nil)
            #expect(found["BOTH"] == "fast/s3cret")
        }
    }

    @Test("envFrom brings all keys, with a prefix where one is given; env wins over it")
    func envFrom() async throws {
        let bed = try KubeletBed()
        try await make(bed, .configMaps, "settings", "data", ["MODE": "fast", "LEVEL": "1"])
        try await make(bed, .secrets, "login", "data", ["PASSWORD": "czNjcmV0"])
        try await bed.run {
            let sources: JSONValue = [
                ["configMapRef": ["name": "settings"]], ["prefix": "DB_", "secretRef": ["name": "login"]],
                ["configMapRef": ["name": "missing", "optional": true]],
            ]
            let found = try await environment(bed, spec([["name": "MODE", "value": "slow"]], ["envFrom": sources]))
            #expect(found["MODE"] == "slow")
            #expect(found["LEVEL"] == "1")
            #expect(found["DB_PASSWORD"] == "s3cret")
        }
    }

    @Test(
        "what is missing is CreateContainerConfigError, with the event Failed, until it is there",
        arguments: [
            ("configMapKeyRef", "other", "configmap \"other\" not found"),
            ("secretKeyRef", "other", "secret \"other\" not found"),
            ("configMapKeyRef", "settings", "couldn't find key mode in ConfigMap default/settings"),
            ("secretKeyRef", "settings", "couldn't find key mode in Secret default/settings"),
        ])
    func missing(reference: String, name: String, message: String) async throws {
        let bed = try KubeletBed()
        let resource: ResourceType = reference == "secretKeyRef" ? .secrets : .configMaps
        try await make(bed, resource, "settings", "data", ["x": "eA=="])
        try await bed.run {
            let key: JSONValue = ["name": .string(name), "key": "mode"]
            let made = try await bed.makePod("web", spec([["name": "A", "valueFrom": [reference: key]]]))
            let refused = Pod(
                try await bed.version(from: made, "refused") { $0.waitingReason() == "CreateContainerConfigError" })
            #expect(refused.status()[["state", "waiting", "message"]]?.string == message)
            #expect(refused.phase == "Pending")
            try await bed.event("Failed", "Error: \(message)", about: made)
            if name == "other" {
                try await make(bed, resource, "other", "data", ["mode": "eA=="])
            } else {
                _ = try await bed.client.patch(
                    resource, namespace: "default", name: "settings", .merge(["data": ["mode": "eA=="]]),
                    subresource: nil, options: WriteOptions())
            }
            _ = try await bed.ready(refused.object)
        }
    }

    @Test("the Services of the namespace are in the environment, as hosts and ports")
    func services() async throws {
        let bed = try KubeletBed()
        try await make(
            bed, .services, "my-db", "spec",
            ["clusterIP": "10.96.0.77", "ports": [["name": "sql", "port": 5432], ["name": "web-ui", "port": 80]]])
        try await make(bed, .services, "headless", "spec", ["clusterIP": "None", "ports": [["port": 1]]])
        try await bed.run {
            let found = try await environment(bed, spec([["name": "URL", "value": "$(MY_DB_SERVICE_HOST)"]]))
            #expect(found["MY_DB_SERVICE_HOST"] == "10.96.0.77")
            #expect(found["MY_DB_SERVICE_PORT"] == "5432")
            #expect(found["MY_DB_SERVICE_PORT_WEB_UI"] == "80")
            #expect(found["MY_DB_PORT"] == "tcp://10.96.0.77:5432")
            #expect(found["MY_DB_PORT_80_TCP_ADDR"] == "10.96.0.77")
            #expect(found["HEADLESS_SERVICE_HOST"] == nil)
            #expect(found["KUBERNETES_SERVICE_HOST"] == "10.96.0.1")
            #expect(found["URL"] == "10.96.0.77")
        }
    }

    @Test("without service links only the API server's Service is in the environment")
    func noServiceLinks() async throws {
        let bed = try KubeletBed()
        try await make(bed, .services, "db", "spec", ["ports": [["port": 5432]]])
        try await bed.run {
            let found = try await environment(bed, spec([], pod: ["enableServiceLinks": false]))
            #expect(found["DB_SERVICE_HOST"] == nil)
            #expect(found["KUBERNETES_SERVICE_HOST"] == "10.96.0.1")
        }
    }
}
