import CSandbox
import Glibc
import Testing

@testable import ContainerRuntime

@Suite(
    "Containers in control groups", .serialized, .timeLimit(.minutes(2)),
    .enabled(
        if: SandboxBed.isPossible && LimitKeeping.probe().isMemoryKernels && LimitKeeping.probe().isProcessorKernels,
        "this machine lets this user make no control groups (version 2) with memory and cpu"))
struct SandboxControlGroupTests {
    private static func group(of id: ContainerID, _ bed: SandboxBed) throws -> ControlGroup {
        let process = try #require(bed.runtime.process(of: id))
        return try #require(ControlGroup(ofProcess: process))
    }

    @Test("a container sees its own limits and cannot change them, and so does a command in it")
    func inside() async throws {
        try await SandboxBed.run { bed in
            let script = """
                cat /proc/self/cgroup; cd /sys/fs/cgroup; cat memory.max memory.oom.group cpu.max cpu.weight
                (echo max > memory.max) 2> /dev/null && echo changed; echo up; exec sleep 1000
                """
            let id = try await bed.start(script) {
                $0.resources = ResourceAmounts(
                    memoryLimitBytes: 64 << 20, cpuLimitMillicores: 250, cpuRequestMillicores: 100)
            }
            try await bed.wait(for: "up")
            #expect(try await bed.log() == "0::/\n\(64 << 20)\n1\n25000 100000\n4\nup\n")
            let command = try await bed.runtime.execute(
                id, command: ["cat", "/proc/self/cgroup", "/sys/fs/cgroup/memory.max"], timeout: .seconds(20))
            #expect(command.output == "0::/\n\(64 << 20)\n")
        }
    }

    @Test("one without limits has no group of its own, and sees none")
    func unlimited() async throws {
        try await SandboxBed.run { bed in
            let limited = try await bed.start("exec sleep 1000", name: "limited") {
                $0.resources.memoryLimitBytes = 64 << 20
            }
            let id = try await bed.start(
                "cat /proc/self/cgroup; ls -A /sys/fs/cgroup | wc -l; echo up; exec sleep 1000")
            try await bed.wait(for: "up")
            #expect(try await bed.log() == "0::/\n0\nup\n")
            let process = try #require(bed.runtime.process(of: id))
            #expect(ControlGroup(ofProcess: process) == nil)
            #expect(try Self.group(of: limited, bed).path.hasSuffix("/poda/limited.0"))
        }
    }

    @Test("a child that uses too much takes its container with it")
    func child() async throws {
        try await SandboxBed.run { bed in
            let id = try await bed.start("head -c 200000000 /dev/zero | tail -c 200000000 > /dev/null; exec sleep 1000")
            {
                $0.resources.memoryLimitBytes = 32 << 20
            }
            #expect(await bed.runtime.waitForExit(id) == ContainerExit(code: 137, reason: "OOMKilled"))
            let other = try await bed.start("exit 3", name: "other") { $0.resources.memoryLimitBytes = 32 << 20 }
            #expect(await bed.runtime.waitForExit(other) == ContainerExit(code: 3, reason: "Error"))
        }
    }

    @Test("what is used is what the kernel has counted, commands and files in memory included")
    func usage() async throws {
        try await SandboxBed.run { bed in
            let id = try await bed.start("head -c 20000000 /dev/zero > /tmp/file; echo up; exec sleep 1000") {
                $0.resources = ResourceAmounts(memoryLimitBytes: 128 << 20, cpuLimitMillicores: 100)
            }
            try await bed.wait(for: "up")
            let group = try Self.group(of: id, bed)
            let before = try #require(group.total())
            #expect((20_000_000..<40_000_000).contains(before.memoryBytes))
            let loop = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"
            _ = try await bed.runtime.execute(id, command: ["sh", "-c", loop], timeout: .seconds(60))
            let after = try #require(group.total())
            #expect(after.cpuNanoseconds > before.cpuNanoseconds)
            let counts = try #require(ProcessSnapshot.text(group.path + "/cpu.stat"))
            #expect(ControlGroup.number("nr_throttled", in: counts) ?? 0 > 0)
        }
    }

    @Test("a container's group goes with it, and all of them with the runtime")
    func removal() async throws {
        try await SandboxBed.run { bed in
            func start(_ script: String, _ name: String) async throws -> (ContainerID, ControlGroup) {
                let id = try await bed.start(script, name: name) { $0.resources.memoryLimitBytes = 64 << 20 }
                return (id, try Self.group(of: id, bed))
            }
            let (first, group) = try await start("read line; sleep 1000 & exec sleep 1000", "first")
            await bed.runtime.signal(first, 9)
            _ = await bed.runtime.waitForExit(first)
            #expect(access(group.path, F_OK) != 0)
            let (_, second) = try await start("exec sleep 1000", "second")
            #expect(access(second.path, F_OK) == 0)
            await bed.runtime.shutDown()
            #expect(access(second.path, F_OK) != 0)
            #expect(access(Self.top(of: second).path, F_OK) != 0)
        }
    }

    /// Where sandboxd has all groups, and its process, which the place is named for.
    private static func top(of group: ControlGroup) -> (path: String, process: pid_t) {
        let parts = group.path.split(separator: "/").dropLast(2)
        return ("/" + parts.joined(separator: "/"), pid_t(parts.last?.split(separator: "-").last ?? "") ?? 0)
    }

    @Test("nothing is left when sandboxd is killed")
    func kill() async throws {
        try await SandboxBed.run { bed in
            let id = try await bed.start("exec sleep 1000") { $0.resources.memoryLimitBytes = 64 << 20 }
            let top = Self.top(of: try Self.group(of: id, bed))
            #expect(ProcessSnapshot.text("/proc/\(top.process)/comm") == "sandboxd\n")
            Glibc.kill(top.process, SIGKILL)
            for await _ in bed.runtime.breakdown { break }
            // By systemd, as soon as it has heard of it; without systemd, by the next cluster.
            while access(top.path, F_OK) == 0 {
                vs_cgroup_sweep()
                await Task.yield()
            }
        }
    }
}
