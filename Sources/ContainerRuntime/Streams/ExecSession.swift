import KubeClient
import Synchronization

/// A command in a container, and who talks with it.
final class ExecSession: ContainerSession {
    private let name: String
    private let streams: ProgramStreams
    private let output: OutputQueue
    private let processes: ProcessTable
    private let end: @Sendable (_ kills: Bool) async -> Void
    private let isClosed = Mutex(false)

    /// - Parameter end: Ends the command: with `kills`, everything that it started.
    init(
        name: String, streams: ProgramStreams, output: OutputQueue, processes: ProcessTable,
        end: @escaping @Sendable (_ kills: Bool) async -> Void
    ) {
        self.name = name
        self.streams = streams
        self.output = output
        self.processes = processes
        self.end = end
    }

    func write(_ bytes: [UInt8]) async { await streams.write(bytes) }

    func closeInput() async { streams.endInput() }

    func resize(columns: Int, rows: Int) async { streams.resize(columns: columns, rows: rows) }

    func nextOutput() async -> SessionOutput? { await output.next() }

    func exit() async -> SessionExit {
        guard let exit = await processes.waitUnlessCancelled(name) else {
            return .failed("the end of the command was not seen")
        }
        return .code(exit.code)
    }

    func close() async {
        guard
            !isClosed.withLock({ isClosed in
                defer { isClosed = true }; return isClosed
            })
        else { return }
        // A command that came to its own end leaves what it sent to the background running, as Kubernetes does.
        let isOver = streams.hub.isEnded && processes.hasEnded(name)
        streams.hub.detach(output)
        streams.close()
        await end(!isOver)
        processes.remove(name)
    }
}
