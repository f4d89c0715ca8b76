import ContainerRuntime
import Glibc
import KubeClient
import KubeModel
import Testing

@testable import Kubelet

@Suite("Use of processor and memory") struct UsageMeterTests {
    private func look(_ seconds: Int64, _ containers: [String: Int64]) -> UsageMeter.Look {
        UsageMeter.Look(
            time: Timestamp(seconds: seconds),
            node: ProcessSnapshot.Total(cpuNanoseconds: seconds * 500_000_000, memoryBytes: 1000),
            containers: Dictionary(
                uniqueKeysWithValues: containers.map { id, nanoseconds in
                    (
                        UsageMeter.Name(podUID: "p", container: "main", id: id),
                        ProcessSnapshot.Total(cpuNanoseconds: nanoseconds, memoryBytes: 7)
                    )
                }))
    }

    @Test("the use is the difference between two looks; what was started anew begins at zero")
    func difference() throws {
        var meter = UsageMeter()
        let first = meter.take(look(100, ["one": 1_000_000_000]))
        #expect(first?.window == nil)
        #expect(meter.isReady(now: Timestamp(seconds: 110)))
        #expect(!meter.isReady(now: Timestamp(seconds: 100)))
        #expect(!meter.isReady(now: Timestamp(seconds: 200)))
        let second = meter.take(look(110, ["one": 3_000_000_000]))
        let usage = try #require(second)
        #expect(usage.window == .seconds(10))
        #expect(usage.node.cpuNanocores == 500_000_000)
        #expect(usage.pods.first?.containers["main"]?.cpuNanocores == 200_000_000)
        let third = meter.take(look(120, ["two": 500_000_000]))
        let restarted = try #require(third)
        #expect(restarted.pods.first?.containers["main"]?.cpuNanocores == 50_000_000)
    }

    @Test("this very process is found with its memory and its time")
    func snapshot() {
        let total = ProcessSnapshot().total(of: getpid())
        #expect(total.memoryBytes > 1 << 20)
        #expect(total.cpuNanoseconds > 0)
        #expect(MachineUsage.total().cpuNanoseconds > total.cpuNanoseconds)
    }
}
