public import CourseModel
import GRDB

extension ProgressStore {
    /// Adds a learner and makes them the current one.
    ///
    /// With `id` nil, one is made of the name.
    @discardableResult
    public func addLearner(name: String, id: LearnerID? = nil) throws(ProgressError) -> Learner {
        guard let id = id ?? Learner.suggestedID(for: name), id.isWellFormed else {
            throw .badLearnerID(id?.rawValue ?? name)
        }
        let learner = Learner(id: id, name: name, created: now())
        try write { db in
            if try Learner.find(id, db) != nil { throw ProgressError.learnerExists(id) }
            try learner.insert(db)
            try Setting.write("learner", id.rawValue, db)
        }
        return learner
    }

    /// Makes a learner the current one.
    public func useLearner(_ id: LearnerID) throws(ProgressError) {
        try write { db in
            guard try Learner.find(id, db) != nil else {
                throw ProgressError.unknownLearner(id, known: try Learner.all(db).map(\.id))
            }
            try Setting.write("learner", id.rawValue, db)
        }
    }

    /// All learners, by id.
    public func learners() throws(ProgressError) -> [Learner] { try read(Learner.all) }

    /// Who learns now; nil before anybody was added.
    public func currentLearner() throws(ProgressError) -> Learner? {
        try read { db in
            try Setting.read("learner", db).flatMap { try Learner.find(LearnerID(rawValue: $0), db) }
        }
    }

    /// Who learns now; adds somebody of that name when there is nobody yet.
    ///
    /// Two processes that ask at once get the same one.
    public func currentLearner(orNew name: String) throws(ProgressError) -> Learner {
        if let learner = try currentLearner() { return learner }
        let id = Learner.suggestedID(for: name) ?? "learner"
        let fresh = Learner(id: id, name: name.isEmpty ? "Learner" : name, created: now())
        return try write { db in
            if let text = try Setting.read("learner", db), let known = try Learner.find(LearnerID(rawValue: text), db) {
                return known
            }
            let learner = try Learner.find(id, db) ?? fresh
            if learner == fresh { try fresh.insert(db) }
            try Setting.write("learner", id.rawValue, db)
            return learner
        }
    }

    /// Remembers where a learner is, so that the next start goes on there.
    public func open(_ lab: LabID, _ phase: PhaseID, learner: LearnerID) throws(ProgressError) {
        let moment = now()
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO place (learner, lab, phase, opened) VALUES (?, ?, ?, ?)
                    ON CONFLICT (learner) DO UPDATE SET lab = excluded.lab, phase = excluded.phase, opened = excluded.opened
                    """,
                arguments: [learner.rawValue, lab.rawValue, phase.rawValue, moment.milliseconds])
        }
    }

    /// Where a learner was last; nil at the very beginning.
    public func place(of learner: LearnerID) throws(ProgressError) -> (lab: LabID, phase: PhaseID)? {
        try read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT lab, phase FROM place WHERE learner = ?", arguments: [learner.rawValue])
            return row.map { (LabID(rawValue: $0["lab"]), PhaseID(rawValue: $0["phase"])) }
        }
    }
}

extension Learner {
    static func find(_ id: LearnerID, _ db: Database) throws -> Learner? {
        try Row.fetchOne(db, sql: "SELECT * FROM learner WHERE id = ?", arguments: [id.rawValue]).map(Learner.init)
    }

    static func all(_ db: Database) throws -> [Learner] {
        try Row.fetchAll(db, sql: "SELECT * FROM learner ORDER BY id").map(Learner.init)
    }

    private init(_ row: Row) {
        self.init(
            id: LearnerID(rawValue: row["id"]), name: row["name"], created: Moment(milliseconds: row["created"]))
    }

    func insert(_ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO learner (id, name, created) VALUES (?, ?, ?)",
            arguments: [id.rawValue, name, created.milliseconds])
    }
}

private enum Setting {
    static func read(_ name: String, _ db: Database) throws -> String? {
        try String.fetchOne(db, sql: "SELECT value FROM setting WHERE name = ?", arguments: [name])
    }

    static func write(_ name: String, _ value: String, _ db: Database) throws {
        try db.execute(
            sql:
                "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            arguments: [name, value])
    }
}
