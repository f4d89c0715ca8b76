import KubeClient
import NIOCore

/// `exec` and `attach` over WebSocket: channels 0 to 4 are input, output, error output, the end, and the terminal's size.
struct WebSocketCommandReceiver: CommandReceiver {
    private var reader: ChannelReader
    private let hasInput: Bool
    private var isReady = false
    private let sender: WebSocketCommandSender

    init(_ form: ChannelProtocol, _ request: ExecRequest) {
        reader = ChannelReader(form, wholeChannels: [4])
        hasInput = request.hasInput
        sender = WebSocketCommandSender(form: form, request: request)
    }

    mutating func receive(_ bytes: ByteBuffer) throws(StreamProtocolError) -> [CommandEvent] {
        var events: [CommandEvent] = []
        if !isReady {
            isReady = true
            events = [.write(sender.greeting), .ready(sender)]
        }
        guard bytes.readableBytes > 0 else { return events }
        for event in try reader.receive(bytes) {
            switch event {
            case .data(0, let bytes): if hasInput { events.append(.input(bytes)) }
            case .end(0): if hasInput { events.append(.inputEnd) }
            case .data(4, let bytes): if let size = TerminalSize.parse(bytes) { events.append(size) }
            case .data, .end: continue
            case .write(let bytes): events.append(.write(bytes))
            case .closed: events.append(.closed)
            }
        }
        return events
    }

    func complaint() -> ByteBuffer { WebSocketFrame.close(WebSocketFrame.protocolError) }
}

struct WebSocketCommandSender: CommandSender {
    let form: ChannelProtocol
    let request: ExecRequest

    /// An empty message tells the client that the streams are there.
    var greeting: ByteBuffer {
        form.encode(request.hasOutput ? 1 : request.hasErrorOutput ? 2 : 3, [])
    }

    func output(_ output: SessionOutput) -> ByteBuffer? {
        guard output.isErrorOutput ? request.hasErrorOutput : request.hasOutput else { return nil }
        return form.encode(output.isErrorOutput ? 2 : 1, output.bytes)
    }

    func end(_ outcome: CommandOutcome) -> [ByteBuffer] {
        var messages: [ByteBuffer] = []
        if form.hasStatus {
            messages.append(form.encode(3, outcome.status))
        } else if !outcome.isSuccess {
            messages.append(form.encode(3, Array(outcome.message.utf8)))
        }
        return messages + [WebSocketFrame.close(WebSocketFrame.normal)]
    }
}
