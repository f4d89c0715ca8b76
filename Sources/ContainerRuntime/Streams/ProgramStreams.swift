import CSandbox
import Glibc
import KubeClient
import NIOCore
import Synchronization

/// This side of a program's streams: pipes, or one terminal.
final class ProgramStreams: Sendable {
    let hub: OutputHub
    let isTerminal: Bool

    private struct State {
        var input: InputPipe?
        var channels: [any Channel] = []
        /// One more descriptor of the terminal, for its size; -1 without a terminal.
        var window: Int32 = -1
        var openSources: Int
        var isClosed = false
    }

    private let state: Mutex<State>
    private let sourceEnded: @Sendable () -> Void

    /// How many outputs end separately.
    static func sourceCount(_ request: ExecRequest) -> Int {
        request.isTerminal ? 1 : (request.hasOutput ? 1 : 0) + (request.hasErrorOutput ? 1 : 0)
    }

    private init(_ request: ExecRequest, hub: OutputHub, sourceEnded: @escaping @Sendable () -> Void) {
        self.hub = hub
        self.isTerminal = request.isTerminal
        self.sourceEnded = sourceEnded
        state = Mutex(State(openSources: Self.sourceCount(request)))
        if Self.sourceCount(request) == 0 { hub.finish() }
    }

    /// The streams that a request asks for, and the program's ends of them, which the caller hands on and closes.
    ///
    /// A terminal is made in the container and adopted later: then there are no ends.
    /// - Parameter sourceEnded: Called for each output that has ended.
    static func make(
        _ request: ExecRequest, hub: OutputHub, sourceEnded: @escaping @Sendable () -> Void = {}
    ) async throws(RuntimeError) -> (streams: ProgramStreams, ends: [Int32]) {
        let streams = ProgramStreams(request, hub: hub, sourceEnded: sourceEnded)
        var ends: [Int32] = []
        guard !request.isTerminal else { return (streams, ends) }
        // Begun together, they take half the time; both are there before the program writes, so that what it writes comes in order.
        var outputs: [EventLoopFuture<any Channel>] = []
        do throws(RuntimeError) {
            ends.append(request.hasInput ? try await streams.makeInput() : try nowhere(O_RDONLY))
            for (isWanted, isError) in [(request.hasOutput, false), (request.hasErrorOutput, true)] {
                let pipe = isWanted ? try pipe() : (reading: -1, writing: try nowhere(O_WRONLY))
                ends.append(pipe.writing)
                if isWanted { outputs.append(streams.follow(pipe.reading, isErrorOutput: isError)) }
            }
            for output in outputs { try await streams.adopt(output) }
        } catch {
            for end in ends { Glibc.close(end) }
            streams.close()
            throw error
        }
        return (streams, ends)
    }

    private static func nowhere(_ mode: Int32) throws(RuntimeError) -> Int32 {
        let descriptor = open("/dev/null", mode | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("/dev/null: \(String(cString: strerror(errno)))") }
        return descriptor
    }

    private static func pipe() throws(RuntimeError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard vs_pipe(&ends) == 0 else { throw .system("a pipe cannot be made: \(String(cString: strerror(errno)))") }
        return (ends[0], ends[1])
    }

    private func makeInput() async throws(RuntimeError) -> Int32 {
        let pipe = try Self.pipe()
        do throws(RuntimeError) {
            let input = try await InputPipe(pipe.writing)
            state.withLock { $0.input = input }
        } catch {
            Glibc.close(pipe.reading)
            throw error
        }
        return pipe.reading
    }

    private func follow(
        _ reading: Int32, writing: Int32? = nil, isErrorOutput: Bool
    ) -> EventLoopFuture<any Channel> {
        OutputSource.open(reading, writing: writing, hub: hub, isErrorOutput: isErrorOutput) { self.endSource() }
    }

    @discardableResult
    private func adopt(_ output: EventLoopFuture<any Channel>) async throws(RuntimeError) -> any Channel {
        do {
            let channel = try await output.get()
            state.withLock { $0.channels.append(channel) }
            return channel
        } catch {
            throw error as? RuntimeError ?? .system("\(error)")
        }
    }

    /// Takes over this side of the program's terminal.
    func adopt(terminal: Int32) async throws(RuntimeError) {
        guard terminal >= 0 else { throw .system("no terminal came for the program") }
        let writing = fcntl(terminal, F_DUPFD_CLOEXEC, 0)
        let window = fcntl(terminal, F_DUPFD_CLOEXEC, 0)
        let channel = try await adopt(follow(terminal, writing: writing, isErrorOutput: false))
        state.withLock { state in
            state.input = InputPipe(terminal: channel)
            state.window = window
        }
    }

    private func endSource() {
        let isLast = state.withLock { state in
            state.openSources -= 1
            return state.openSources == 0
        }
        if isLast { hub.finish() }
        sourceEnded()
    }

    // MARK: Use

    /// Whether bytes for the program go anywhere.
    var hasInput: Bool { state.withLock { $0.input != nil } }

    func write(_ bytes: [UInt8]) async { await state.withLock { $0.input }?.write(bytes) }

    func endInput() {
        let isTerminal = isTerminal
        let input = state.withLock { state in
            defer { if !isTerminal { state.input = nil } }
            return state.input
        }
        input?.end()
    }

    func resize(columns: Int, rows: Int) {
        state.withLock { state in
            guard state.window >= 0 else { return }
            vs_set_window(state.window, UInt32(clamping: columns), UInt32(clamping: rows))
        }
    }

    /// Lets go of everything; programs that still write get SIGPIPE, those on the terminal SIGHUP.
    func close() {
        let (input, channels) = state.withLock { state in
            if state.window >= 0 { Glibc.close(state.window) }
            state.window = -1
            state.isClosed = true
            defer {
                state.input = nil
                state.channels = []
            }
            return (state.input, state.channels)
        }
        if !isTerminal { input?.end() }
        for channel in channels { channel.close(promise: nil) }
    }
}
