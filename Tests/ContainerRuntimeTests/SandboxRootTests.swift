import ContainerRuntime
import Glibc
import LabTesting
import Testing

@Suite(
    "What containers find", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: SandboxBed.isPossible, "this machine denies namespaces, so there is no sandbox to test"))
struct SandboxRootTests {
    /// Whether programs can become users that their container does not run as.
    static let hasUsers = SandboxBed.isRoot || UserRanges.isAvailable

    @Test("/sys shows the pod's own network and can only be looked at; /opt, /media and message queues are there")
    func system() async throws {
        try await SandboxBed.run { bed in
            let text = try await bed.output(
                """
                exec 2>&1
                echo $(ls /sys/class/net)
                echo 1 > /sys/class/net/eth0/mtu
                ls -A /sys/firmware
                mkdir /opt/x /media/x && grep -c ' /dev/mqueue mqueue ' /proc/mounts
                """)
            #expect(text.hasPrefix("eth0 lo\n"), "\(text)")
            #expect(text.contains("Read-only file system"), "\(text)")
            #expect(text.hasSuffix("\n1\n"), "\(text)")
        }
    }

    @Test("of the machine's control groups a container sees none, nor does a command in it")
    func groups() async throws {
        try await SandboxBed.run { bed in
            let id = try await bed.start("exec sleep 50")
            let seen = try await bed.runtime.execute(
                id, command: ["cat", "/proc/1/cgroup", "/proc/self/cgroup"], timeout: .seconds(5))
            #expect(seen.code == 0)
            #expect(seen.output.split(separator: "\n").allSatisfy { $0.hasSuffix(":/") }, "\(seen.output)")
        }
    }

    @Test("the kernel is told whom to end first, commands as their container")
    func score() async throws {
        try await SandboxBed.run { bed in
            let id = try await bed.start("exec sleep 50") { $0.security.outOfMemoryScore = 998 }
            let score = try await bed.runtime.execute(
                id, command: ["cat", "/proc/1/oom_score_adj", "/proc/self/oom_score_adj"], timeout: .seconds(5))
            #expect(score.output == "998\n998\n")
        }
    }

    @Test(
        "what a container starts is limited where it would take its user's last process",
        .enabled(if: !SandboxBed.isRoot))
    func processes() async throws {
        try await SandboxBed.run { bed in
            let limit = try await bed.output("ulimit -p 2>/dev/null || ulimit -u")
            #expect(limit == "8192\n")
        }
    }

    @Test(
        "a program of root becomes another user", .enabled(if: hasUsers, "no further users are lent: see /etc/subuid"))
    func otherUsers() async throws {
        try await SandboxBed.run { bed in
            let text = try await bed.output(
                "touch /tmp/a; chown 33:100 /tmp/a; stat -c %u:%g /tmp/a; su nobody -s /bin/sh -c 'id -u'")
            #expect(text == "33:100\n65534\n")
        }
    }

    @Test("folders of users whom only containers have can be removed", .enabled(if: hasUsers))
    func removal() async throws {
        try await SandboxBed.run { bed in
            let volume = bed.folder + "/volume"
            mkdir(volume, 0o777)
            let text = try await bed.output(
                "mkdir -p /data/a/b; touch /data/a/b/c; ln -s / /data/a/root; chown -R 33 /data/a; chmod 0 /data/a/b; echo done"
            ) {
                $0.mounts = [.init(hostPath: volume, containerPath: "/data", isReadOnly: false)]
            }
            #expect(text == "done\n")
            #expect(UserRanges.removeFolder(volume))
            #expect(access(volume, F_OK) != 0)
        }
    }
}
