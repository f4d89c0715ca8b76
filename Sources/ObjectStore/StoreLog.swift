import Foundation
import GRDB
import KubeModel

/// The append log on disk: one row a change, in SQLite.
///
/// Write-ahead logging with `synchronous=NORMAL`: a committed row is in the operating system's hands, so the death of this
/// process loses nothing. A power cut may lose the last moments, never the file; for a cluster that lives on a learner's
/// machine that is worth the many times faster answer to each write. The log is moved into the file every 32 MB: that waits for the
/// disk, and everybody waits with it.
struct StoreLog: Sendable {
    private let queue: DatabaseQueue

    init(path: String) throws(StoreError) {
        do {
            var configuration = Configuration()
            configuration.busyMode = .timeout(5)
            configuration.prepareDatabase { database in
                try database.execute(
                    sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8192")
            }
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try Self.migrator.migrate(queue)
        } catch {
            throw .io(Self.sentence(path, error))
        }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1: log") { database in
            try database.execute(
                sql: """
                    CREATE TABLE log (
                        revision INTEGER PRIMARY KEY, kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
                        created INTEGER NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
                        bytes BLOB NOT NULL
                    );
                    CREATE INDEX log_key ON log (resource, namespace, name, revision);
                    CREATE TABLE compaction (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL);
                    INSERT INTO compaction VALUES (1, 0);
                    """)
        }
        return migrator
    }

    static func sentence(_ path: String, _ error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "The store '\(path)' cannot be used: \(error)." }
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: return "The store '\(path)' is damaged: \(error.message ?? "unreadable")."
        case .SQLITE_FULL: return "The disk that holds the store '\(path)' is full."
        case .SQLITE_READONLY, .SQLITE_CANTOPEN: return "The store '\(path)' cannot be written."
        default: return "The store '\(path)' cannot be used: \(error.message ?? "\(error.resultCode)")."
        }
    }

    /// Writes changes in one transaction, on the caller's thread: it takes less time than to wake another.
    ///
    /// - Parameter compaction: Rows up to this revision that a later row of their key has replaced are dropped.
    func append(
        _ changes: [(kind: StoreEvent.Kind, object: StoredObject)], compaction: Revision?
    ) throws(StoreError) {
        do {
            try queue.write { try Self.insert(changes, compaction: compaction, into: $0) }
        } catch {
            throw .io(Self.sentence(queue.path, error))
        }
    }

    private static func insert(
        _ changes: [(kind: StoreEvent.Kind, object: StoredObject)], compaction: Revision?, into database: Database
    ) throws {
        let statement = try database.cachedStatement(sql: "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)")
        for (kind, object) in changes {
            try statement.execute(arguments: [
                object.revision.rawValue, kind.rawValue, object.createRevision.rawValue, object.key.resource,
                object.key.namespace ?? "", object.key.name, DatabaseValue(bytes: object.bytes),
            ])
        }
        if let compaction { try compact(database, to: compaction) }
    }

    /// Keeps, of each key, the newest row up to the revision, unless that is a deletion.
    private static func compact(_ database: Database, to revision: Revision) throws {
        try database.execute(
            sql: """
                DELETE FROM log WHERE revision <= :revision AND EXISTS (
                    SELECT 1 FROM log AS later WHERE later.resource = log.resource AND later.namespace = log.namespace
                        AND later.name = log.name AND later.revision > log.revision AND later.revision <= :revision);
                DELETE FROM log WHERE revision <= :revision AND kind = 2;
                UPDATE compaction SET revision = :revision;
                """, arguments: ["revision": revision.rawValue])
    }

    /// Builds the state by replaying the log.
    func load(historyCount: Int) throws(StoreError) -> StoreState {
        do {
            return try queue.read { database in
                let compacted = try Int64.fetchOne(database, sql: "SELECT revision FROM compaction") ?? 0
                var state = StoreState(historyCount: historyCount, compacted: Revision(compacted))
                let rows = try Row.fetchCursor(database, sql: "SELECT * FROM log ORDER BY revision")
                while let row = try rows.next() { try Self.replay(row, into: &state, compacted: Revision(compacted)) }
                return state
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw .io(Self.sentence(queue.path, error))
        }
    }

    private static func replay(_ row: Row, into state: inout StoreState, compacted: Revision) throws {
        let revision = Revision(row["revision"])
        let namespace: String = row["namespace"]
        let key = StoreKey(resource: row["resource"], namespace: namespace.isEmpty ? nil : namespace, name: row["name"])
        let bytes = try row.withUnsafeData(named: "bytes") { data in data.map { Array($0) } ?? [] }
        guard let value = try? JSONValue(parsing: bytes), let kind = StoreEvent.Kind(rawValue: row["kind"]) else {
            throw StoreError.io("The store is damaged: the object '\(key)' at revision \(revision) cannot be read.")
        }
        let object = EncodedObject(KubeObject(value)).stored(key, revision, created: Revision(row["created"]))
        if revision <= compacted {
            state.restore(object)
        } else {
            state.apply(StoreEvent(kind: kind, object: object, previous: state.get(key)))
        }
    }

    func close() { try? queue.close() }
}

extension DatabaseValue {
    /// A blob of bytes.
    fileprivate init(bytes: [UInt8]) { self = Data(bytes).databaseValue }
}
