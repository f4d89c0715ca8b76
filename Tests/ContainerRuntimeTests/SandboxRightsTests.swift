import ContainerRuntime
import Glibc
import Testing

@Suite(
    "What containers may do", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: SandboxBed.isPossible, "this machine denies namespaces, so there is no sandbox to test"))
struct SandboxRightsTests {
    @Test("a read-only root refuses writes with the kernel's words; volumes, /dev/shm and /dev/null take them")
    func readOnlyRoot() async throws {
        try await SandboxBed.run { bed in
            mkdir(bed.folder + "/volume", 0o777)
            let text = try await bed.output(
                "echo x > /file; echo x > /tmp/file; echo x > /dev/shm/f && echo x > /dev/null && echo x > /data/f && echo good; pwd"
            ) {
                $0.security.hasReadOnlyRoot = true
                $0.workingDirectory = "/opt/dir"
                $0.mounts = [.init(hostPath: bed.folder + "/volume", containerPath: "/data", isReadOnly: false)]
            }
            #expect(text.contains("cannot create /file: Read-only file system"), "\(text)")
            #expect(text.contains("cannot create /tmp/file: Read-only file system"))
            #expect(text.hasSuffix("good\n/opt/dir\n"))
        }
    }

    @Test("what is the machine's in /proc is hidden or read-only, unless the manifest wants it plain")
    func proc() async throws {
        try await SandboxBed.run { bed in
            let script =
                "wc -c < /proc/timer_list; wc -c < /proc/keys; echo 1 > /proc/sys/kernel/domainname; echo 1 > /proc/irq/default_smp_affinity"
            let text = try await bed.output(script)
            #expect(text.hasPrefix("0\n0\n"), "\(text)")
            #expect(text.contains("/proc/sys/kernel/domainname: Read-only file system"))
            let plain = try await bed.output(
                "grep -c . /proc/keys > /dev/null && grep ' /proc/' /proc/mounts", name: "plain"
            ) {
                $0.security.hasMaskedProc = false
            }
            #expect(plain.isEmpty, "\(plain)")
        }
    }

    @Test("capabilities are the default ones, and change as asked; users that are not root have none")
    func capabilities() async throws {
        try await SandboxBed.run { bed in
            func effective(_ name: String, _ change: (inout ContainerConfiguration) -> Void) async throws -> String {
                try await bed.output("grep CapEff /proc/self/status; grep CapBnd /proc/self/status", name: name, change)
                    .split(separator: "\n").map { $0.drop { $0 != "\t" }.dropFirst() }.joined(separator: " ")
            }
            let standard = try await effective("default") { _ in }
            #expect(standard == "00000000a00425fb 00000000a00425fb")
            let none = try await effective("none") {
                $0.security.capabilities = .standard(adding: [], dropping: ["ALL"])
            }
            #expect(none == "0000000000000000 0000000000000000")
            let some = try await effective("some") {
                $0.security.capabilities = .standard(adding: ["NET_ADMIN", "SYS_ADMIN"], dropping: ["all"])
            }
            #expect(some == "0000000000001000 0000000000001000")
            let user = try await effective("user") { $0.runAsUser = 1000 }
            #expect(user == "0000000000000000 00000000a00425fb")
        }
    }

    @Test(
        "no new privileges are to be had only where the manifest says so, and the filter where it does not say otherwise"
    )
    func switches() async throws {
        try await SandboxBed.run { bed in
            let script = "grep -E 'NoNewPrivs|Seccomp:' /proc/self/status | cut -f 2 | tr -d '\\n'"
            let standard = try await bed.output(script)
            let limited = try await bed.output(script, name: "b") { $0.security.allowsPrivilegeEscalation = false }
            let open = try await bed.output(script, name: "c") {
                $0.security.isSystemCallFiltered = false
                $0.runAsUser = 1000
            }
            #expect([standard, limited, open] == ["02", "12", "00"])
        }
    }

    @Test("calls that make namespaces or mounts, or look at others, are denied", arguments: [nil, 1000])
    func filter(user: Int?) async throws {
        try await SandboxBed.run { bed in
            let text = try await bed.output(
                "unshare -U true; unshare -m true; unshare -i true; mount -t tmpfs x /mnt; nsenter -t 1 -m true; hostname x; swapoff -a; dmesg; echo end"
            ) { $0.runAsUser = user }
            #expect(text.hasSuffix("end\n"))
            let refusals = ["ot permitted", "must be superuser", "must be root"]
            let refused = text.split(separator: "\n").count { line in refusals.contains { line.contains($0) } }
            #expect(refused >= 6, "\(text)")
        }
    }

    @Test("a container runs as user and group; root can give it more groups", arguments: [0, 1000])
    func groups(user: Int) async throws {
        try await SandboxBed.run { bed in
            let text = try await bed.output("id -u; id -g; id -G; touch /tmp/x && stat -c %u:%g /tmp/x") {
                $0.runAsUser = user
                $0.security.group = 3000
                $0.security.supplementalGroups = [2000, 4000]
            }
            let groups = SandboxBed.isRoot ? "3000 2000 4000" : "3000"
            #expect(text == "\(user)\n3000\n\(groups)\n\(user):3000\n")
        }
    }

    @Test("the group of a user without one is that of its account, or 0")
    func primaryGroup() async throws {
        try await SandboxBed.run { bed in
            let known = try await bed.output("id -u -n; id -g -n") { $0.runAsUser = 101 }
            let unknown = try await bed.output("id -u; id -g", name: "b") { $0.runAsUser = 4711 }
            #expect([known, unknown] == ["nginx\nnginx\n", "4711\n0\n"])
        }
    }

    @Test(
        "PostgreSQL has a name for whoever it runs as: it refuses to run for users without one",
        .enabled(if: access("/usr/lib/postgresql", F_OK) == 0, "PostgreSQL is not installed"))
    func nameForAnybody() async throws {
        try await SandboxBed.run { bed in
            let script = "id -un; initdb -D /tmp/data --auth=trust >/dev/null && echo made"
            let text = try await bed.output(script, image: "postgres:15-alpine") {
                $0.runAsUser = 70
                $0.environment = $0.image.environment
            }
            #expect(text == "postgres\nmade\n", "\(text)")
        }
    }

    @Test("a container's first process is number 1, and its neighbours are not to be seen")
    func ownProcesses() async throws {
        try await SandboxBed.run { bed in
            let neighbour = try await bed.start("echo up; exec sleep 1000", name: "neighbour")
            try await bed.wait(for: "up", name: "neighbour")
            let seen = "echo $$; for process in /proc/[0-9]*; do read name < $process/comm; echo $name; done"
            let own = try await bed.output(seen)
            #expect(own == "1\nsh\n")
            let shared = try await bed.output(seen, name: "shared") { $0.security.processes = .pod }
            // Its own namespace is inside that of the pod, whose other containers see it.
            #expect(shared.contains("pause") && shared.contains("sleep") && !shared.hasPrefix("1\n"), "\(shared)")
            let guest = try await bed.output(seen, name: "guest") { $0.security.processes = .container(neighbour) }
            #expect(guest.contains("sleep") && !guest.contains("pause"), "\(guest)")
            let command = try await bed.runtime.execute(
                neighbour, command: ["cat", "/proc/1/comm"], timeout: .seconds(5))
            #expect(command.output == "sleep\n")
        }
    }

    @Test(
        "commands that come into a container bring nothing along that its processes could look at",
        arguments: [0, 1000])
    func newcomers(_ user: Int) async throws {
        try await SandboxBed.run { bed in
            let script = """
                while ! [ -e /tmp/over ]; do
                    for path in /proc/[0-9]*/fd/*; do
                        # The newcomers' own: streams, and a library or list that they read.
                        case $path in /proc/1/*|*/fd/[0-3]|*\\*) ;; *) [ ! -e $path ] || echo $path;; esac
                    done
                done
                """
            let id = try await bed.start(script) { $0.runAsUser = user }
            for _ in 0..<40 { _ = try await bed.runtime.execute(id, command: ["true"], timeout: .seconds(5)) }
            _ = try await bed.runtime.execute(id, command: ["touch", "/tmp/over"], timeout: .seconds(5))
            _ = await bed.runtime.waitForExit(id)
            let seen = try await bed.log()
            #expect(seen.isEmpty, "\(seen.prefix(400))")
        }
    }

    @Test(
        "commands see the container's processes as these see each other, and debuggers may trace", arguments: [0, 1000])
    func lookingAround(_ user: Int) async throws {
        try await SandboxBed.run { bed in
            let id = try await bed.start("exec sleep 50") {
                $0.runAsUser = user
                $0.environment = ["WORD=here"]
            }
            let seen = try await bed.runtime.execute(
                id, command: ["sh", "-c", "tr '\\0' '\\n' < /proc/1/environ | grep WORD; cd /proc/1/root && echo in"],
                timeout: .seconds(5))
            #expect(seen.output == "WORD=here\nin\n")
            #if arch(x86_64)
            let trace = ["perl", "-e", "print syscall(101, 0, 0, 0, 0)"]
            #expect(try await bed.runtime.execute(id, command: trace, timeout: .seconds(5)).output == "0")
            #endif
        }
    }

    @Test(
        "HOME is the user's folder, unless something else was said",
        arguments: [(0, [], "/root"), (65534, [], "/"), (4711, ["HOME="], "/"), (0, ["HOME=/srv"], "/srv")])
    func home(_ user: Int, _ environment: [String], _ expected: String) async throws {
        try await SandboxBed.run { bed in
            let id = try await bed.start("echo $HOME; exec sleep 50") {
                $0.runAsUser = user
                $0.environment = environment
            }
            try await bed.wait(for: expected + "\n")
            let command = try await bed.runtime.execute(id, command: ["sh", "-c", "echo $HOME"], timeout: .seconds(5))
            #expect(command.output == expected + "\n")
        }
    }

    @Test("settings of the kernel are the pod's own, and one that the kernel refuses is an error")
    func sysctls() async throws {
        let path = "/proc/sys/net/ipv4/ip_local_port_range"
        try await SandboxBed.run(sysctls: ["net.ipv4.ip_local_port_range=40000 40100"]) { bed in
            let range = try await bed.output("cat \(path)")
            #expect(range == "40000\t40100\n")
            await #expect(throws: RuntimeError.self) {
                try await bed.makePod("b", address: "10.244.0.3", sysctls: ["net.ipv4.nonesuch=1"])
            }
        }
    }

    @Test("changes of the default capabilities follow the rules of manifests")
    func capabilityRules() {
        #expect(CapabilitySet.standard(adding: ["ALL"], dropping: []) == .possible)
        #expect(
            CapabilitySet.standard(adding: ["CAP_net_bind_service"], dropping: ["ALL"]).list == ["NET_BIND_SERVICE"])
        #expect(!CapabilitySet.standard(adding: [], dropping: ["KILL"]).list.contains("KILL"))
        #expect(CapabilitySet.standard.bits == 0xa004_25fb)
    }
}
