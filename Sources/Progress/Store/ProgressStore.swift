public import CourseModel
import Foundation
import GRDB

#if canImport(Glibc)
import Glibc
#endif

/// What learners have done, in one SQLite file that several processes may use at the same time.
///
/// Every verb is one transaction that has reached the disk when the call returns. The instructor's record of what was
/// handed in has the same form, in a file of its own.
public struct ProgressStore: Sendable {
    public let path: String
    let pool: DatabasePool
    let now: @Sendable () -> Moment

    /// Opens the file, or makes it with its folder.
    ///
    /// Throws a `ProgressError`: damaged (the file is renamed, its content kept), newer, not writable, full, busy.
    /// `pagesMax` limits the pages that the file may have, for tests of a full disk; nil sets no limit.
    public init(
        path: String, pagesMax: Int? = nil, now: @escaping @Sendable () -> Moment = { .now }
    ) throws(ProgressError) {
        self.path = path
        self.now = now
        let folder = (path as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .notWritable(path: path, reason: "the folder '\(folder)' cannot be made")
        }
        // One process at a time opens and migrates: SQLite does not wait while another one switches the file to WAL.
        let lock = FolderLock(folder)
        defer { lock.release() }
        do {
            pool = try Self.open(path, pagesMax)
        } catch  where ProgressError.isDamage(error) {
            throw Self.setAside(path, now())
        } catch {
            throw ProgressError(error, path: path)
        }
    }

    private static func open(_ path: String, _ pagesMax: Int?) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.foreignKeysEnabled = true
        configuration.prepareDatabase { db in
            // Every commit reaches the disk before it is answered, in WAL mode too.
            try db.execute(sql: "PRAGMA synchronous = FULL")
            if let pagesMax { try db.execute(sql: "PRAGMA max_page_count = \(pagesMax)") }
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        let isSound = try pool.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") == "ok" }
        guard isSound else { throw DatabaseError(resultCode: .SQLITE_CORRUPT) }
        let migrator = Migrations.all
        if try pool.read(migrator.hasBeenSuperseded) { throw ProgressError.newer(path: path) }
        try migrator.migrate(pool)
        return pool
    }

    /// Renames a damaged file with its companions, so that nothing ever writes over it.
    private static func setAside(_ path: String, _ moment: Moment) -> ProgressError {
        let stamp = moment.text.filter(\.isNumber)
        let kept = "\(path).damaged-\(stamp)"
        guard rename(path, kept) == 0 else {
            return .damagedInPlace(path: path, reason: String(cString: strerror(errno)))
        }
        for suffix in ["-wal", "-shm"] { _ = rename(path + suffix, kept + suffix) }
        return .damaged(path: path, keptAs: kept)
    }

    func read<T>(_ body: (Database) throws -> T) throws(ProgressError) -> T {
        do { return try pool.read(body) } catch { throw ProgressError(error, path: path) }
    }

    /// One immediate transaction: it waits for other writers at its start and never half-way.
    func write<T>(_ body: (Database) throws -> T) throws(ProgressError) -> T {
        do { return try pool.write(body) } catch { throw ProgressError(error, path: path) }
    }

    /// Closes the file; the store must not be used afterwards.
    public func close() { try? pool.close() }
}

/// An advisory lock on a folder; other processes wait for it.
///
/// Where the file system has none, there is none.
private struct FolderLock {
    private let descriptor: CInt

    init(_ folder: String) {
        descriptor = Glibc.open(folder, O_RDONLY | O_CLOEXEC)
        if descriptor >= 0 { _ = flock(descriptor, LOCK_EX) }
    }

    /// Closing gives the lock back.
    func release() { if descriptor >= 0 { _ = Glibc.close(descriptor) } }
}
