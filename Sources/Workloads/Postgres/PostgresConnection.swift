import Crypto

/// A connection to PostgreSQL, by its protocol 3.0 (PostgreSQL docs, "Frontend/Backend Protocol").
///
/// What a service needs of it: trust, password, md5 and SCRAM-SHA-256 authentication, statements, and statements with parameters.
final class PostgresConnection {
    enum Failure: Error {
        /// There is nobody who could be asked, or not any more.
        case unreachable(String)
        /// The server refused, with the five characters of an SQLSTATE.
        case refused(state: String, message: String)
    }

    typealias Row = [String?]

    private let stream: SocketStream

    init(_ address: DatabaseAddress, patienceMilliseconds: Int) throws(Failure) {
        do throws(SocketError) {
            stream = try SocketStream(
                host: address.host, port: address.port, patienceMilliseconds: patienceMilliseconds)
        } catch { throw .unreachable(error.reason) }
        var start = PostgresMessage(nil)
        start.add(196_608)
        for (name, value) in [
            ("user", address.user), ("database", address.name), ("application_name", address.application),
        ] {
            start.add(name)
            start.add(value)
        }
        start.add([0])
        try send([start])
        try authenticate(address)
        _ = try rows()
    }

    /// Runs one statement.
    func query(_ statement: String) throws(Failure) -> [Row] {
        var message = PostgresMessage("Q")
        message.add(statement)
        try send([message])
        return try rows()
    }

    /// Runs one statement whose `$1`, `$2`, … are values, which are no part of its text.
    func query(_ statement: String, _ values: Row) throws(Failure) -> [Row] {
        var parse = PostgresMessage("P")
        parse.add("")
        parse.add(statement)
        parse.add(short: 0)
        var bind = PostgresMessage("B")
        bind.add("")
        bind.add("")
        bind.add(short: 0)
        bind.add(short: values.count)
        for value in values { bind.add(optional: value) }
        bind.add(short: 0)
        var execute = PostgresMessage("E")
        execute.add("")
        execute.add(0)
        try send([parse, bind, execute, PostgresMessage("S")])
        return try rows()
    }

    private func send(_ messages: [PostgresMessage]) throws(Failure) {
        do throws(SocketError) { try stream.write(messages.flatMap(\.bytes)) } catch {
            throw .unreachable(error.reason)
        }
    }

    private func receive() throws(Failure) -> (kind: Character, content: PostgresReader) {
        do throws(SocketError) {
            let head = try stream.read(5)
            let length = head[1...].reduce(0) { $0 << 8 | Int($1) }
            guard 4...16_777_216 ~= length else { throw SocketError(reason: "it does not speak PostgreSQL's protocol") }
            return (Character(Unicode.Scalar(head[0])), PostgresReader(bytes: try stream.read(length - 4)))
        } catch { throw .unreachable(error.reason) }
    }

    /// The rows of the answer; reads on until the server is ready for the next statement.
    private func rows() throws(Failure) -> [Row] {
        var rows: [Row] = []
        var refusal: Failure?
        while true {
            var (kind, content) = try receive()
            switch kind {
            case "D": rows.append(content.row())
            case "E": refusal = content.failure()
            case "Z":
                if let refusal { throw refusal }
                return rows
            default: break
            }
        }
    }

    /// For servers whose pg_hba.conf still asks for it: 32 hexadecimal digits.
    private static func md5(_ bytes: [UInt8]) -> String {
        Insecure.MD5.hash(data: bytes).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private func authenticate(_ address: DatabaseAddress) throws(Failure) {
        var exchange = ScramExchange(password: address.password)
        while true {
            var (kind, content) = try receive()
            if kind == "E" { throw content.failure() }
            guard kind == "R" else { continue }
            var answer = PostgresMessage("p")
            do throws(ScramExchange.Failure) {
                switch content.integer() {
                case 0: return
                case 3: answer.add(address.password)
                case 5:
                    let once = Self.md5(Array((address.password + address.user).utf8))
                    answer.add("md5" + Self.md5(Array(once.utf8) + content.rest))
                case 10:
                    answer.add("SCRAM-SHA-256")
                    answer.add(exchange.first.utf8.count)
                    answer.add(Array(exchange.first.utf8))
                case 11: answer.add(Array(try exchange.final(content.text).utf8))
                case 12:
                    try exchange.verify(content.text)
                    continue
                default:
                    throw ScramExchange.Failure.malformed
                }
            } catch {
                throw .unreachable("it asks for a way of authentication that is not known here")
            }
            try send([answer])
        }
    }
}

/// One message to the server.
struct PostgresMessage {
    private var kind: Unicode.Scalar?
    private var content: [UInt8] = []

    /// - Parameter kind: Nil for the first message, which has none.
    init(_ kind: Unicode.Scalar?) { self.kind = kind }

    mutating func add(_ text: String) { content += Array(text.utf8) + [0] }
    mutating func add(_ bytes: [UInt8]) { content += bytes }
    mutating func add(_ number: Int) { content += Self.big(number) }
    mutating func add(short number: Int) { content += Self.big(number).suffix(2) }

    mutating func add(optional text: String?) {
        add(text?.utf8.count ?? -1)
        content += Array((text ?? "").utf8)
    }

    var bytes: [UInt8] { (kind.map { [UInt8(ascii: $0)] } ?? []) + Self.big(content.count + 4) + content }

    private static func big(_ number: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    }
}

/// The content of one message from the server.
struct PostgresReader {
    let bytes: [UInt8]
    private var index = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var rest: [UInt8] { Array(bytes[index...]) }
    var text: String { String(decoding: rest, as: UTF8.self) }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        let part = bytes[index...].prefix(max(0, count))
        index += part.count
        return part
    }

    mutating func integer() -> Int { Int(Int32(truncatingIfNeeded: take(4).reduce(0) { $0 << 8 | Int($1) })) }

    mutating func row() -> PostgresConnection.Row {
        let count = take(2).reduce(0) { $0 << 8 | Int($1) }
        return (0..<count).map { _ in
            let length = integer()
            return length < 0 ? nil : String(decoding: take(length), as: UTF8.self)
        }
    }

    /// Fields of a kind and a text each.
    mutating func failure() -> PostgresConnection.Failure {
        var fields: [UInt8: String] = [:]
        for field in bytes.split(separator: 0) {
            if let kind = field.first { fields[kind] = String(decoding: field.dropFirst(), as: UTF8.self) }
        }
        return .refused(
            state: fields[UInt8(ascii: "C")] ?? "", message: fields[UInt8(ascii: "M")] ?? "it gave no reason")
    }
}
