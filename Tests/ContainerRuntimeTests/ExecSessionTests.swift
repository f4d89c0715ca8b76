import Glibc
import KubeClient
import Testing

@testable import ContainerRuntime

@Suite("Commands in containers", .serialized, .timeLimit(.minutes(2)))
struct ExecSessionTests {
    @Test(
        "a command has the environment, the folder, the user and the files of its container",
        arguments: SessionBench.levels)
    func surroundings(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let user = level == .sandbox ? 101 : nil
            let id = try await bench.start(
                "echo mark > /tmp/mark-$$; echo /tmp/mark-$$; exec sleep 1000", user: user)
            var path = ""
            for try await piece in try bench.logs.read("\(bench.folder)/main.log", LogOptions(isFollowing: true)) {
                path += String(decoding: piece, as: UTF8.self)
                if path.contains("\n") { break }
            }
            path = String(path.dropLast())
            let own = level == .sandbox ? "101" : "\(getuid())"
            let (text, exit) = try await bench.run(id, "echo $GREETING; pwd; id -u; cat \(path); rm \(path); exit 3")
            #expect(text == "hello\n/tmp\n\(own)\nmark\n")
            #expect(exit == .code(3))
        }
    }

    @Test(
        "the end of a command is its code, or 128 and its signal", arguments: SessionBench.levels,
        [("exit 0", 0), ("exit 42", 42), ("kill -TERM $$", 143), ("kill -KILL $$", 137)])
    func exitCodes(_ level: RuntimeLevel, _ end: (script: String, code: Int)) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start()
            #expect(try await bench.run(id, end.script).exit == .code(end.code))
        }
    }

    @Test("standard output and standard error stay apart", arguments: SessionBench.levels)
    func twoOutputs(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let session = try await bench.exec(try await bench.start(), "echo out; echo err >&2")
            var outputs: [Bool: String] = [:]
            while let piece = await session.nextOutput() {
                outputs[piece.isErrorOutput, default: ""] += String(decoding: piece.bytes, as: UTF8.self)
            }
            await session.close()
            #expect(outputs == [false: "out\n", true: "err\n"])
        }
    }

    @Test("a program that is missing, or is none, is said by its name", arguments: SessionBench.levels)
    func missing(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start()
            await #expect(throws: RuntimeError.programNotFound(name: "nope")) {
                _ = try await bench.runtime.exec(id, ExecRequest(container: "main", command: ["nope"]))
            }
            await #expect(throws: RuntimeError.programRefused(name: "/etc", because: "permission denied")) {
                _ = try await bench.runtime.exec(id, ExecRequest(container: "main", command: ["/etc"]))
            }
            await #expect(throws: RuntimeError.programNotFound(name: "nope")) {
                _ = try await bench.runtime.exec(
                    id, ExecRequest(container: "main", command: ["nope"], hasInput: true, isTerminal: true))
            }
            await bench.runtime.signal(id, 9)
            _ = await bench.runtime.waitForExit(id)
            await #expect(throws: RuntimeError.notFound("container \"\(id)\"")) {
                _ = try await bench.runtime.exec(id, ExecRequest(container: "main", command: ["true"]))
            }
        }
    }

    @Test(
        "50 MB go in and come out again, byte for byte, while nobody holds more than a little",
        arguments: SessionBench.levels)
    func bulk(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let session = try await bench.exec(try await bench.start(), "exec cat", input: true)
            let total = 50 << 20
            var checked = 0
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    var sent = 0
                    while sent < total {
                        // Pieces of odd sizes, so that they never line up with pages or pipes.
                        let count = min(total - sent, 30_011 + sent % 977)
                        await session.write(Self.bytes(sent, count))
                        sent += count
                    }
                    await session.closeInput()
                }
                while let piece = await session.nextOutput() {
                    let expected = Self.bytes(checked, piece.bytes.count)
                    guard memcmp(expected, piece.bytes, expected.count) == 0 else {
                        Issue.record("something between byte \(checked) and \(checked + expected.count) is wrong")
                        return
                    }
                    checked += piece.bytes.count
                }
            }
            #expect(checked == total)
            #expect(await session.exit() == .code(0))
            await session.close()
        }
    }

    /// A stretch of a stream in which nothing repeats within a prime number of bytes.
    private static func bytes(_ start: Int, _ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let offset = (start + bytes.count) % block.count
            bytes += block[offset..<min(block.count, offset + count - bytes.count)]
        }
        return bytes
    }

    private static let block: [UInt8] = {
        var generator = SystemRandomNumberGenerator()
        return (0..<499_979).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }()

    @Test("a program whose output nobody takes waits, and goes on when somebody does", arguments: SessionBench.levels)
    func backPressure(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start()
            let session = try await bench.exec(
                id, "head -c 20000000 /dev/zero; echo done >&2; exec cat", input: true)
            // The program stands in a write: that is what the kernel says of it when nothing moves any more.
            let (wait, _) = try await bench.run(
                id,
                "until grep -q pipe_write /proc/$(pgrep -f '^head -c 20000000' | head -1)/wchan; do :; done; echo stands"
            )
            #expect(wait == "stands\n")
            var count = 0
            while let piece = await session.nextOutput(), !piece.isErrorOutput { count += piece.bytes.count }
            #expect(count > 19_000_000)
            await session.close()
        }
    }

    @Test(
        "input for a program that does not read waits, and comes to an end with the program",
        arguments: SessionBench.levels)
    func deafProgram(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start()
            let session = try await bench.exec(id, "echo $$; exec sleep 1000", input: true)
            let process = await session.output(until: "\n").dropLast()
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await session.write([UInt8](repeating: 7, count: 1 << 20)) }
                _ = try? await bench.run(id, "kill \(process)")
            }
            await session.write("dropped")
            #expect(await session.exit() == .code(143))
            await session.close()
        }
    }

    @Test("closing a session kills everything that it started, however well it hid", arguments: SessionBench.levels)
    func closing(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start()
            let session = try await bench.exec(
                id,
                """
                trap '' TERM HUP
                sleep 98761 & setsid sleep 98762 & (setsid sh -c 'exec >/dev/null 2>&1; sleep 98763 & sleep 98764' &)
                until [ $(pgrep -cf '^sleep 9876') = 4 ]; do :; done; echo all; cat
                """, input: true)
            #expect(await session.output(until: "all\n") == "all\n")
            await session.close()
            #expect(try await bench.run(id, "pgrep -cf '^sleep 9876'").text == "0\n")
            #expect(await session.nextOutput() == nil)
            // The container itself is not touched.
            #expect(try await bench.run(id, "echo still here").exit == .code(0))
        }
    }

    @Test(
        "what a command leaves in the background goes on after it, and ends with its container",
        arguments: SessionBench.levels)
    func background(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let other = try await bench.start(name: "other")
            let id = try await bench.start()
            #expect(try await bench.run(id, "sleep 98771 >/dev/null 2>&1 & exit 5").exit == .code(5))
            #expect(try await bench.run(id, "pgrep -cf '^sleep 98771'").text == "1\n")
            await bench.runtime.signal(id, 9)
            _ = await bench.runtime.waitForExit(id)
            #expect(
                try await bench.run(other, "until ! pgrep -f '^sleep 98771'; do :; done; echo gone").text.hasSuffix(
                    "gone\n"))
        }
    }

    @Test("a command ends with its container", arguments: SessionBench.levels)
    func containerEnds(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start()
            let session = try await bench.exec(id, "sleep 1000 & echo on; cat", input: true)
            #expect(await session.output(until: "on\n") == "on\n")
            await bench.runtime.signal(id, 9)
            #expect(await session.rest() == "")
            #expect(await session.exit() == .code(137))
            await session.close()
        }
    }

    @Test("tar takes in what belongs to users that a container does not have", arguments: SessionBench.levels)
    func foreignOwner(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start()
            let packing = try await bench.exec(
                id, "cd $(mktemp -d) && echo content > file && tar --owner=12345 --group=12345 -cf - file && pwd >&2")
            var archive: [UInt8] = []
            var folder = ""
            while let piece = await packing.nextOutput() {
                if piece.isErrorOutput {
                    folder += String(decoding: piece.bytes, as: UTF8.self)
                } else {
                    archive += piece.bytes
                }
            }
            await packing.close()
            folder = String(folder.dropLast())
            let request = ExecRequest(container: "main", command: ["tar", "-xmf", "-", "-C", folder], hasInput: true)
            let unpacking = try await bench.runtime.exec(id, request)
            await unpacking.write(archive)
            await unpacking.closeInput()
            #expect(await unpacking.rest() == "")
            #expect(await unpacking.exit() == .code(0))
            await unpacking.close()
            #expect(try await bench.run(id, "cat \(folder)/file; rm -r \(folder)").text == "content\n")
        }
    }

    @Test(
        "a connection into the pod ends at its own 127.0.0.1, and is refused where nobody listens",
        arguments: SessionBench.levels)
    func connection(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            await #expect(throws: ConnectError.refused) {
                _ = try await bench.runtime.connect(
                    address: "127.0.0.1", port: 8080, insidePod: "pod", timeout: .seconds(5))
            }
            let id = try await bench.runtime.startContainer(
                ContainerConfiguration(
                    podUID: "pod", name: "server",
                    image: try await bench.runtime.pullImage("velocitytech/payment-gateway:optimized"),
                    arguments: ["payment-gateway"], environment: ["PORT=8080"], logPath: "\(bench.folder)/server.log"))
            for try await piece in try bench.logs.read("\(bench.folder)/server.log", LogOptions(isFollowing: true)) {
                if String(decoding: piece, as: UTF8.self).contains("listening") { break }
            }
            let socket = try await bench.runtime.connect(
                address: "127.0.0.1", port: 8080, insidePod: "pod", timeout: .seconds(5))
            let response = try await HTTPFetch.get(
                connectedSocket: socket, host: "localhost", path: "/health", timeout: .seconds(5))
            #expect(response.status == 200)
            await bench.runtime.signal(id, 9)
            _ = await bench.runtime.waitForExit(id)
        }
    }

    @Test("a waiting reader and a waiter for the end let go when they are cancelled", arguments: SessionBench.levels)
    func cancellation(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let session = try await bench.exec(try await bench.start(), "exec cat", input: true)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { #expect(await session.nextOutput() == nil) }
                group.addTask { #expect(await session.exit() == .failed("the end of the command was not seen")) }
                group.cancelAll()
            }
            await session.write("alive\n")
            #expect(await session.output(until: "\n") == "alive\n")
            await session.close()
        }
    }

    // In a process of its own: the descriptors that are counted are nobody else's.
    @Test("many commands leave neither descriptors nor processes")
    func nothingLeft() async throws {
        await #expect(processExitsWith: .success) { try await ExecSessionTests.runMany(.sandbox) }
        await #expect(processExitsWith: .success) { try await ExecSessionTests.runMany(.plain) }
    }

    private static func runMany(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start()
            func count() throws -> Int {
                let folder = try #require(opendir("/proc/self/fd"))
                defer { closedir(folder) }
                var count = 0
                while readdir(folder) != nil { count += 1 }
                return count
            }
            _ = try await bench.run(id, "true")
            let before = try count()
            for terminal in [false, true] {
                for index in 0..<40 {
                    let session = try await bench.exec(id, "exec cat", input: true, terminal: terminal)
                    if index % 2 == 0 { await session.closeInput() }
                    if index % 4 == 0 { _ = await session.rest() }
                    await session.close()
                }
            }
            #expect(try await bench.run(id, "pgrep -cx cat").text == "0\n")
            // Channels close on their loop; by now it has come to nearly all of them.
            #expect(try count() < before + 40)
        }
    }
}
