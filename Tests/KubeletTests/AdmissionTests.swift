import KubeClient
import KubeModel
import Testing

@Suite("What a node lets in", .timeLimit(.minutes(5))) struct AdmissionTests {
    private func container(port: Int? = nil, cpu: String? = nil) -> JSONValue {
        var container: JSONValue = ["name": "main", "image": "web:1.0"]
        if let port { container["ports"] = [["containerPort": 80, "hostPort": JSONValue(port)]] }
        if let cpu { container[["resources", "requests", "cpu"]] = .string(cpu) }
        return container
    }

    @Test("a pod that names its node itself is refused a port of the node that another has, until that one is gone")
    func hostPort() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let spec: JSONValue = ["containers": [container(port: 8080)]]
            let first = try await bed.ready(try await bed.makePod("first", spec))
            let second = try await bed.makePod("second", spec)
            let refused = Pod(try await bed.version(from: second, "refused") { $0.phase == "Failed" })
            #expect(refused.object.value[["status", "reason"]] == "NodePorts")
            #expect(
                refused.object.value[["status", "message"]]
                    == .string(
                        "Pod was rejected: Predicate NodePorts failed: "
                            + "node(s) didn't have free ports for the requested pod ports"))
            try await bed.event("NodePorts", "Predicate NodePorts failed", about: second)
            try await bed.delete(first)
            try await bed.waitUntilGone(first)
            _ = try await bed.ready(try await bed.makePod("third", spec))
            try await bed.delete(second)
            try await bed.waitUntilGone(second)
        }
    }

    @Test("a pod that asks for more than the node has left is refused, and takes nothing")
    func resources() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            _ = try await bed.ready(try await bed.makePod("first", ["containers": [container(cpu: "3")]]))
            let second = try await bed.makePod("second", ["containers": [container(cpu: "1500m")]])
            let refused = Pod(try await bed.version(from: second, "refused") { $0.phase == "Failed" })
            #expect(refused.object.value[["status", "reason"]] == "OutOfcpu")
            #expect(
                refused.object.value[["status", "message"]]
                    == .string(
                        "Pod was rejected: Node didn't have enough resource: cpu, requested: 1500, used: 3000, "
                            + "capacity: 4000"))
            _ = try await bed.ready(try await bed.makePod("third", ["containers": [container(cpu: "1")]]))
        }
    }
}
