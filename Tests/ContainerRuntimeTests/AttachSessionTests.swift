import Glibc
import KubeClient
import Testing

@testable import ContainerRuntime

@Suite("Attaching to containers", .serialized, .timeLimit(.minutes(5)))
struct AttachSessionTests {
    private func attach(
        _ bench: SessionBench, _ id: ContainerID, input: Bool = false, output: Bool = true, errors: Bool = true
    ) async throws -> any ContainerSession {
        try await bench.runtime.attach(
            id, ExecRequest(container: "main", hasInput: input, hasOutput: output, hasErrorOutput: errors))
    }

    @Test("who comes to a container for its input has what it said before, and what it says after that input")
    func early() async throws {
        try await SandboxBed.run { bed in
            let id = try await bed.start("echo before; read line; echo after") {
                $0.hasInput = true
                $0.isInputOnce = true
                $0.isTerminal = true
            }
            try await bed.wait(for: "before")
            let session = try await bed.runtime.attach(
                id, ExecRequest(container: "main", hasInput: true, isTerminal: true))
            await session.closeInput()
            var text = ""
            while let piece = await session.nextOutput() { text += String(decoding: piece.bytes, as: UTF8.self) }
            #expect(text.hasPrefix("before\r\n") && text.hasSuffix("after\r\n"), "\(text)")
        }
    }

    @Test(
        "a container waits for its input, answers whom it has, and everyone attached sees it, as does the log",
        arguments: SessionBench.levels)
    func fanOut(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start(
                "while read line; do echo \"got $line\"; echo \"err $line\" >&2; done; exit 6"
            ) {
                $0.hasInput = true
            }
            let writer = try await attach(bench, id, input: true)
            let watcher = try await attach(bench, id, errors: false)
            let late = try await attach(bench, id, output: false)
            await writer.write("one\n")
            _ = await writer.output(until: "got one\n")
            #expect(await watcher.output(until: "\n") == "got one\n")
            #expect(await late.output(until: "\n") == "err one\n")
            await writer.close()
            // Without stdinOnce the next client goes on where the first one stopped.
            let next = try await attach(bench, id, input: true)
            await next.write("two\n")
            #expect(await watcher.output(until: "\n") == "got two\n")
            _ = await next.output(until: "got two\n")
            await next.closeInput()
            // It has nothing more to say, and does not wait for the end of a container that goes on.
            _ = await next.rest()
            #expect(await next.exit() == .code(0))
            await next.write("three\n")
            #expect(await watcher.output(until: "\n") == "got three\n")
            #expect(try await bench.log().contains("got three\n"))
            await bench.runtime.signal(id, 9)
            #expect(await watcher.rest() == "")
            #expect(await watcher.exit() == .code(137))
            for session in [watcher, late, next] { await session.close() }
        }
    }

    @Test("with stdinOnce the input ends with the first client", arguments: SessionBench.levels, [true, false])
    func once(_ level: RuntimeLevel, closes: Bool) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start("cat; echo over; exit 6") {
                $0.hasInput = true
                $0.isInputOnce = true
            }
            // One that does not write does not count.
            let watcher = try await attach(bench, id)
            let passer = try await attach(bench, id)
            await passer.close()
            let writer = try await attach(bench, id, input: true)
            await writer.write("line\n")
            #expect(await watcher.output(until: "\n") == "line\n")
            if closes { await writer.closeInput() } else { await writer.close() }
            #expect(await watcher.rest() == "over\n")
            #expect(await watcher.exit() == .code(6))
            await watcher.close()
            if closes { await writer.close() }
        }
    }

    @Test(
        "a container without an input has its end at once, and drops what is written to it",
        arguments: SessionBench.levels)
    func noInput(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start("cat; echo ended; exec sleep 1000")
            let session = try await attach(bench, id, input: true)
            await session.write("nobody reads this\n")
            await session.closeInput()
            for try await piece in try bench.logs.read("\(bench.folder)/main.log", LogOptions(isFollowing: true)) {
                if String(decoding: piece, as: UTF8.self).contains("ended") { break }
            }
            await session.close()
            #expect(try await bench.run(id, "true").exit == .code(0))
        }
    }

    @Test(
        "one who is attached and does not read holds the container up, until he goes; nobody misses anything",
        arguments: SessionBench.levels)
    func slowReader(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start("read go; seq 1 300000; exit 0") { $0.hasInput = true }
            let slow = try await attach(bench, id)
            let quick = try await attach(bench, id, input: true)
            await quick.write("go\n")
            var bytes: [UInt8] = []
            while bytes.count < 100_000, let piece = await quick.nextOutput() { bytes += piece.bytes }
            _ = try await bench.run(
                id, "until grep -q pipe_write /proc/$(pgrep -f '^seq 1 300000' | head -1)/wchan; do :; done")
            await slow.close()
            while let piece = await quick.nextOutput() { bytes += piece.bytes }
            let expected = (1...300_000).map(String.init).joined(separator: "\n") + "\n"
            #expect(String(decoding: bytes, as: UTF8.self) == expected)
            #expect(await quick.exit() == .code(0))
            await quick.close()
        }
    }

    @Test(
        "a container with a terminal is a shell to work with, also for the next one who comes",
        arguments: SessionBench.levels)
    func terminal(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start("exec bash --norc") {
                $0.hasInput = true
                $0.isInputOnce = true
                $0.isTerminal = true
            }
            let first = try await attach(bench, id, input: true)
            await first.resize(columns: 99, rows: 11)
            await first.write("PS1='$ '; stty size; echo $TERM; x=kept; echo do''ne\n")
            let text = await first.output(until: "done\r\n")
            #expect(text.contains("11 99\r\nxterm\r\n"), "\(text)")
            await first.close()
            let second = try await attach(bench, id, input: true)
            await second.write("echo it is $x; exit 9\n")
            #expect(await second.rest().contains("it is kept\r\n"))
            #expect(await second.exit() == .code(9))
            await second.close()
            #expect(await bench.runtime.waitForExit(id).code == 9)
            #expect(try await bench.log().contains("it is kept"))
        }
    }
}
