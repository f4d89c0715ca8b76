import Synchronization

/// A Redis server, asked by its protocol RESP 2; a service must do without it when it is away.
final class Redis: Sendable {
    enum Reply: Sendable, Hashable {
        case text(String)
        case number(Int)
        case none
        case failure(String)
    }

    let host: String
    let port: UInt16
    private let password: String
    private struct Loan: @unchecked Sendable {
        // Safe: a connection is either in `state`, which a lock guards, or with the one thread that took it out.
        let stream: SocketStream
    }
    private struct State {
        var idle: [Loan] = []
        /// Until then nobody waits for a server that was away.
        var pauseEnd = 0
    }
    private let state = Mutex(State())

    /// - Parameter url: `redis://[:PASSWORD@]HOST[:PORT]`; nil for anything else.
    init?(url: String) {
        guard url.hasPrefix("redis://") else { return nil }
        var rest = url.dropFirst(8).prefix { $0 != "/" }
        var password = ""
        if let at = rest.lastIndex(of: "@") {
            password = rest[..<at].split(separator: ":").last.map(String.init) ?? ""
            rest = rest[rest.index(after: at)...]
        }
        let parts = rest.split(separator: ":", maxSplits: 1)
        guard let host = parts.first, let port = UInt16(parts.count > 1 ? parts[1] : "6379") else { return nil }
        self.host = String(host)
        self.port = port
        self.password = password
    }

    /// Nil when the server is away; then it is not asked again for five seconds.
    func ask(_ words: String...) -> Reply? {
        let (kept, isPaused) = state.withLock { state in
            (state.idle.popLast(), state.pauseEnd > Moment.steady)
        }
        if isPaused { return nil }
        if let kept, let reply = try? Self.ask(kept.stream, words) {
            state.withLock { $0.idle.append(kept) }
            return reply
        }
        do throws(SocketError) {
            let stream = try SocketStream(host: host, port: port, patienceMilliseconds: 500)
            if !password.isEmpty { _ = try Self.ask(stream, ["AUTH", password]) }
            let reply = try Self.ask(stream, words)
            let loan = Loan(stream: stream)
            state.withLock { $0.idle.append(loan) }
            return reply
        } catch {
            state.withLock { state in
                state.idle = []
                state.pauseEnd = Moment.steady + 5000
            }
            return nil
        }
    }

    private static func ask(_ stream: SocketStream, _ words: [String]) throws(SocketError) -> Reply {
        let parts = words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }
        try stream.write(Array("*\(words.count)\r\n\(parts.joined())".utf8))
        let line = try stream.readLine()
        let rest = String(line.dropFirst())
        switch line.first {
        case "+": return .text(rest)
        case "-": return .failure(rest)
        case ":": return .number(Int(rest) ?? 0)
        case "$":
            guard let count = Int(rest), count >= 0 else { return .none }
            let bytes = try stream.read(count + 2)
            return .text(String(decoding: bytes.dropLast(2), as: UTF8.self))
        default: throw SocketError(reason: "it does not speak Redis' protocol")
        }
    }
}
