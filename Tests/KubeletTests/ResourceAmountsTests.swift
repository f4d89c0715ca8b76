import ContainerRuntime
import KubeModel
import Testing

@testable import Kubelet

@Suite("Limits of whole pods") struct ResourceAmountsTests {
    private func container(_ name: String, limits: JSONValue, requests: JSONValue = [:]) -> JSONValue {
        ["name": .string(name), "resources": ["limits": limits, "requests": requests]]
    }

    @Test("a pod has the limits of its containers together, and its requests")
    func sum() {
        let pod = Pod(
            KubeObject([
                "spec": [
                    "initContainers": [container("first", limits: ["memory": "200Mi", "cpu": "100m"])],
                    "containers": [
                        container("one", limits: ["memory": "64Mi", "cpu": "500m"], requests: ["cpu": "100m"]),
                        container("two", limits: ["memory": "32Mi", "cpu": "1"], requests: ["cpu": "50m"]),
                    ],
                ]
            ]))
        #expect(
            ResourceAmounts(pod)
                == ResourceAmounts(
                    memoryLimitBytes: 200 << 20, cpuLimitMillicores: 1500, cpuRequestMillicores: 150))
    }

    @Test("one container without a limit leaves the pod without that limit")
    func open() {
        let pod = Pod(
            KubeObject([
                "spec": [
                    "containers": [
                        container("one", limits: ["memory": "64Mi", "cpu": "500m"]),
                        container("two", limits: ["cpu": "1"]),
                    ]
                ]
            ]))
        #expect(ResourceAmounts(pod) == ResourceAmounts(cpuLimitMillicores: 1500))
    }
}
