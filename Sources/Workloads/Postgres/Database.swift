import Synchronization

/// Where a database is, and as whom to ask it.
struct DatabaseAddress: Sendable, Hashable {
    var host: String
    var port: UInt16 = 5432
    var name: String
    var user: String
    var password: String
    var application: String

    var description: String { "\(host):\(port)/\(name)" }

    /// From `DB_HOST`, `DB_PORT`, `DB_NAME`, `DB_USER` and `DB_PASSWORD`, or `DATABASE_URL`; nil when neither says where.
    init?(_ surroundings: Surroundings, name: String, user: String, application: String) {
        self.init(host: "", name: name, user: user, password: "", application: application)
        if let url = surroundings["DATABASE_URL"], !read(url: url) {
            Workloads.fail(
                "DATABASE_URL is '\(url)', which is not postgresql://USER:PASSWORD@HOST:PORT/NAME.", code: 78)
        }
        if let host = surroundings["DB_HOST"] { self.host = host }
        if let text = surroundings["DB_PORT"] {
            guard let port = UInt16(text), port > 0 else {
                Workloads.fail("DB_PORT is '\(text)', which is not a port.\nhint: PostgreSQL's is 5432.", code: 78)
            }
            self.port = port
        }
        self.name = surroundings["DB_NAME"] ?? self.name
        self.user = surroundings["DB_USER"] ?? self.user
        password = surroundings["DB_PASSWORD"] ?? password
        if host.isEmpty { return nil }
    }

    private init(host: String, name: String, user: String, password: String, application: String) {
        self.host = host
        self.name = name
        self.user = user
        self.password = password
        self.application = application
    }

    private mutating func read(url: String) -> Bool {
        guard let scheme = ["postgresql://", "postgres://"].first(where: url.hasPrefix) else { return false }
        var rest = url.dropFirst(scheme.count).prefix { $0 != "?" }
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1)
            if let first = parts.first { user = String(first) }
            if parts.count > 1 { password = String(parts[1]) }
            rest = rest[rest.index(after: at)...]
        }
        let parts = rest.split(separator: "/", maxSplits: 1)
        if parts.count > 1 { name = String(parts[1]) }
        let place = (parts.first ?? "").split(separator: ":", maxSplits: 1)
        if place.count > 1 {
            guard let number = UInt16(place[1]) else { return false }
            port = number
        }
        host = place.first.map(String.init) ?? ""
        return !host.isEmpty
    }
}

/// A service's database: a connection for each thread that asks, kept for the next one.
final class Database: Sendable {
    let address: DatabaseAddress
    /// Run on each new connection: the table may have gone with the server's disk.
    private let schema: String
    private let patienceMilliseconds: Int
    private let idle = Mutex<[Loan]>([])

    /// Handed from thread to thread, one at a time.
    private struct Loan: @unchecked Sendable {
        // Safe: a connection is either in `idle`, which a lock guards, or with the one thread that took it out.
        let connection: PostgresConnection
    }

    init(_ address: DatabaseAddress, schema: String = "", patienceMilliseconds: Int) {
        self.address = address
        self.schema = schema
        self.patienceMilliseconds = patienceMilliseconds
    }

    /// Asks the database; called on threads that may wait.
    ///
    /// A connection that was kept may have lost its server, so a statement is tried once more on a new one: it must be one that
    /// may run twice.
    func query(_ statement: String, _ values: PostgresConnection.Row = []) throws(PostgresConnection.Failure)
        -> [PostgresConnection.Row]
    {
        if let kept = idle.withLock({ $0.popLast() }) {
            do throws(PostgresConnection.Failure) {
                return try ask(kept.connection, statement, values)
            } catch {
                guard error.isLostServer else { throw error }
                // The others were to the same server.
                idle.withLock { $0 = [] }
            }
        }
        let connection = try PostgresConnection(address, patienceMilliseconds: patienceMilliseconds)
        if !schema.isEmpty { try makeSchema(connection) }
        return try ask(connection, statement, values)
    }

    private func ask(
        _ connection: PostgresConnection, _ statement: String, _ values: PostgresConnection.Row
    ) throws(PostgresConnection.Failure) -> [PostgresConnection.Row] {
        do throws(PostgresConnection.Failure) {
            let rows = try connection.query(statement, values)
            keep(connection)
            return rows
        } catch {
            if !error.isLostServer { keep(connection) }
            throw error
        }
    }

    private func keep(_ connection: PostgresConnection) {
        let loan = Loan(connection: connection)
        idle.withLock { $0.append(loan) }
    }

    /// Two pods that make a table at once may both find it missing: the second is told so, and the table is there.
    private func makeSchema(_ connection: PostgresConnection) throws(PostgresConnection.Failure) {
        do throws(PostgresConnection.Failure) { _ = try connection.query(schema) } catch {
            guard case .refused(let state, _) = error, ["23505", "42P07"].contains(state) else { throw error }
        }
    }
}

extension PostgresConnection.Failure {
    /// Whether another connection may fare better: the server went away, or is about to (class 57 of the SQLSTATEs).
    var isLostServer: Bool {
        switch self {
        case .unreachable: true
        case .refused(let state, _): state.hasPrefix("57P")
        }
    }

    var sentence: String {
        switch self {
        case .unreachable(let reason): reason
        case .refused(_, let message): message
        }
    }
}
