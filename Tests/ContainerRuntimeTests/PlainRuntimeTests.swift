import CSandbox
import Glibc
import KubeClient
import Testing

@testable import ContainerRuntime

@Suite("Plain runtime", .timeLimit(.minutes(5)))
struct PlainRuntimeTests {
    @Test(
        "a container ends with its program's code",
        arguments: [
            ("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137),
        ])
    func exitCodes(script: String, code: Int) async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("a", 2)
            let container = try await bench.shell(in: "a", script)
            #expect(await runtime.waitForExit(container).code == code)
            #expect(await runtime.waitForExit(container).code == code)
        }
    }

    @Test("signals reach the program, which may answer them")
    func signals() async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("a", 2)
            let container = try await bench.server(in: "a", port: 8080)
            await runtime.signal(container, SIGTERM)
            #expect(await runtime.waitForExit(container).code == 0)
            #expect(try await bench.output(of: "a").contains("stopped"))
        }
    }

    @Test("output is in the log, from both streams")
    func output() async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("a", 2)
            let container = try await bench.shell(in: "a", "echo out; echo err >&2; printf unfinished")
            _ = await runtime.waitForExit(container)
            let text = try await bench.output(of: "a")
            #expect(text.contains("out\n") && text.contains("err\n") && text.contains("unfinished"))
        }
    }

    @Test("a program that is not there is said by its name")
    func missingProgram() async throws {
        try await withPlainRuntime { _, bench in
            try await bench.pod("a", 2)
            await #expect(throws: RuntimeError.programNotFound(name: "no-such-program")) {
                try await bench.container(in: "a", ["no-such-program"])
            }
        }
    }

    @Test(
        "nginx has settings and files of its own, not this machine's", .enabled(if: ImageCatalog.find("nginx") != nil))
    func nginx() async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("a", 2)
            let start = try await runtime.pullImage("nginx").entrypoint
            let container = try await bench.container(in: "a", start + ["nginx", "-T"], image: "nginx")
            #expect(await runtime.waitForExit(container).code == 0)
            let text = try await bench.output(of: "a")
            #expect(text.contains("/nginx/nginx.pid;"), "\(text)")
            #expect(!text.contains("configuration file /etc/nginx/nginx.conf") && !text.contains(" /tmp/nginx.pid"))
            // A volume over one of its folders is the container's, with its logs.
            mkdir(bench.folder + "/logs", 0o755)
            let logging = try await bench.container(
                in: "a", start + ["nginx", "-T"], image: "nginx",
                mounts: ["/var/log/nginx", "/usr/share/nginx/html"].map {
                    .init(hostPath: bench.folder + "/logs", containerPath: $0, isReadOnly: false)
                }, name: "logging")
            #expect(await runtime.waitForExit(logging).code == 0)
            let settings = try await bench.output(of: "a", name: "logging")
            #expect(settings.contains("/var/log/nginx/access.log;"))
            #expect(
                settings.contains("/usr/share/nginx/html;") && !settings.contains(" root /usr/share"), "\(settings)")
            #expect(!settings.contains("/nginx/velocity"))
            for name in ["access.log", "error.log"] { #expect(unlink(bench.folder + "/logs/" + name) == 0) }
            rmdir(bench.folder + "/logs")
        }
    }

    @Test("two pods listen on the same ports, high and low, each on its own address")
    func samePort() async throws {
        try await withPlainRuntime { runtime, bench in
            for port in [8080, 80] {
                for (number, name) in [(2, "a\(port)"), (3, "b\(port)")] {
                    try await bench.pod(name, UInt8(number))
                    _ = try await bench.server(in: name, port: port)
                }
                #expect(try await bench.get(bench.address(2), port).contains("a\(port)"))
                #expect(try await bench.get(bench.address(3), port).contains("b\(port)"))
                #expect(try await bench.get("127.0.0.1", port, insidePod: "b\(port)").contains("b\(port)"))
                await runtime.removePodSandbox("a\(port)")
                await #expect(throws: ConnectError.refused) { try await bench.get(bench.address(2), port) }
                await runtime.removePodSandbox("b\(port)")
            }
        }
    }

    @Test("a pod reaches another one by its address, itself by localhost, and shows its own address")
    func betweenPods() async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("server", 2)
            try await bench.pod("client", 3)
            _ = try await bench.server(in: "server", port: 80)
            func ask(_ address: String) -> String {
                "exec 3<>/dev/tcp/\(address)/80 && printf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"
            }
            let client = try await bench.shell(in: "client", ask(bench.address(2)))
            #expect(await runtime.waitForExit(client).code == 0)
            #expect(try await bench.output(of: "client").contains(#""pod":"server""#))
            #expect(try await bench.output(of: "server").contains(#""remote":"\#(bench.address(3))"#))
            let own = try await bench.container(in: "client", ["bash", "-c", ask("127.0.0.1")], name: "own")
            #expect(await runtime.waitForExit(own).code != 0)
            let server = ContainerID("server/main/0")
            let inside = try await runtime.execute(
                server, command: ["bash", "-c", ask("127.0.0.1")], timeout: .seconds(10))
            #expect(inside.output.contains(#""pod":"server""#))
        }
    }

    @Test("there is no way out of the cluster, and no waiting for one")
    func noWayOut() async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("a", 2)
            let container = try await bench.shell(in: "a", "exec 3<>/dev/tcp/192.0.2.1/80")
            #expect(await runtime.waitForExit(container).code == 1)
            #expect(try await bench.output(of: "a").contains("Network is unreachable"))
        }
    }

    @Test("ports of nodes and load balancers are where they are, below 1024, too")
    func lowPorts() async throws {
        // Where port 81 would be, were the address a pod's.
        let elsewhere = try PlainSocket.listen(at: IPv4Address(127, 88, 201, 7), port: 20081)
        defer { elsewhere.close() }
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("a", 2)
            let container = try await bench.shell(in: "a", "exec 3<>/dev/tcp/127.88.201.7/81")
            #expect(await runtime.waitForExit(container).code == 1)
            #expect(try await bench.output(of: "a").contains("Connection refused"))
        }
    }

    @Test("services lead to their backends, refuse without any, and leave connections alone")
    func services() async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("server", 2)
            _ = try await bench.server(in: "server", port: 8080)
            let rule = ServiceRule(
                address: "10.96.0.50", port: 80, transport: .tcp,
                backends: [.init(address: bench.address(2), port: 8080)])
            await #expect(throws: ConnectError.refused) { try await bench.get("10.96.0.50", 80) }
            try await runtime.apply([rule])
            #expect(try await bench.get("10.96.0.50", 80).contains("server"))
            try await bench.pod("client", 3)
            let client = try await bench.shell(
                in: "client", "exec 3<>/dev/tcp/10.96.0.50/80; printf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3")
            #expect(await runtime.waitForExit(client).code == 0)
            #expect(try await bench.output(of: "client").contains(#""pod":"server""#))
            let open = try await runtime.connect(
                address: "10.96.0.50", port: 80, insidePod: nil, timeout: .seconds(5))
            defer { close(open) }
            try await runtime.apply([
                ServiceRule(address: "10.96.0.50", port: 80, transport: .tcp, backends: [])
            ])
            await #expect(throws: ConnectError.refused) { try await bench.get("10.96.0.50", 80) }
            try await runtime.apply([rule])
            #expect(try await bench.get("10.96.0.50", 80).contains("server"))
        }
    }

    @Test("commands run in a container's pod and environment, within their time")
    func execute() async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("a", 2)
            let container = try await bench.container(
                in: "a", ["bash", "-c", "read </dev/tcp/127.0.0.1/9 || exec sleep 1000"],
                environment: ["GREETING=hello"])
            let result = try await runtime.execute(
                container, command: ["sh", "-c", "echo $GREETING $HOSTNAME; [ $HOME = $VELOCITY_ROOT ] && exit 3"],
                timeout: .seconds(10))
            #expect(result == ExecutionResult(code: 3, output: "hello a\n"))
            let late = try await runtime.execute(container, command: ["sleep", "1000"], timeout: .milliseconds(50))
            #expect(late.isTimedOut)
            await #expect(throws: RuntimeError.programNotFound(name: "nothing")) {
                try await runtime.execute(container, command: ["nothing"], timeout: .seconds(1))
            }
        }
    }

    @Test("volumes are reached by the paths that the manifest names")
    func volumes() async throws {
        try await withPlainRuntime { runtime, bench in
            var template = Array("/tmp/velocity-volume-XXXXXX".utf8CString)
            let volume = String(cString: try #require(mkdtemp(&template)))
            let file = try #require(fopen("\(volume)/greeting", "w"))
            fputs("hello from a volume\n", file)
            fclose(file)
            try await bench.pod("a", 2)
            let container = try await bench.container(
                in: "a", ["sh", "-c", "cat /etc/config/greeting $MORE; cat /etc/hostname"],
                environment: ["MORE=/etc/config/greeting"],
                mounts: [.init(hostPath: volume, containerPath: "/etc/config", isReadOnly: true)])
            #expect(await runtime.waitForExit(container).code == 0)
            #expect(try await bench.output(of: "a") == "hello from a volume\nhello from a volume\na\n")
            await runtime.removePodSandbox("a")
            // The volume is the kubelet's: it stays.
            #expect(unlink("\(volume)/greeting") == 0 && rmdir(volume) == 0)
        }
    }
}

@Suite("Plain runtime: nothing is left behind", .timeLimit(.minutes(5)))
struct PlainLeftoversTests {
    /// Leaves processes behind in every way there is: in the background, in sessions of their own, with parents that have ended.
    private static let litter = """
        sleep 1000 & setsid sleep 1000 & (setsid bash -c 'sleep 1000 & sleep 1000 & exit 0' &) ; (trap '' TERM HUP; sleep 1000) &
        echo littered
        """

    @Test("everything in a container ends with its first program")
    func afterExit() async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("a", 2)
            let container = try await bench.shell(in: "a", Self.litter)
            // Also waits for the end of the output, which every process there could write to.
            #expect(await runtime.waitForExit(container).code == 0)
        }
    }

    @Test("everything in a pod ends with it")
    func afterRemoval() async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("a", 2)
            let container = try await bench.shell(in: "a", Self.litter + "\nwait")
            for try await piece in try bench.logs.read("\(bench.folder)/a-main.log", .init(isFollowing: true)) {
                if String(decoding: piece, as: UTF8.self).contains("littered") { break }
            }
            await runtime.removePodSandbox("a")
            #expect(await runtime.waitForExit(container).code == 137)
        }
    }

    /// How the cluster process, or `plaind` itself, may end.
    enum End: CaseIterable {
        case channelCloses, plaindIsKilled
    }

    @Test("everything ends when the cluster process does, or plaind is killed", arguments: End.allCases)
    func afterKill(end: End) throws {
        var channel: Int32 = -1
        let plaind = vs_channel_start("plain", &channel)
        try #require(plaind > 0)
        let greeting = try receive(channel)
        let folder = String(decoding: greeting.dropFirst(20), as: UTF8.self)
        #expect(access(folder, F_OK) == 0)
        var create = SandboxRequest(VS_POD_CREATE)
        for text in ["pod", "host", "127.244.255.2"] { create.add(text) }
        try send(create, on: channel)
        var start = SandboxRequest(VS_CONTAINER_START)
        for text in ["pod", "container", "/"] { start.add(text) }
        start.add(-1)
        start.add(0)
        start.add(["bash", "-c", Self.litter + "\nwait"])
        start.add(["PATH=/usr/bin:/bin"])
        start.add(ResourceAmounts())
        start.add(0)
        start.add(0)
        var ends: [Int32] = [-1, -1]
        try #require(vs_pipe(&ends) == 0)
        try send(start, on: channel, descriptors: [ends[0], ends[1], ends[1]])
        close(ends[1])
        var text = ""
        while !text.contains("littered"), let piece = read(ends[0]) { text += piece }
        switch end {
        case .channelCloses: close(channel)
        case .plaindIsKilled: kill(plaind, SIGKILL)
        }
        // The end of the pipe: nobody is left who could write to it.
        while read(ends[0]) != nil {}
        close(ends[0])
        #expect(waitpid(plaind, nil, 0) == plaind)
        if end == .channelCloses { return #expect(access(folder, F_OK) != 0) }
        close(channel)
        // The next one takes it away.
        let next = vs_channel_start("plain", &channel)
        try #require(next > 0)
        _ = try receive(channel)
        #expect(access(folder, F_OK) != 0)
        close(channel)
        #expect(waitpid(next, nil, 0) == next)
    }

    @Test("nothing is left of a plaind that was killed")
    func breakdown() async throws {
        try await withPlainRuntime { runtime, bench in
            try await bench.pod("a", 2)
            let container = try await bench.shell(in: "a", "echo $VELOCITY_ROOT; echo $PPID; exec sleep 1000")
            var said = ""
            for try await piece in try bench.logs.read("\(bench.folder)/a-main.log", .init(isFollowing: true)) {
                said += String(decoding: piece, as: UTF8.self)
                if said.filter({ $0 == "\n" }).count == 2 { break }
            }
            let lines = try await bench.output(of: "a").split(separator: "\n").map(String.init)
            let supervisor = try #require(lines.last.flatMap { Int32($0) })
            let plaind = try #require(SandboxRuntimeTests.parent(of: supervisor))
            #expect(access(lines[0], F_OK) == 0)
            kill(plaind, SIGKILL)
            for await _ in runtime.breakdown { break }
            _ = container
            await runtime.shutDown()
            #expect(access(lines[0], F_OK) != 0)
        }
    }

    private func read(_ descriptor: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }

    private func receive(_ channel: Int32) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var descriptors = [Int32](repeating: -1, count: Int(vs_descriptors_max))
        var descriptorCount = 0
        let count = vs_channel_receive(channel, &buffer, buffer.count, &descriptors, &descriptorCount)
        try #require(count > 8)
        return Array(buffer.prefix(count))
    }

    private func send(_ request: SandboxRequest, on channel: Int32, descriptors: [Int32] = []) throws {
        let bytes = request.bytes
        #expect(vs_channel_send(channel, bytes, bytes.count, descriptors, descriptors.count) == 0)
        let reply = try receive(channel)
        #expect(reply[12..<16].allSatisfy { $0 == 0 })
    }
}
