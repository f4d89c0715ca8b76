public import CourseModel
import GRDB

/// The instructor's record of what was handed in; a progress file of its own.
public struct Gradebook: Sendable {
    let store: ProgressStore

    /// Opens the file, or makes it with its folder; errors are those of ``ProgressStore``.
    public init(
        path: String, now: @escaping @Sendable () -> Moment = { .now }
    ) throws(ProgressError) {
        store = try ProgressStore(path: path, now: now)
    }

    public func close() { store.close() }

    /// What came of importing a file.
    public enum Imported: Hashable, Sendable {
        case added(Learner, LabID, newAttempts: Int)
        /// This very submission is there already; nothing was changed.
        case known(Learner, LabID)
    }

    /// Takes a submission in.
    ///
    /// Importing it again changes nothing; a later one of the same learner adds what is new.
    ///
    /// `text` is that of the file. Throws `ProgressError.submission` for a file that was edited, or whose attempts
    /// somebody else has handed in.
    @discardableResult
    public func importSubmission(_ text: String) throws(ProgressError) -> Imported {
        let submission = try Submission(parsing: text)
        let imported = store.now()
        return try store.write { db in
            let known = try String.fetchOne(
                db, sql: "SELECT digest FROM submission WHERE id = ?", arguments: [submission.id])
            if let known {
                guard known == submission.digest else {
                    throw ProgressError.submission(
                        reason: "Another submission with the id '\(submission.id)' was imported before.",
                        hint: "Ask the learner to hand in again with 'velocity submit'.")
                }
                return .known(submission.learner, submission.lab)
            }
            try Self.insertLearner(submission.learner, db)
            let added = try Self.insertAttempts(submission, db)
            try Self.insertHints(submission, db)
            try db.execute(
                sql: """
                    INSERT INTO submission (id, learner, lab, created, imported, digest, file) VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    submission.id, submission.learner.id.rawValue, submission.lab.rawValue,
                    submission.created.milliseconds, imported.milliseconds, submission.digest, text,
                ])
            return .added(submission.learner, submission.lab, newAttempts: added)
        }
    }

    private static func insertLearner(_ learner: Learner, _ db: Database) throws {
        guard let known = try Learner.find(learner.id, db) else { return try learner.insert(db) }
        guard known.created == learner.created else {
            throw ProgressError.submission(
                reason: "Another learner uses the id '\(learner.id)' already: '\(known.name)'.",
                hint: "One of the two must hand in under an id of their own.")
        }
    }

    /// How many attempts were new.
    private static func insertAttempts(_ submission: Submission, _ db: Database) throws -> Int {
        var added = 0
        for attempt in submission.attempts {
            let row = try Row.fetchOne(
                db, sql: "SELECT learner, hash FROM attempt WHERE id = ?", arguments: [attempt.id])
            guard let row else {
                try attempt.insert(db)
                added += 1
                continue
            }
            let (owner, hash): (String, String) = (row["learner"], row["hash"])
            guard owner == attempt.learner.rawValue else {
                throw ProgressError.submission(
                    reason: "'\(owner)' has handed in the same attempt '\(attempt.id)' before.",
                    hint: "Ask both learners how the record came about.")
            }
            guard hash == attempt.hash else {
                throw ProgressError.submission(
                    reason: "The attempt '\(attempt.id)' differs from what '\(attempt.learner)' handed in before.",
                    hint: "Ask the learner how the record came about.")
            }
        }
        return added
    }

    private static func insertHints(_ submission: Submission, _ db: Database) throws {
        let known = Set(try HintShown.all(db, learner: submission.learner.id, lab: submission.lab))
        for hint in submission.hints where !known.contains(hint) {
            try hint.insert(db, learner: submission.learner.id)
        }
    }

    /// Where every learner stands, by learner id.
    public func report(lab: LabID? = nil) throws(ProgressError) -> GradeReport {
        try store.read { db in
            GradeReport(
                rows: try Learner.all(db).map { learner in
                    let attempts = try Attempt.all(db, learner: learner.id, lab: lab)
                    let hints = try HintShown.all(db, learner: learner.id, lab: lab)
                    return GradeReport.Row(
                        learner: learner, phases: PhaseStanding.all(attempts: attempts, hints: hints))
                })
        }
    }
}
