import ContainerRuntime
import KubeModel

extension ResourceAmounts {
    init(_ container: Container) {
        self.init(
            memoryLimitBytes: container.limits["memory"].map { Int($0.value) },
            cpuLimitMillicores: container.limits["cpu"].map { Int($0.milliValue) },
            cpuRequestMillicores: container.requests["cpu"].map { Int($0.milliValue) })
    }

    /// Of a whole pod, as the kubelet sets its control group: a limit only where every container has one
    /// (`ResourceConfigForPod` of Kubernetes).
    init(_ pod: Pod) {
        let memory = pod.limits("memory")
        let cpu = pod.limits("cpu")
        let request = pod.requests("cpu")
        self.init(
            memoryLimitBytes: memory.map { Int($0.value) }, cpuLimitMillicores: cpu.map { Int($0.milliValue) },
            cpuRequestMillicores: request.isZero ? nil : Int(request.milliValue))
    }
}
