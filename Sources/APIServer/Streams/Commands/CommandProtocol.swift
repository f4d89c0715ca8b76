import KubeClient
import KubeModel
import NIOCore

/// The client's side of `exec` and `attach` in one of the protocols, as a value: bytes in, events out.
protocol CommandReceiver {
    /// Reads what has arrived; throws when the client does not keep to the protocol.
    mutating func receive(_ bytes: ByteBuffer) throws(StreamProtocolError) -> [CommandEvent]

    /// What is written to a client that does not keep to the protocol, before the connection closes.
    func complaint() -> ByteBuffer
}

/// What a client says to a command.
enum CommandEvent: Sendable {
    /// The way back is open: output can be sent by this.
    case ready(any CommandSender)
    case input([UInt8])
    case inputEnd
    case resize(columns: Int, rows: Int)
    /// Bytes to be written back at once.
    case write(ByteBuffer)
    /// The client is done with the connection.
    case closed
}

/// Packs what a command says to its client.
protocol CommandSender: Sendable {
    /// A piece of output; nil if the client has not asked for it.
    func output(_ output: SessionOutput) -> ByteBuffer?

    /// How it ended, and that nothing more follows.
    func end(_ outcome: CommandOutcome) -> [ByteBuffer]
}

/// How a command ended, in the words of the kubelet.
struct CommandOutcome: Sendable, Equatable {
    var isSuccess: Bool
    var message: String
    private var reason: String?
    private var details: JSONValue?
    private var code: Int?

    static let success = CommandOutcome(isSuccess: true, message: "")

    static func exec(_ exit: SessionExit, command: [String]) -> CommandOutcome {
        switch exit {
        case .code(0): .success
        case .code(let code):
            CommandOutcome(
                isSuccess: false,
                message: "command terminated with non-zero exit code: error executing command "
                    + "[\(command.joined(separator: " "))], exit code \(code)",
                reason: "NonZeroExitCode",
                details: ["causes": [["reason": "ExitCode", "message": .string("\(code)")]]])
        case .failed(let why): failure("error executing command in container: \(why)")
        }
    }

    /// Attaching succeeds however the process ended: its exit code is in the pod's status.
    static func attach(_ exit: SessionExit) -> CommandOutcome {
        switch exit {
        case .code: .success
        case .failed(let why): failure("error attaching to container: \(why)")
        }
    }

    static func failure(_ why: String) -> CommandOutcome {
        CommandOutcome(
            isSuccess: false, message: "Internal error occurred: \(why)", reason: "InternalError",
            details: ["causes": [["message": .string(why)]]], code: 500)
    }

    /// The `v1.Status` without kind, as the protocols from version 4 on send it.
    var status: [UInt8] {
        var value: JSONValue = ["metadata": [:], "status": isSuccess ? "Success" : "Failure"]
        if !isSuccess { value["message"] = .string(message) }
        if let reason { value["reason"] = .string(reason) }
        if let details { value["details"] = details }
        if let code { value["code"] = JSONValue(code) }
        return value.encoded
    }
}

/// The size of a terminal, as clients send it.
enum TerminalSize {
    /// Reads `{"Width":80,"Height":24}`; nil for anything else.
    static func parse(_ bytes: [UInt8]) -> CommandEvent? {
        guard let value = try? JSONValue(parsing: bytes), let width = value["Width"]?.int,
            let height = value["Height"]?.int, sides.contains(width), sides.contains(height)
        else { return nil }
        return .resize(columns: width, rows: height)
    }

    private static let sides = 1...Int(UInt16.max)
}
