import ContainerRuntime
import Testing

@Suite("Limits of containers at level plain", .serialized, .timeLimit(.minutes(5))) struct PlainLimitTests {
    private static let eater = ["awk", "BEGIN { for (;;) all[count++] = \"word\" }"]

    @Test(
        "memory above the limit ends the container with all that it has started",
        arguments: ["exec awk \"$1\"", "setsid awk \"$1\" & exec sleep 1000"])
    func memory(script: String) async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("a", 2)
            let id = try await bench.container(
                in: "a", ["sh", "-c", script, "sh", Self.eater[1]],
                resources: ResourceAmounts(memoryLimitBytes: 48 << 20))
            #expect(await runtime.waitForExit(id) == ContainerExit(code: 137, reason: "OOMKilled"))
        }
    }

    @Test("a command in a container counts, and a container below its limit lives")
    func command() async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("a", 2)
            let id = try await bench.container(
                in: "a", ["sleep", "1000"], resources: ResourceAmounts(memoryLimitBytes: 64 << 20))
            let small = try await runtime.execute(id, command: ["true"], timeout: .seconds(5))
            #expect(small.code == 0)
            let large = try await runtime.execute(id, command: Self.eater, timeout: .seconds(20))
            #expect(large.code == 137 && !large.isTimedOut)
            #expect(await runtime.waitForExit(id) == ContainerExit(code: 137, reason: "OOMKilled"))
        }
    }

    /// Time is the subject here: what counts is the share of it, whatever else the machine does.
    @Test("processor time above the limit is not to be had, by many processes either")
    func processor() async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("a", 2)
            let loop = "i=0; while [ $i -lt 120000 ]; do i=$((i+1)); done"
            let begun = ContinuousClock.now
            let id = try await bench.container(
                in: "a", ["bash", "-c", "(\(loop)) & (\(loop)) & wait; times"],
                resources: ResourceAmounts(cpuLimitMillicores: 200))
            _ = await runtime.waitForExit(id)
            let passed = (ContinuousClock.now - begun) / .seconds(1)
            // "0m0.400s 0m0.010s" of the children, in the second line
            let words = try await bench.output(of: "a").split(separator: "\n").last?.split(separator: " ") ?? []
            let used = words.compactMap { $0.split(separator: "m").last.flatMap { Double($0.dropLast()) } }.reduce(0, +)
            #expect(used > 0.05 && used / passed < 0.35, "\(used) s in \(passed) s")
        }
    }
}
