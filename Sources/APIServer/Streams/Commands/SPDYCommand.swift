import KubeClient
import NIOCore

/// `exec` and `attach` over SPDY: one stream each for the end, input, output, error output and the terminal's size.
struct SPDYCommandReceiver: CommandReceiver {
    /// From the newest on; what clients call `v5` is the same as `v4` here, and no server offers it.
    static let protocols = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"]

    private var connection = SPDYConnection()
    private let form: String
    private let request: ExecRequest
    private var streams: [String: UInt32] = [:]
    private let wanted: Set<String>
    private var isReady = false
    private var size: [UInt8] = []

    init(_ form: String, _ request: ExecRequest) {
        self.form = form
        self.request = request
        var wanted: Set = ["error"]
        if request.hasInput { wanted.insert("stdin") }
        if request.hasOutput { wanted.insert("stdout") }
        if request.hasErrorOutput { wanted.insert("stderr") }
        if request.isTerminal, form.hasPrefix("v3.") || form.hasPrefix("v4.") { wanted.insert("resize") }
        self.wanted = wanted
    }

    mutating func receive(_ bytes: ByteBuffer) throws(StreamProtocolError) -> [CommandEvent] {
        connection.feed(bytes)
        var events: [CommandEvent] = []
        while let event = try connection.next() {
            switch event {
            case .opened(let id, let headers): events += open(id, headers)
            case .data(let id, let bytes, let isLast): events += receive(id, bytes, isLast: isLast)
            case .reset(let id): if id == streams["stdin"] { events.append(.inputEnd) }
            case .write(let bytes): events.append(.write(bytes))
            // The client still wants what is on its way.
            case .goAway: continue
            }
        }
        return events
    }

    private mutating func open(_ id: UInt32, _ headers: SPDYHeaders) -> [CommandEvent] {
        let type = headers.first { $0.name == "streamtype" }?.value ?? ""
        guard wanted.contains(type), streams[type] == nil else { return [.write(connection.refuse(id))] }
        streams[type] = id
        var events: [CommandEvent] = [.write(connection.accept(id))]
        if streams.count == wanted.count, !isReady {
            isReady = true
            events.append(.ready(SPDYCommandSender(streams: streams, hasStatus: form.hasPrefix("v4."))))
        }
        if type == "stdin", connection.hasEnded(id) { events.append(.inputEnd) }
        return events
    }

    private mutating func receive(_ id: UInt32, _ bytes: [UInt8], isLast: Bool) -> [CommandEvent] {
        var events: [CommandEvent] = []
        if id == streams["stdin"] {
            if !bytes.isEmpty { events.append(.input(bytes)) }
            if isLast { events.append(.inputEnd) }
        } else if id == streams["resize"] {
            // Sizes follow each other as JSON objects; only the last whole one matters.
            size = Array((size + bytes).suffix(1024))
            while let end = size.firstIndex(of: UInt8(ascii: "}")) {
                if let event = TerminalSize.parse(Array(size[...end])) { events.append(event) }
                size = Array(size[(end + 1)...])
            }
        }
        return events
    }

    func complaint() -> ByteBuffer {
        SPDYFrame.encodeGoAway(lastStream: connection.lastStream, reason: 1)
    }
}

struct SPDYCommandSender: CommandSender {
    let streams: [String: UInt32]
    let hasStatus: Bool

    func output(_ output: SessionOutput) -> ByteBuffer? {
        streams[output.isErrorOutput ? "stderr" : "stdout"].map { SPDYFrame.encodeData($0, output.bytes) }
    }

    func end(_ outcome: CommandOutcome) -> [ByteBuffer] {
        var frames = ["stdout", "stderr"].compactMap { streams[$0] }.map {
            SPDYFrame.encodeData($0, [], isLast: true)
        }
        if let error = streams["error"] {
            let text = hasStatus ? outcome.status : outcome.isSuccess ? [] : Array(outcome.message.utf8)
            frames.append(SPDYFrame.encodeData(error, text, isLast: true))
        }
        return frames
    }
}
