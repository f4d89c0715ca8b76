import Dispatch
import Foundation
import Glibc
import KubeClient
import KubeModel
import LabTesting
import Synchronization

/// A node whose containers are this machine: commands are local processes, ports are those of 127.0.0.1.
final class ProcessAgent: NodeAgent {
    private let state = Mutex<(sessions: [ProcessSession], attached: [String])>(([], []))
    /// What `attach` joins: this command is run in place of the container's process.
    let attachCommand: [String]

    init(attachCommand: [String] = ["cat"]) { self.attachCommand = attachCommand }

    var sessions: [ProcessSession] { state.withLock { $0.sessions } }

    func logs(of pod: KubeObject, options: LogOptions) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream {
            $0.yield(Array("a line of \(options.container ?? "")\n".utf8))
            $0.finish()
        }
    }

    func exec(in pod: KubeObject, _ request: ExecRequest) async throws(Status) -> any ContainerSession {
        guard request.container != "gone" else {
            throw Status(code: 404, reason: "NotFound", message: "container not found (\"gone\")")
        }
        return try start(request.command)
    }

    func attach(to pod: KubeObject, _ request: ExecRequest) async throws(Status) -> any ContainerSession {
        try start(attachCommand)
    }

    private func start(_ command: [String]) throws(Status) -> ProcessSession {
        do {
            let session = try ProcessSession(command)
            state.withLock { $0.sessions.append(session) }
            return session
        } catch {
            throw Status(code: 500, reason: "InternalError", message: "\(error)")
        }
    }

    func connect(to pod: KubeObject, port: Int) async throws(Status) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        // A `sockaddr_in` by its bytes: whose module the type's fields belong to depends on the order of imports.
        let address: [UInt16] = [
            UInt16(AF_INET), UInt16(port).bigEndian, UInt16(0x7F00).bigEndian, UInt16(1).bigEndian, 0, 0, 0, 0,
        ]
        let isConnected = address.withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { pointer in
                Glibc.connect(descriptor, pointer.baseAddress, socklen_t(bytes.count)) == 0
            }
        }
        guard isConnected else {
            Glibc.close(descriptor)
            throw Status(code: 500, reason: "InternalError", message: "connection refused")
        }
        return descriptor
    }
}

/// A local process, spoken to through pipes.
final class ProcessSession: ContainerSession {
    private struct State {
        var isInputOpen = true
        var isClosed = false
        var sizes: [[Int]] = []
        var outputCount = 0
        var closedWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let process: ChildProcess
    private let input: Int32
    private let outputs: [Int32]
    private let open: Mutex<[Bool]> = Mutex([true, true])
    private let state = Mutex(State())

    init(_ command: [String]) throws {
        // A program that ends before it has read everything must not end the tests.
        signal(SIGPIPE, SIG_IGN)
        let pipes = (0..<3).map { _ in
            var ends: [Int32] = [-1, -1]
            pipe(&ends)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return ends
        }
        defer { for end in [pipes[0][0], pipes[1][1], pipes[2][1]] { Glibc.close(end) } }
        process = try ChildProcess(
            command[0], Array(command.dropFirst()), streams: [pipes[0][0], pipes[1][1], pipes[2][1]])
        input = pipes[0][1]
        outputs = [pipes[1][0], pipes[2][0]]
    }

    var isRunning: Bool { process.isRunning }
    /// The bytes of output that somebody has taken.
    var outputCount: Int { state.withLock { $0.outputCount } }
    var sizes: [[Int]] { state.withLock { $0.sizes } }

    private func blocking<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: work()) }
        }
    }

    func write(_ bytes: [UInt8]) async {
        await blocking { [self] in
            var rest = bytes[...]
            while !rest.isEmpty, state.withLock({ $0.isInputOpen }) {
                let count = rest.withUnsafeBytes { Glibc.write(input, $0.baseAddress, $0.count) }
                if count <= 0 { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    func closeInput() async { endInput() }

    private func endInput() {
        let wasOpen = state.withLock { state in
            defer { state.isInputOpen = false }
            return state.isInputOpen
        }
        if wasOpen { Glibc.close(input) }
    }

    func resize(columns: Int, rows: Int) async { state.withLock { $0.sizes.append([columns, rows]) } }

    func nextOutput() async -> SessionOutput? {
        await blocking { [self] in
            while true {
                let present = open.withLock { $0 }
                var polled = present.indices.map {
                    pollfd(fd: present[$0] ? outputs[$0] : -1, events: Int16(POLLIN), revents: 0)
                }
                guard present.contains(true), poll(&polled, 2, -1) > 0 else { return nil }
                for index in polled.indices where polled[index].revents != 0 {
                    var bytes = [UInt8](repeating: 0, count: 32 * 1024)
                    let count = read(outputs[index], &bytes, bytes.count)
                    if count > 0 {
                        state.withLock { $0.outputCount += count }
                        return SessionOutput(bytes: Array(bytes[..<count]), isErrorOutput: index == 1)
                    }
                    Glibc.close(outputs[index])
                    open.withLock { $0[index] = false }
                }
            }
        }
    }

    func exit() async -> SessionExit {
        let end = await process.end()
        if !end.isSignal, end.code == 127 { return .failed("executable file not found in $PATH") }
        return .code(Int(end.isSignal ? 128 + end.code : end.code))
    }

    func close() async {
        if process.isRunning { kill(process.identifier, SIGKILL) }
        endInput()
        _ = await exit()
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.closedWaiters = [] }
            return state.closedWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when somebody has closed the session.
    func waitUntilClosed() async {
        await withCheckedContinuation { continuation in
            let isClosed = state.withLock { state in
                if !state.isClosed { state.closedWaiters.append(continuation) }
                return state.isClosed
            }
            if isClosed { continuation.resume() }
        }
    }
}
