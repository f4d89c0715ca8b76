import KubeModel

/// What a server says to a request for `exec`: the upgrade, then frames (RFC 6455) whose first byte is the channel.
///
/// Kubernetes' remotecommand, `v4.channel.k8s.io` and later: 1 is standard output, 2 standard error, and on 3 comes how
/// it ended, as a `Status`.
struct ExecAnswer {
    private(set) var result: ExecResult?
    private var received: [UInt8] = []
    private var isUpgraded = false
    private var message: [UInt8] = []
    private var output: [UInt8] = []
    private var errorOutput: [UInt8] = []

    /// What a command says beyond this is dropped.
    private static let outputBytesMax = 1 << 20
    private static let frameBytesMax = 16 << 20

    /// Takes bytes in; returns frames that have to be sent back.
    mutating func take(_ bytes: [UInt8]) throws(Status) -> [[UInt8]] {
        received += bytes
        if !isUpgraded {
            guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return [] }
            if statusCode != 101 {
                if let refusal = refusal(after: end.upperBound) { throw refusal }
                return []
            }
            received.removeSubrange(..<end.upperBound)
            isUpgraded = true
        }
        var replies: [[UInt8]] = []
        while result == nil, let frame = try nextFrame() {
            switch frame.opcode {
            case 8:
                // Who closes without a word of how it ended has lost the command.
                throw Status(
                    code: 0, reason: "Unreachable", message: "the connection was closed before the command ended")
            case 9: replies.append([0x8A, 0x80 | UInt8(frame.payload.count), 0, 0, 0, 0] + frame.payload)
            case 0, 1, 2:
                message += frame.payload
                if frame.isLast { try sort() }
            default: break
            }
        }
        return replies
    }

    /// What an answer says that never came to its end.
    var failure: Status? {
        guard !isUpgraded, let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        return Self.status(statusCode, received[end.upperBound...])
    }

    private var headLines: [Substring] {
        String(decoding: received.prefix(16_384), as: UTF8.self).split(
            separator: "\r\n", omittingEmptySubsequences: false)
    }

    private var statusCode: Int {
        let words = headLines.first?.split(separator: " ") ?? []
        return words.count > 1 ? Int(words[1]) ?? 0 : 0
    }

    /// The refusal, once its body is there as far as it says how long it is.
    private func refusal(after start: Int) -> Status? {
        let field = headLines.prefix { !$0.isEmpty }.first { $0.lowercased().hasPrefix("content-length:") }
        guard let length = field?.split(separator: ":").last.flatMap({ Int($0.filter(\.isNumber)) }),
            received.count >= start + length
        else { return nil }
        return Self.status(statusCode, received[start..<(start + length)])
    }

    private static func status(_ code: Int, _ body: ArraySlice<UInt8>) -> Status {
        if let value = try? JSONValue(parsing: Array(body)), let status = Status(value) { return status }
        return Status(code: code, reason: "Unknown", message: String(decoding: body.prefix(500), as: UTF8.self))
    }

    private struct Frame {
        let opcode: UInt8
        let isLast: Bool
        let payload: [UInt8]
    }

    /// The next frame that is there as a whole; servers do not mask.
    private mutating func nextFrame() throws(Status) -> Frame? {
        guard received.count >= 2 else { return nil }
        var (count, start) = (Int(received[1] & 0x7F), 2)
        if count >= 126 {
            let width = count == 126 ? 2 : 8
            guard received.count >= 2 + width else { return nil }
            let length = received[2..<(2 + width)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard length <= Self.frameBytesMax else {
                throw Status(code: 0, reason: "Unreachable", message: "the server sent a frame without measure")
            }
            (count, start) = (Int(length), 2 + width)
        }
        guard received.count >= start + count else { return nil }
        let frame = Frame(
            opcode: received[0] & 15, isLast: received[0] & 0x80 != 0, payload: Array(received[start..<(start + count)])
        )
        received.removeSubrange(..<(start + count))
        return frame
    }

    /// Puts a whole message where it belongs.
    private mutating func sort() throws(Status) {
        defer { message = [] }
        guard let channel = message.first else { return }
        let bytes = message.dropFirst()
        switch channel {
        case 1: output += bytes.prefix(max(0, Self.outputBytesMax - output.count))
        case 2: errorOutput += bytes.prefix(max(0, Self.outputBytesMax - errorOutput.count))
        case 3: result = try end(JSONValue(parsing: Array(bytes)))
        default: break
        }
    }

    private func end(_ parse: @autoclosure () throws -> JSONValue) throws(Status) -> ExecResult {
        guard let value = try? parse() else {
            throw Status(code: 0, reason: "Unknown", message: "the server did not say how the command ended")
        }
        let result = { ExecResult(output: output, errorOutput: errorOutput, exitCode: $0) }
        if value["status"]?.string == "Success" { return result(0) }
        let causes = value[["details", "causes"]]?.array ?? []
        let code = causes.first { $0["reason"]?.string == "ExitCode" }?["message"]?.string.flatMap { Int($0) }
        if let code { return result(code) }
        throw Status(value) ?? Status(code: 500, reason: "InternalError", message: value.text)
    }
}
