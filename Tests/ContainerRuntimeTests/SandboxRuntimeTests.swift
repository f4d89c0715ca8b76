import ContainerRuntime
import Foundation
import Glibc
import KubeClient
import Testing

@Suite(
    "Sandboxes", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: RuntimeProbe.run().level == .sandbox, "this machine denies namespaces, so there is no sandbox to test")
)
final class SandboxRuntimeTests: Sendable {
    let logs = ContainerLogs()
    let folder = NSTemporaryDirectory() + "/sandbox-test-\(UUID().uuidString.prefix(8))"

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func runtime() throws -> SandboxRuntime { try SandboxRuntime(images: .ofThisProgram(), logs: logs) }

    private func makePod(_ uid: String, _ address: String, in runtime: SandboxRuntime) async throws {
        try await runtime.runPodSandbox(
            PodSandboxConfiguration(
                podUID: uid, name: uid, namespace: "default", hostName: "host-\(uid)", address: address,
                resolverConfiguration: "nameserver 10.96.0.10\n", hosts: "127.0.0.1 localhost\n"))
    }

    private func start(
        _ script: String, in pod: String, name: String = "main", mounts: [ContainerConfiguration.Mount] = [],
        user: Int? = nil, _ runtime: SandboxRuntime
    ) async throws -> ContainerID {
        let image = try await runtime.pullImage("busybox")
        return try await runtime.startContainer(
            ContainerConfiguration(
                podUID: pod, name: name, image: image, arguments: ["sh", "-c", script], environment: ["GREETING=hello"],
                runAsUser: user, mounts: mounts, logPath: "\(folder)/\(pod)-\(name).log"))
    }

    private func log(_ pod: String, _ name: String = "main") async throws -> String {
        var text = ""
        for try await bytes in try logs.read("\(folder)/\(pod)-\(name).log", LogOptions()) {
            text += String(decoding: bytes, as: UTF8.self)
        }
        return text
    }

    @Test("containers that start side by side, and are over at once, all tell how they ended")
    func crowd() async throws {
        try await SandboxBed.run { bed in
            let codes = try await withThrowingTaskGroup(of: (number: Int, code: Int).self) { group in
                for number in 0..<24 {
                    group.addTask {
                        let id = try await bed.start("exit \(number)", name: "c\(number)")
                        return (number, Int(await bed.runtime.waitForExit(id).code))
                    }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1.number] = $1.code }
            }
            #expect(codes == Dictionary(uniqueKeysWithValues: (0..<24).map { ($0, $0) }))
        }
    }

    // In a process of its own: the limit is the whole process's.
    @Test("there are more pods than descriptors that one program may have open, and programs keep that limit")
    func descriptors() async throws {
        await #expect(processExitsWith: .success) {
            @Sendable func limit(_ count: rlim_t?) {
                var limit = rlimit()
                getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                limit.rlim_cur = count ?? limit.rlim_max
                setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            }
            limit(64)
            try await SandboxBed.run { bed in
                limit(nil)
                for number in 1...40 { try await bed.makePod("p\(number)", address: "10.244.1.\(number)") }
                #expect(try await bed.output("ulimit -n") == "64\n")
            }
        }
    }

    @Test("a container runs its command with its environment and host name, and its exit code is reported")
    func run() async throws {
        let runtime = try runtime()
        try await makePod("a", "10.244.0.2", in: runtime)
        let id = try await start("echo $GREETING from $(hostname); echo bad >&2; exit 7", in: "a", runtime)
        #expect(await runtime.waitForExit(id) == ContainerExit(code: 7))
        #expect(Set(try await log("a").split(separator: "\n")) == ["hello from host-a", "bad"])
        await runtime.shutDown()
    }

    @Test("pods are as they should be, also when those that stood by for them have been killed")
    func standby() async throws {
        try await SandboxBed.run { bed in
            let id = try await bed.start("echo up; exec sleep 1000")
            let process = try #require(bed.runtime.process(of: id))
            let keeper = try #require(Self.parent(of: process))
            let own = Self.namespace(of: process)
            func others() -> [Int32] {
                Self.children(of: keeper).filter { Self.name(of: $0) == "pause" && Self.namespace(of: $0) != own }
            }
            while others().isEmpty { await Task.yield() }
            for process in others() { kill(process, SIGKILL) }
            for number in 1...6 {
                try await bed.makePod("b\(number)", address: "10.244.0.\(number + 2)")
                let said = try await bed.output("hostname; ip -4 -o address show eth0", name: "c\(number)") {
                    $0.podUID = "b\(number)"
                }
                #expect(said.hasPrefix("host-b\(number)\n"))
                #expect(said.contains("10.244.0.\(number + 2)"))
            }
        }
    }

    private static func children(of process: Int32) -> [Int32] {
        let list = try? String(contentsOfFile: "/proc/\(process)/task/\(process)/children", encoding: .utf8)
        return (list ?? "").split(separator: " ").compactMap { Int32($0) }
    }

    private static func name(of process: Int32) -> String? {
        try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8).trimmingCharacters(in: .newlines)
    }

    private static func namespace(of process: Int32) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/uts")
    }

    @Test("when what keeps the pods is killed, all who wait are told at once, and nothing starts any more")
    func breakdown() async throws {
        let runtime = try runtime()
        try await makePod("a", "10.244.0.2", in: runtime)
        let id = try await start("echo up; exec sleep 1000", in: "a", runtime)
        let process = try #require(runtime.process(of: id))
        let keeper = try #require(Self.parent(of: process))
        async let exit = runtime.waitForExit(id)
        kill(keeper, SIGKILL)
        #expect(await exit.code == 137)
        var count = 0
        for await _ in runtime.breakdown {
            count += 1
            break
        }
        #expect(count == 1)
        await #expect(throws: RuntimeError.self) { try await makePod("b", "10.244.0.3", in: runtime) }
        await runtime.shutDown()
    }

    @Test("a pod whose first process was killed says so, can be made anew, and goes without a hitch")
    func lostSandbox() async throws {
        let runtime = try runtime()
        try await makePod("a", "10.244.0.2", in: runtime)
        let id = try await start("exec sleep 1000", in: "a", runtime)
        let process = try #require(runtime.process(of: id))
        let keeper = try #require(Self.parent(of: process))
        let children = try String(contentsOfFile: "/proc/\(keeper)/task/\(keeper)/children", encoding: .utf8)
        let first = try #require(children.split(separator: " ").compactMap { Int32($0) }.min())
        kill(first, SIGKILL)
        #expect(await runtime.waitForExit(id).code == 137)
        await #expect(throws: RuntimeError.sandboxLost("the pod's first process was killed")) {
            _ = try await start("echo again", in: "a", runtime)
        }
        try await makePod("a", "10.244.0.2", in: runtime)
        // A second time changes nothing.
        try await makePod("a", "10.244.0.2", in: runtime)
        #expect(await runtime.waitForExit(try await start("exit 3", in: "a", runtime)).code == 3)
        try await makePod("b", "10.244.0.3", in: runtime)
        let other = try await start("exec sleep 1000", in: "b", runtime)
        await runtime.removePodSandbox("a")
        #expect(runtime.process(of: other) != nil)
        await runtime.shutDown()
    }

    static func parent(of process: Int32) -> Int32? {
        let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = text?.split(separator: "\n").first { $0.hasPrefix("PPid:") }
        return line.flatMap { Int32($0.dropFirst(5).filter { $0 != "\t" }) }
    }

    @Test("a container sees neither homes nor other processes nor this machine's files")
    func isolation() async throws {
        let runtime = try runtime()
        let secret = "\(folder)-secret"
        try Data("secret".utf8).write(to: URL(fileURLWithPath: secret))
        defer { try? FileManager.default.removeItem(atPath: secret) }
        try await makePod("a", "10.244.0.2", in: runtime)
        let id = try await start(
            "ls -A /home /root; cat \(secret); grep -v ':[*]:1:0:99999:7:::$' /etc/shadow; ls /proc/1/root/ ; ls -d /proc/[0-9]* | wc -l; touch /usr/x; mount -t tmpfs x /mnt; cat /proc/self/status | grep -E 'CapEff|CapBnd|Seccomp:'",
            in: "a", runtime)
        _ = await runtime.waitForExit(id)
        let text = try await log("a")
        #expect(!text.contains("secret\n") && !text.contains(":::"), "\(text)")
        // No SYS_ADMIN, no MKNOD, no SYS_MODULE: those reach further than the container.
        #expect(text.contains("CapEff:\t00000000a00425fb") && text.contains("CapBnd:\t00000000a00425fb"), "\(text)")
        #expect(text.contains("Seccomp:\t2"))
        #expect(!text.contains("oldroot"), "the first process of the pod must not show the host's root: \(text)")
        #expect(!FileManager.default.fileExists(atPath: "/usr/x"))
        await runtime.shutDown()
    }

    @Test("two pods listen on port 80 each, and reach each other by address")
    func network() async throws {
        let runtime = try runtime()
        for (pod, address) in [("a", "10.244.0.2"), ("b", "10.244.0.3")] {
            try await makePod(pod, address, in: runtime)
            let image = try await runtime.pullImage("web:1.0")
            _ = try await runtime.startContainer(
                ContainerConfiguration(
                    podUID: pod, name: "web", image: image, arguments: image.entrypoint, environment: ["PORT=80"],
                    logPath: "\(folder)/\(pod)-web.log"))
        }
        let id = try await start(
            "for i in 1 2 3 4 5 6 7 8 9 10; do curl -s -m 1 http://10.244.0.3/ready && exit 0; done; exit 1", in: "a",
            runtime)
        #expect(await runtime.waitForExit(id) == ContainerExit(code: 0))
        #expect(try await log("a").contains("\"pod\":\"host-b\""))
        // From this process, over a socket that was born in the cluster's network.
        let socket = try await runtime.connect(address: "10.244.0.2", port: 80, insidePod: nil, timeout: .seconds(2))
        let response = try await HTTPFetch.get(
            connectedSocket: socket, host: "a", path: "/health", timeout: .seconds(2))
        #expect(response.status == 200 && response.text.contains("host-a"))
        await #expect(throws: ConnectError.refused) {
            try await runtime.connect(address: "10.244.0.2", port: 81, insidePod: nil, timeout: .seconds(2))
        }
        await runtime.shutDown()
    }

    @Test("a volume is seen at its place, read-only where it is to be")
    func volumes() async throws {
        let runtime = try runtime()
        try FileManager.default.createDirectory(atPath: folder + "/volume", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("from the host\n".utf8).write(to: URL(fileURLWithPath: folder + "/volume/file"))
        try await makePod("a", "10.244.0.2", in: runtime)
        let mounts = [
            ContainerConfiguration.Mount(hostPath: folder + "/volume", containerPath: "/data/in", isReadOnly: true),
            ContainerConfiguration.Mount(hostPath: folder + "/volume", containerPath: "/data/out", isReadOnly: false),
        ]
        let id = try await start(
            "cat /data/in/file; echo x > /data/in/new && exit 1; echo y > /data/out/new", in: "a", mounts: mounts,
            runtime)
        #expect(await runtime.waitForExit(id) == ContainerExit(code: 0))
        #expect(try String(contentsOfFile: folder + "/volume/new", encoding: .utf8) == "y\n")
        #expect(try await log("a").contains("from the host"))
        await runtime.shutDown()
    }

    @Test("a command in a running container gives its output and code, and is killed when it takes too long")
    func execute() async throws {
        let runtime = try runtime()
        try await makePod("a", "10.244.0.2", in: runtime)
        let id = try await start(
            "trap 'exit 143' TERM; echo inside > /tmp/mark; sleep 100 & wait", in: "a", runtime)
        var result = try await runtime.execute(
            id, command: ["sh", "-c", "until cat /tmp/mark; do :; done 2>/dev/null; exit 3"], timeout: .seconds(5))
        #expect(result == ExecutionResult(code: 3, output: "inside\n"))
        result = try await runtime.execute(id, command: ["sleep", "50"], timeout: .milliseconds(50))
        #expect(result.isTimedOut)
        await #expect(throws: RuntimeError.programNotFound(name: "nonesuch")) {
            try await runtime.execute(id, command: ["nonesuch"], timeout: .seconds(5))
        }
        await runtime.signal(id, 15)
        #expect(await runtime.waitForExit(id).code == 143)
        await runtime.shutDown()
    }

    /// What a container's first program may leave behind: children, sessions of their own, orphans.
    private static let litter = "sleep 1000 & setsid sleep 1000 & (sh -c 'sleep 1000 & sleep 1000 & exit 0' &)"

    @Test(
        "everything in a container ends with its first program, and nothing beside it",
        arguments: ["", "; exec sleep 1000"])
    func leftovers(end: String) async throws {
        let runtime = try runtime()
        try await makePod("a", "10.244.0.2", in: runtime)
        let neighbour = try await start("exec sleep 1000", in: "a", name: "neighbour", runtime)
        let id = try await start(Self.litter + "; echo littered" + end, in: "a", runtime)
        if !end.isEmpty {
            for try await piece in try logs.read("\(folder)/a-main.log", LogOptions(isFollowing: true)) {
                if String(decoding: piece, as: UTF8.self).contains("littered") { break }
            }
            await runtime.signal(id, 9)
        }
        // Also waits for the end of the output, which every process there could write to.
        #expect(await runtime.waitForExit(id).code == (end.isEmpty ? 0 : 137))
        let alive = try await runtime.execute(neighbour, command: ["true"], timeout: .seconds(5))
        #expect(alive.code == 0)
        await runtime.shutDown()
    }

    @Test("a container runs as the user it asks for", arguments: [101, 1000])
    func user(_ uid: Int) async throws {
        let runtime = try runtime()
        try await makePod("a", "10.244.0.2", in: runtime)
        let id = try await start("id -u; echo out > /dev/stdout", in: "a", user: uid, runtime)
        #expect(await runtime.waitForExit(id).code == 0)
        #expect(try await log("a") == "\(uid)\nout\n")
        await runtime.shutDown()
    }

    @Test("a pod that is removed takes its processes with it, and a program that is missing is named")
    func removal() async throws {
        let runtime = try runtime()
        try await makePod("a", "10.244.0.2", in: runtime)
        let id = try await start("sleep 100 & exec sleep 100", in: "a", runtime)
        let image = try await runtime.pullImage("busybox")
        await #expect(throws: RuntimeError.programNotFound(name: "nonesuch")) {
            try await runtime.startContainer(
                ContainerConfiguration(
                    podUID: "a", name: "other", image: image, arguments: ["nonesuch"], logPath: "\(folder)/other.log"))
        }
        async let exit = runtime.waitForExit(id)
        await runtime.removePodSandbox("a")
        #expect(await exit.code == 137)
        await runtime.shutDown()
    }
}
