import Glibc
import KubeClient
import Testing

@testable import ContainerRuntime

@Suite("Terminals in containers", .serialized, .timeLimit(.minutes(5)))
struct TerminalSessionTests {
    @Test("a command on a terminal knows it, and its size as it changes", arguments: SessionBench.levels)
    func size(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start(user: level == .sandbox ? 1000 : nil)
            let session = try await bench.exec(
                id,
                "trap 'stty size; exit 4' WINCH; tty; echo $TERM; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo ready; while :; do sleep 0.01; done",
                input: true, terminal: true)
            let first = await session.output(until: "ready\r\n")
            #expect(first.hasPrefix("/dev/pts/") && first.hasSuffix("xterm\r\nready\r\n"), "\(first)")
            await session.resize(columns: 123, rows: 45)
            #expect(await session.rest() == "45 123\r\n")
            #expect(await session.exit() == .code(4))
            await session.close()
        }
    }

    @Test("a shell on a terminal has job control, and Ctrl-C ends what is in front", arguments: SessionBench.levels)
    func interrupt(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start()
            let session = try await bench.runtime.exec(
                id, ExecRequest(container: "main", command: ["bash", "--norc"], hasInput: true, isTerminal: true))
            await session.write("PS1='$ '; echo be''gin\n")
            _ = await session.output(until: "begin\r\n")
            await session.write("sleep 98791 & sleep 98792\n")
            // In front of its terminal: `+` in the state.
            let script = "until ps -o stat=,args= -A | grep -q '+ .*sleep 98792$'; do :; done"
            #expect(try await bench.run(id, script).exit == .code(0))
            await session.write("\u{3}")
            var text = await session.output(until: "^C")
            await session.write("echo code $?; jobs; kill %1; wait; exit 7\n")
            text += await session.rest()
            #expect(text.contains("code 130"), "\(text)")
            #expect(text.contains("Running") && text.contains("sleep 98791"), "\(text)")
            #expect(await session.exit() == .code(7))
            await session.close()
        }
    }

    @Test("the end of input on a terminal is Ctrl-D", arguments: SessionBench.levels)
    func endOfInput(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let session = try await bench.exec(
                try await bench.start(), "stty -echo; echo on; cat; echo over", input: true, terminal: true)
            _ = await session.output(until: "on\r\n")
            await session.write("line\n")
            await session.closeInput()
            #expect(await session.rest() == "line\r\nover\r\n")
            await session.close()
        }
    }

    @Test("a terminal's last output is not lost with its program", arguments: SessionBench.levels)
    func lastWords(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start()
            for _ in 0..<20 {
                let session = try await bench.exec(id, "seq 1 2000", input: true, terminal: true)
                #expect(await session.rest().hasSuffix("1999\r\n2000\r\n"))
                await session.close()
            }
        }
    }

    @Test(
        "closing the session of a terminal ends all that is on it and all that left it", arguments: SessionBench.levels)
    func closing(_ level: RuntimeLevel) async throws {
        try await SessionBench.with(level) { bench in
            let id = try await bench.start()
            let session = try await bench.exec(
                id,
                "trap '' HUP; (trap '' HUP; setsid sleep 98781 </dev/null >/dev/null 2>&1 &) ; sleep 98782 & until [ $(pgrep -cf '^sleep 9878') = 2 ]; do :; done; echo all; cat",
                input: true, terminal: true)
            _ = await session.output(until: "all\r\n")
            await session.close()
            #expect(try await bench.run(id, "pgrep -cf '^sleep 9878'").text == "0\n")
        }
    }
}
