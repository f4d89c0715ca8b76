import ContainerRuntime
import Glibc
import LabTesting
import Testing

/// How long a batch of 100 pods takes to start, each from the order for its sandbox to its running process.
///
/// Run it on a quiet machine: `VELOCITY_BENCH=1 swift test --filter PodStartBench`. It prints the figures and judges none.
@Suite("Pod start bench", .serialized, .enabled(if: getenv("VELOCITY_BENCH") != nil && SandboxBed.isPossible))
struct PodStartBench {
    @Test("100 pods start, side by side or one after the other", arguments: [1, 4, 100], [false, true])
    func batch(atOnce: Int, hasLimits: Bool) async throws {
        try await SandboxBed.run { bed in
            var open = 0
            var times: [Duration] = []
            let begun = ContinuousClock.now
            try await withThrowingTaskGroup(of: Duration.self) { group in
                for number in 1...100 {
                    if open == atOnce, let time = try await group.next() { times.append(time) } else { open += 1 }
                    group.addTask {
                        let begun = ContinuousClock.now
                        try await bed.makePod("p\(number)", address: "10.244.1.\(number)")
                        _ = try await bed.start("exec sleep 1000", name: "c\(number)") {
                            $0.podUID = "p\(number)"
                            guard hasLimits else { return }
                            $0.resources = ResourceAmounts(memoryLimitBytes: 128 << 20, cpuLimitMillicores: 500)
                        }
                        return ContinuousClock.now - begun
                    }
                }
                for try await time in group { times.append(time) }
            }
            let whole = ContinuousClock.now - begun
            times.sort()
            #expect(times.count == 100)
            let what = "\(atOnce) at once\(hasLimits ? ", with limits" : "")"
            print("\(what): median \(times[50]), slowest \(times[99]), per pod \(whole / 100)")
        }
    }
}
