import KubeModel
import LabTesting
import Testing

@Suite("The view of a pod", .timeLimit(.minutes(5))) struct PodViewTests {
    private static func container(_ resources: JSONValue = [:], name: String = "c") -> JSONValue {
        ["name": .string(name), "image": "web:1.0", "resources": resources]
    }

    private func pod(_ spec: JSONValue, status: JSONValue = [:]) -> Pod {
        var object = MemoryCluster.pod("web", spec: spec)
        object.value["status"] = status
        return Pod(object)
    }

    @Test(
        "the class of service follows from requests and limits",
        arguments: [
            ([container()], "BestEffort"),
            ([container(["limits": ["cpu": "1", "memory": "1Gi"]])], "Guaranteed"),
            (
                [
                    container([
                        "limits": ["cpu": "1", "memory": "1Gi"], "requests": ["cpu": "1000m", "memory": "1024Mi"],
                    ])
                ], "Guaranteed"
            ),
            ([container(["limits": ["cpu": "1", "memory": "1Gi"], "requests": ["cpu": "500m"]])], "Burstable"),
            ([container(["limits": ["cpu": "1"]])], "Burstable"), ([container(["requests": ["cpu": 1]])], "Burstable"),
            ([container(["limits": ["cpu": "1", "memory": "1Gi"]]), container()], "Burstable"),
            ([container(["limits": ["cpu": "0", "memory": "1Gi"]])], "Burstable"),
        ] as [([JSONValue], String)])
    func qosClass(containers: [JSONValue], name: String) {
        #expect(pod(["containers": .array(containers)]).qosClass == name)
    }

    @Test("a pod requests the sum of its containers, or its largest init container, and its overhead")
    func requests() {
        func cpu(_ amount: String) -> JSONValue { Self.container(["requests": ["cpu": .string(amount)]]) }
        let sum = pod(["containers": [cpu("100m"), cpu("250m")], "initContainers": [cpu("300m")]])
        #expect(sum.requests("cpu") == Quantity(parsing: "350m"))
        let largest = pod([
            "containers": [cpu("100m")], "initContainers": [cpu("2"), cpu("1")], "overhead": ["cpu": "50m"],
        ])
        #expect(largest.requests("cpu") == Quantity(parsing: "2050m"))
        #expect(largest.requests("memory") == Quantity(0))
    }

    @Test("sidecars count beside the containers, and beside the init containers that start after them")
    func sidecarRequests() {
        func cpu(_ amount: String, _ more: JSONValue = [:]) -> JSONValue {
            var container = Self.container(["requests": ["cpu": .string(amount)]])
            for (key, value) in more.object ?? [:] { container[key] = value }
            return container
        }
        let sidecar = cpu("500m", ["restartPolicy": "Always"])
        let beside = pod(["containers": [cpu("100m")], "initContainers": [cpu("300m"), sidecar]])
        #expect(beside.requests("cpu") == Quantity(parsing: "600m"))
        let before = pod(["containers": [cpu("100m")], "initContainers": [sidecar, cpu("300m")]])
        #expect(before.requests("cpu") == Quantity(parsing: "800m"))
    }

    @Test(
        "a pod is available when it has been ready for long enough",
        arguments: [(0, 0, true), (10, 9, false), (10, 10, true)])
    func availability(minimum: Int, age: Int, isAvailable: Bool) {
        let start = Timestamp(seconds: 1_800_000_000)
        let ready = pod([:], status: ["conditions": [StatusCondition("Ready", true, at: start).value]])
        #expect(ready.isAvailable(minReadySeconds: minimum, now: start + .seconds(age)) == isAvailable)
        let unready = pod([:], status: ["conditions": [StatusCondition("Ready", false, at: start).value]])
        #expect(!unready.isAvailable(minReadySeconds: 0, now: start + .seconds(100)))
        #expect(unready.readySince == nil)
    }

    @Test("a pod is active until it has ended or is being deleted")
    func activity() {
        #expect(pod([:]).isActive)
        #expect(!pod([:], status: ["phase": "Succeeded"]).isActive)
        #expect(pod([:], status: ["phase": "Failed"]).isTerminal)
        var leaving = pod([:])
        leaving.object.value[["metadata", "deletionTimestamp"]] = "2026-05-04T13:37:00Z"
        #expect(!leaving.isActive)
        #expect(!leaving.isTerminal)
    }

    @Test("a port is found by number, by name, or by a name that is a number")
    func ports() {
        let container = Container(["name": "c", "ports": [["name": "http", "containerPort": 8080]]])
        #expect(container.port(9) == 9)
        #expect(container.port("http") == 8080)
        #expect(container.port("81") == 81)
        #expect(container.port("grpc") == nil)
        #expect(container.port(nil) == nil)
    }

    @Test("a probe has the defaults of Kubernetes, and no period or threshold below one")
    func probes() {
        let container = Container([
            "livenessProbe": [:], "readinessProbe": ["periodSeconds": 0, "failureThreshold": -1],
        ])
        let liveness = container.probe(.liveness)
        #expect(liveness?.periodSeconds == 10)
        #expect(liveness?.timeoutSeconds == 1)
        #expect(liveness?.failureThreshold == 3)
        #expect(container.probe(.readiness)?.periodSeconds == 1)
        #expect(container.probe(.readiness)?.failureThreshold == 1)
        #expect(container.probe(.startup) == nil)
    }
}
