import CourseModel
import Foundation
import GRDB
import Progress
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite("Progress on a bad day", .timeLimit(.minutes(5)))
struct BadDayTests {
    @Test("a damaged file is kept aside, and the next start begins anew")
    func damaged() throws {
        let folder = try ScratchFolder()
        let (path, garbage) = (folder.database, Data("this was never a database, and it is long enough to show".utf8))
        try garbage.write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: ProgressError.self) {
            try ProgressStore(path: path, now: { Moment(milliseconds: 0) })
        }
        let kept = path + ".damaged-19700101000000000"
        #expect(error == .damaged(path: path, keptAs: kept))
        #expect(
            error?.description == """
                The progress file '\(path)' is damaged; it is kept as '\(kept)'.
                hint: Start again to go on with an empty file, or put a backup in its place.
                """)
        #expect(FileManager.default.contents(atPath: kept) == garbage)
        _ = try ProgressStore(path: path)
    }

    @Test("a file with a damaged page is kept aside, too")
    func damagedPage() throws {
        let folder = try ScratchFolder()
        do {
            let store = try ProgressStore(path: folder.database)
            let learner = try store.currentLearner(orNew: "Ana").id
            for number in 0..<20 {
                try store.record(.sample(.passed, failure, at: Int64(number)), learner: learner, cluster: "c")
            }
            store.close()
            let queue = try DatabaseQueue(path: folder.database)
            try queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try queue.close()
        }
        let handle = try #require(FileHandle(forUpdatingAtPath: folder.database))
        for page in 1..<12 {
            try handle.seek(toOffset: UInt64(page) * 4096)
            try handle.write(contentsOf: Data(repeating: 0xA5, count: 256))
        }
        try handle.close()
        let path = folder.database
        let error = #expect(throws: ProgressError.self) { try ProgressStore(path: path) }
        guard case .damaged(_, let kept) = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(FileManager.default.fileExists(atPath: kept))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("a file of a newer program is refused and left alone")
    func newer() throws {
        let folder = try ScratchFolder()
        try ProgressStore(path: folder.database).close()
        do {
            let queue = try DatabaseQueue(path: folder.database)
            try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('v99: from tomorrow')") }
            try queue.close()
        }
        let path = folder.database
        #expect(throws: ProgressError.newer(path: path)) { try ProgressStore(path: path) }
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test("a folder that cannot be made is named")
    func notWritable() throws {
        let folder = try ScratchFolder()
        try Data().write(to: URL(fileURLWithPath: folder.path + "/file"))
        let path = folder.path + "/file/progress.sqlite"
        let error = #expect(throws: ProgressError.self) { try ProgressStore(path: path) }
        #expect(
            error?.description == """
                The progress file '\(path)' cannot be written: the folder '\(folder.path)/file' cannot be made.
                hint: Make the folder writable, or set VELOCITY_HOME to another one.
                """)
    }

    @Test("a disk that is full is named, and what was recorded stays")
    func full() throws {
        let folder = try ScratchFolder()
        let store = try ProgressStore(path: folder.database)
        let learner = try store.currentLearner(orNew: "Ana").id
        try store.record(.sample(.passed, .passed), learner: learner, cluster: "c")
        // SQLite itself says "full" when a database may not grow any more.
        let filler = try DatabaseQueue(path: folder.database)
        let pages = try filler.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
        #expect(pages > 0)
        let path = folder.database
        let full = try ProgressStore(path: path, pagesMax: pages)
        #expect(throws: ProgressError.full(path: path)) {
            for _ in 0..<200 { try full.record(.sample(failure, failure), learner: learner, cluster: "c") }
        }
        #expect(try store.attempts(of: learner).count >= 1)
        #expect(try store.firstAlteredAttempt(of: learner) == nil)
    }

    @Test("two processes that write at once lose nothing, and the chain holds")
    func twoWriters() async throws {
        let folder = try ScratchFolder()
        let path = folder.database
        let each = 60
        // Two pools on one file are to SQLite what two processes are: they share nothing but the file.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    let store = try ProgressStore(path: path)
                    let learner = try store.currentLearner(orNew: "Ana").id
                    for number in 0..<each {
                        try store.record(.sample(.passed, failure, at: Int64(number)), learner: learner, cluster: "c")
                    }
                    store.close()
                }
            }
            try await group.waitForAll()
        }
        let store = try ProgressStore(path: path)
        #expect(try store.attempts(of: "ana").count == 2 * each)
        #expect(try store.firstAlteredAttempt(of: "ana") == nil)
        #expect(try store.learners().count == 1)
    }

    @Test("a database of the first schema is brought up to date with its content")
    func migration() throws {
        let folder = try ScratchFolder()
        do {
            let store = try ProgressStore(path: folder.database)
            let learner = try store.currentLearner(orNew: "Ana").id
            try store.record(.sample(.passed, .passed), learner: learner, cluster: "c")
            store.close()
            let queue = try DatabaseQueue(path: folder.database)
            try queue.write { db in
                try db.execute(sql: "DROP TABLE submission")
                try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier LIKE 'v2:%'")
            }
            try queue.close()
        }
        let store = try ProgressStore(path: folder.database)
        #expect(try store.attempts(of: "ana").count == 1)
        let queue = try DatabaseQueue(path: folder.database)
        #expect(try queue.read { try $0.tableExists("submission") })
        let names = try queue.read {
            try String.fetchAll($0, sql: "SELECT identifier FROM grdb_migrations ORDER BY identifier")
        }
        #expect(
            names == [
                "v1: learners, attempts, verdicts, hints, scene plays", "v2: submissions",
                "v3: what scenes showed, answers to questions", "v4: pages that were read",
            ])
    }
}
