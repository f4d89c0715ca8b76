import KubeClient
import KubeModel
import NIOCore

/// Starts a command; throws if it cannot be.
typealias CommandStart = @Sendable () async throws(Status) -> any ContainerSession

/// How far a command has come before its client is spoken to.
enum CommandBeginning: Sendable {
    case running(any ContainerSession)
    case refused(Status)
    /// It starts when the client's streams are there.
    case later(CommandStart)

    /// Starts a command before the connection is upgraded, so that a refusal is an ordinary answer.
    static func started(_ start: CommandStart) async -> CommandBeginning {
        do throws(Status) {
            return .running(try await start())
        } catch {
            return .refused(error)
        }
    }
}

/// A command and its client, until one of them is done.
///
/// What the client sends is read by one task, which also answers pings; a second hands input on to the process, a third
/// sends output. Each waits for the slower side, with little in between.
struct CommandConversation: Sendable {
    let beginning: CommandBeginning
    /// What is told when it has ended.
    let outcome: @Sendable (SessionExit) -> CommandOutcome
    var limits = Limits()

    struct Limits: Sendable {
        /// Input that may wait for the process, in bytes.
        var inputBytesMax = 256 * 1024
        /// How long a client has to open its streams.
        var setupTime = Duration.seconds(30)
        /// How long a client has to fetch the rest and to close, after the command has ended.
        var lingerTime = Duration.seconds(300)
    }

    /// Larger pieces of output are cut.
    private static let pieceBytesMax = 256 * 1024

    func run(_ reader: inout WireReader, _ writer: WireWriter, _ receiver: some CommandReceiver) async {
        var receiver = receiver
        let wires = Wires(writer: writer, inputBytesMax: limits.inputBytesMax)
        var beginning = beginning
        if case .later(let start) = beginning { beginning = await .started(start) }
        var session: (any ContainerSession)?
        if case .running(let running) = beginning { session = running }
        await converse(beginning, session, &reader, &receiver, wires)
    }

    private func converse(
        _ beginning: CommandBeginning, _ session: (any ContainerSession)?, _ reader: inout WireReader,
        _ receiver: inout some CommandReceiver, _ wires: Wires
    ) async {
        await withTaskGroup(of: Void.self) { group in
            if let session {
                group.addTask { await Self.relayInput(wires, to: session) }
                group.addTask { await sendOutput(of: session, wires) }
            } else if case .refused(let status) = beginning {
                group.addTask { await end(.failure("unable to upgrade connection: \(status.message)"), wires) }
            }
            group.addTask {
                try? await ContinuousClock().sleep(for: limits.setupTime)
                if !wires.isReady.isSet { wires.writer.close() }
            }
            await receive(&reader, &receiver, session, wires)
            // Whoever waits for the process waits no longer once it is gone.
            await session?.close()
            wires.input.close()
            wires.ready.close()
            group.cancelAll()
        }
    }

    /// What the tasks of a conversation share.
    private struct Wires: Sendable {
        let writer: WireWriter
        let input: Mailbox<CommandEvent>
        let ready = Mailbox<any CommandSender>(costMax: 2)
        let isReady = Flag()

        init(writer: WireWriter, inputBytesMax: Int) {
            self.writer = writer
            input = Mailbox(costMax: inputBytesMax)
        }
    }

    /// Reads until the client goes, does not keep to the protocol, or the task is cancelled.
    private func receive(
        _ reader: inout WireReader, _ receiver: inout some CommandReceiver, _ session: (any ContainerSession)?,
        _ wires: Wires
    ) async {
        do {
            // Some protocols begin with a word of the server.
            var bytes: ByteBuffer? = ByteBuffer()
            while let arrived = bytes {
                for event in try receiver.receive(arrived) {
                    switch event {
                    case .ready(let sender):
                        wires.isReady.set()
                        await wires.ready.send(sender)
                    case .input(let bytes):
                        await wires.input.send(event, cost: bytes.count, from: wires.writer)
                    case .inputEnd: await wires.input.send(event, cost: 0)
                    case .resize(let columns, let rows): await session?.resize(columns: columns, rows: rows)
                    case .write(let bytes): try await wires.writer.write(bytes)
                    case .closed: return
                    }
                }
                bytes = await reader.next()
            }
        } catch is StreamProtocolError {
            try? await wires.writer.write(receiver.complaint())
        } catch {
            // The client has gone.
        }
    }

    private static func relayInput(_ wires: Wires, to session: any ContainerSession) async {
        while let event = await wires.input.next() {
            if case .input(let bytes) = event { await session.write(bytes) }
            if case .inputEnd = event { await session.closeInput() }
        }
    }

    private func sendOutput(of session: any ContainerSession, _ wires: Wires) async {
        guard let sender = await wires.ready.next() else { return }
        do {
            while let output = await session.nextOutput() {
                for start in stride(from: 0, to: output.bytes.count, by: Self.pieceBytesMax) {
                    var piece = output
                    if output.bytes.count > Self.pieceBytesMax {
                        let end = min(start + Self.pieceBytesMax, output.bytes.count)
                        piece.bytes = Array(output.bytes[start..<end])
                    }
                    if let bytes = sender.output(piece) { try await wires.writer.write(bytes) }
                }
            }
            await finish(outcome(await session.exit()), sender, wires)
        } catch {
            // The client has gone; whoever reads from it sees that too, unless it is itself waiting.
            wires.writer.close()
            wires.input.close()
        }
    }

    private func end(_ outcome: CommandOutcome, _ wires: Wires) async {
        guard let sender = await wires.ready.next() else { return }
        await finish(outcome, sender, wires)
    }

    /// Tells how it ended, and leaves the client time to fetch what is under way: closing at once could destroy it.
    private func finish(_ outcome: CommandOutcome, _ sender: any CommandSender, _ wires: Wires) async {
        wires.input.close()
        for bytes in sender.end(outcome) {
            guard (try? await wires.writer.write(bytes)) != nil else { break }
        }
        try? await ContinuousClock().sleep(for: limits.lingerTime)
        if !Task.isCancelled { wires.writer.close() }
    }
}
