import ContainerRuntime
import Glibc
import Testing

@Suite(
    "Limits of containers", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: SandboxBed.isPossible, "this machine denies namespaces, so there is no sandbox to test"))
struct SandboxLimitTests {
    @Test(
        "memory above the limit ends the container, wherever it is taken",
        arguments: [
            // A process's own, that of a child, files in memory.
            "exec awk 'BEGIN { for (;;) all[count++] = \"word\" }'",
            "head -c 200000000 /dev/zero | tail -c 200000000 > /dev/null; exec sleep 1000",
            "head -c 200000000 /dev/zero > /tmp/file; exec sleep 1000",
            "head -c 200000000 /dev/zero > /data/file; exec sleep 1000",
        ])
    func memory(script: String) async throws {
        try await SandboxBed.run { bed in
            mkdir(bed.folder + "/scratch", 0o755)
            let id = try await bed.start(script) {
                $0.resources.memoryLimitBytes = 48 << 20
                var volume = ContainerConfiguration.Mount(
                    hostPath: bed.folder + "/scratch", containerPath: "/data", isReadOnly: false)
                volume.memory = .init()
                $0.mounts = [volume]
            }
            #expect(await bed.runtime.waitForExit(id) == ContainerExit(code: 137, reason: "OOMKilled"))
        }
    }

    @Test("a command in a container counts, and a container below its limit lives")
    func command() async throws {
        try await SandboxBed.run { bed in
            let id = try await bed.start("head -c 20000000 /dev/zero > /tmp/file; echo up; exec sleep 1000") {
                $0.resources.memoryLimitBytes = 64 << 20
            }
            try await bed.wait(for: "up")
            // Blocks of 4 KiB, and the few files that every container has.
            #expect((20_000_000..<21_000_000).contains(bed.runtime.writtenBytes(of: id) ?? 0))
            let small = try await bed.runtime.execute(id, command: ["true"], timeout: .seconds(5))
            #expect(small.code == 0)
            let large = try await bed.runtime.execute(
                id, command: ["awk", "BEGIN { for (;;) all[count++] = \"word\" }"], timeout: .seconds(20))
            #expect(large.code == 137 && !large.isTimedOut)
            #expect(await bed.runtime.waitForExit(id).reason == "OOMKilled")
        }
    }

    /// Time is the subject here: what counts is the share of it, whatever else the machine does.
    @Test("processor time above the limit is not to be had, by many processes either")
    func processor() async throws {
        try await SandboxBed.run { bed in
            let loop = "i=0; while [ $i -lt 120000 ]; do i=$((i+1)); done"
            let begun = ContinuousClock.now
            let text = try await bed.output("(\(loop)) & (\(loop)) & wait; cat /proc/self/stat > /dev/null; times") {
                $0.resources.cpuLimitMillicores = 200
            }
            let passed = ContinuousClock.now - begun
            // "0m0.400s 0m0.010s" of the children, in the second line
            let used = text.split(separator: "\n").last?.split(separator: " ").compactMap { word -> Double? in
                let parts = word.dropLast().split(separator: "m")
                return parts.count == 2 ? (Double(parts[0]) ?? 0) * 60 + (Double(parts[1]) ?? 0) : nil
            }.reduce(0, +)
            let seconds = Double(passed.components.seconds) + Double(passed.components.attoseconds) / 1e18
            let share = try #require(used) / seconds
            #expect(share < 0.35 && (used ?? 0) > 0.05, "\(used ?? 0) s in \(seconds) s")
        }
    }
}
