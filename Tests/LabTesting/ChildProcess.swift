import CSandbox
import Foundation
import Glibc
import Synchronization

/// A program that a test runs.
///
/// Not Foundation's `Process`: with a thousand open descriptors, as many tests at a time have, it reads past the end of a
/// directory entry (`findMaximumOpenFromProcSelfFD`) and crashes.
public final class ChildProcess: Sendable {
    public struct End: Sendable, Hashable {
        /// The exit code, or the signal.
        public var code: Int32
        public var isSignal: Bool
    }

    public struct NotStarted: Error, CustomStringConvertible {
        public let description: String
    }

    private struct State {
        var end: End?
        var waiters: [CheckedContinuation<End, Never>] = []
    }

    public let identifier: Int32
    private let state = Mutex(State())

    /// Starts a program with three descriptors as its streams; they stay the caller's.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String]? = nil, folder: String = "/",
        streams: [Int32]
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in streams.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        vs_close_on_exec(Int32(streams.count))
        // The call that changes the folder of what is spawned is not in the Glibc module.
        var words = (["/usr/bin/env", "-C", folder, program] + arguments).map { strdup($0) } + [nil]
        var variables =
            (environment ?? ProcessInfo.processInfo.environment).map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in words + variables { free(pointer) } }
        var child: pid_t = 0
        let failure = posix_spawn(&child, "/usr/bin/env", &actions, nil, &words, &variables)
        guard failure == 0 else { throw NotStarted(description: "\(program): \(String(cString: strerror(failure)))") }
        let identifier = child
        self.identifier = identifier
        // Waiting blocks, so it has a thread of its own.
        Thread.detachNewThread { [self] in
            var status: Int32 = 0
            while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            let end = End(code: signal == 0 ? (status >> 8) & 0xFF : signal, isSignal: signal != 0)
            let waiters = state.withLock { state in
                state.end = end
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume(returning: end) }
        }
    }

    public var isRunning: Bool { state.withLock { $0.end == nil } }

    /// How the program ended; waits for it.
    public func end() async -> End {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.end == nil { state.waiters.append(continuation) }
                return state.end
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// Runs a program to its end, with files as its streams.
    ///
    /// Files and not pipes: what it leaves in the background keeps nobody waiting.
    public static func run(
        _ program: String, _ arguments: [String], environment: [String: String], folder: String, input: String = ""
    ) async throws -> (end: End, output: String, errors: String) {
        let names = ["in", "out", "err"].map { "\(folder)/\($0)-\(UInt64.random(in: 0 ... .max))" }
        try Data(input.utf8).write(to: URL(fileURLWithPath: names[0]))
        let streams = names.enumerated().map { number, name in
            open(name, (number == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC) | O_CLOEXEC, 0o600)
        }
        defer {
            for stream in streams { close(stream) }
            for name in names { unlink(name) }
        }
        let child = try ChildProcess(program, arguments, environment: environment, folder: folder, streams: streams)
        let end = await child.end()
        return (
            end, try String(contentsOfFile: names[1], encoding: .utf8),
            try String(contentsOfFile: names[2], encoding: .utf8)
        )
    }
}
