import KubeClient
import Synchronization

/// Someone who has joined the main process of a container.
final class AttachSession: ContainerSession {
    private let name: String
    private let streams: ProgramStreams
    private let output: OutputQueue
    private let processes: ProcessTable
    /// This one writes to the container, and the container's input ends with it.
    private let hasInput: Bool
    private let endsInput: Bool
    /// What is at the other end is a terminal, whose input ends with a key.
    private let isOnTerminal: Bool
    private let isClosed = Mutex(false)
    /// It has said all that it had to say, to a container whose input goes on for others: nobody is to wait here any more.
    private let hasLeft = Mutex(false)

    init(
        name: String, streams: ProgramStreams, output: OutputQueue, processes: ProcessTable, hasInput: Bool,
        endsInput: Bool, isOnTerminal: Bool
    ) {
        self.name = name
        self.streams = streams
        self.output = output
        self.processes = processes
        self.hasInput = hasInput
        self.endsInput = endsInput
        self.isOnTerminal = isOnTerminal
    }

    func write(_ bytes: [UInt8]) async { if hasInput { await streams.write(bytes) } }

    /// Ends the container's input with this session, or else the session.
    ///
    /// As containerd does, but for a terminal whose input is for one session: there containerd ends the session, and what a short
    /// command has not said by then is lost, as with `kubectl run -it` in a script. Here the command hears Ctrl-D and speaks on.
    func closeInput() async {
        guard hasInput else { return }
        if endsInput, isOnTerminal { return await streams.write([4]) }
        guard !endsInput else { return streams.endInput() }
        hasLeft.withLock { $0 = true }
        streams.hub.dismiss(output)
    }

    func resize(columns: Int, rows: Int) async { streams.resize(columns: columns, rows: rows) }

    func nextOutput() async -> SessionOutput? { await output.next() }

    func exit() async -> SessionExit {
        if hasLeft.withLock({ $0 }) { return .code(0) }
        guard let exit = await processes.waitUnlessCancelled(name) else {
            return .failed("the end of the container was not seen")
        }
        return .code(exit.code)
    }

    func close() async {
        guard
            !isClosed.withLock({ isClosed in
                defer { isClosed = true }; return isClosed
            })
        else { return }
        streams.hub.detach(output)
        // A terminal stays, so that somebody can attach again (as in containerd).
        if hasInput, endsInput, !isOnTerminal { streams.endInput() }
    }
}
