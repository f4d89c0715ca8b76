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
    private let isClosed = Mutex(false)

    init(
        name: String, streams: ProgramStreams, output: OutputQueue, processes: ProcessTable, hasInput: Bool,
        endsInput: Bool
    ) {
        self.name = name
        self.streams = streams
        self.output = output
        self.processes = processes
        self.hasInput = hasInput
        self.endsInput = endsInput
    }

    func write(_ bytes: [UInt8]) async { if hasInput { await streams.write(bytes) } }

    func closeInput() async { if hasInput, endsInput { streams.endInput() } }

    func resize(columns: Int, rows: Int) async { streams.resize(columns: columns, rows: rows) }

    func nextOutput() async -> SessionOutput? { await output.next() }

    func exit() async -> SessionExit {
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
        await closeInput()
    }
}
