public import CourseModel
import Foundation
import GRDB

extension ProgressStore {
    /// Adds what a run of a checkpoint found out.
    ///
    /// `cluster` says which cluster was judged.
    @discardableResult
    public func record(
        _ checkpoint: CheckpointResult, learner: LearnerID, cluster: String
    ) throws(ProgressError) -> Attempt {
        let seed = checkpoint.seed.map { Int64(truncatingIfNeeded: $0) } ?? 0
        return try write { db in
            let previous = try String.fetchOne(
                db, sql: "SELECT hash FROM attempt WHERE learner = ? AND lab = ? ORDER BY position DESC LIMIT 1",
                arguments: [learner.rawValue, checkpoint.lab.rawValue])
            var attempt = Attempt(
                id: UUID().uuidString.lowercased(), learner: learner, checkpoint: checkpoint, cluster: cluster,
                seed: seed,
                previousHash: previous ?? HashChain.start(learner: learner.rawValue, lab: checkpoint.lab.rawValue),
                hash: "")
            attempt.hash = try HashChain.hash(of: attempt)
            try attempt.insert(db)
            return attempt
        }
    }

    /// All attempts of a learner, oldest first.
    public func attempts(of learner: LearnerID, lab: LabID? = nil) throws(ProgressError) -> [Attempt] {
        try read { try Attempt.all($0, learner: learner, lab: lab) }
    }

    /// The latest attempt at a phase; nil when there is none.
    public func latestAttempt(_ learner: LearnerID, _ lab: LabID, _ phase: PhaseID) throws(ProgressError) -> Attempt? {
        try attempts(of: learner, lab: lab).last { $0.phase == phase }
    }

    /// Remembers that a hint was shown.
    public func record(_ hint: HintShown, learner: LearnerID) throws(ProgressError) {
        try write { db in try hint.insert(db, learner: learner) }
    }

    /// The hints shown to a learner, oldest first.
    public func hints(of learner: LearnerID, lab: LabID? = nil) throws(ProgressError) -> [HintShown] {
        try read { try HintShown.all($0, learner: learner, lab: lab) }
    }

    /// Where a learner stands with every phase that they have tried, in the order of the first attempts.
    public func standing(of learner: LearnerID, lab: LabID? = nil) throws(ProgressError) -> [PhaseStanding] {
        let (attempts, hints) = try read { db in
            (try Attempt.all(db, learner: learner, lab: lab), try HintShown.all(db, learner: learner, lab: lab))
        }
        return PhaseStanding.all(attempts: attempts, hints: hints)
    }

    /// Whether the record of a learner is as it was written; else the id of the first attempt that is not.
    public func firstAlteredAttempt(of learner: LearnerID) throws(ProgressError) -> String? {
        let attempts = try attempts(of: learner)
        do {
            return try HashChain.firstBreak(in: attempts).map { attempts[$0].id }
        } catch {
            throw ProgressError(error, path: path)
        }
    }
}

extension Attempt {
    func insert(_ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO attempt (id, learner, lab, phase, checks, cluster, seed, started, finished, outcome, previousHash, hash)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                id, learner.rawValue, lab.rawValue, phase.rawValue, try CanonicalJSON.text(checkpoint.checks), cluster,
                seed, checkpoint.started.milliseconds,
                checkpoint.finished.milliseconds, outcome.rawValue, previousHash, hash,
            ])
        for (number, result) in checkpoint.results.enumerated() {
            try db.execute(
                sql:
                    "INSERT INTO verdict (attempt, number, \"check\", title, outcome, result) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    id, number, result.check.rawValue, result.title, result.verdict.outcome.rawValue,
                    try CanonicalJSON.text(result),
                ])
        }
    }

    static func all(_ db: Database, learner: LearnerID?, lab: LabID?) throws -> [Attempt] {
        let arguments: StatementArguments = [learner?.rawValue, learner?.rawValue, lab?.rawValue, lab?.rawValue]
        let filter = "(? IS NULL OR learner = ?) AND (? IS NULL OR lab = ?)"
        var results: [String: [CheckResult]] = [:]
        let verdicts = try Row.fetchAll(
            db,
            sql: """
                SELECT attempt, result FROM verdict
                WHERE attempt IN (SELECT id FROM attempt WHERE \(filter)) ORDER BY attempt, number
                """,
            arguments: arguments)
        for row in verdicts {
            let result = try CanonicalJSON.decode(CheckResult.self, from: row["result"] as String)
            results[row["attempt"], default: []].append(result)
        }
        let rows = try Row.fetchAll(
            db, sql: "SELECT * FROM attempt WHERE \(filter) ORDER BY position", arguments: arguments)
        return try rows.map { row in
            Attempt(
                id: row["id"], learner: LearnerID(rawValue: row["learner"]),
                checkpoint: CheckpointResult(
                    lab: LabID(rawValue: row["lab"]), phase: PhaseID(rawValue: row["phase"]),
                    checks: try CanonicalJSON.decode([CheckID].self, from: row["checks"] as String),
                    results: results[row["id"]] ?? [], started: Moment(milliseconds: row["started"]),
                    finished: Moment(milliseconds: row["finished"]),
                    seed: (row["seed"] as Int64) == 0 ? nil : UInt64(bitPattern: row["seed"])),
                cluster: row["cluster"], seed: row["seed"], previousHash: row["previousHash"], hash: row["hash"])
        }
    }
}

extension HintShown {
    func insert(_ db: Database, learner: LearnerID) throws {
        try db.execute(
            sql: """
                INSERT INTO hintShown (learner, lab, phase, "check", level, text, shown) VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                learner.rawValue, lab.rawValue, phase.rawValue, check.rawValue, level, text, shown.milliseconds,
            ])
    }

    static func all(_ db: Database, learner: LearnerID, lab: LabID?) throws -> [HintShown] {
        try Row.fetchAll(
            db, sql: "SELECT * FROM hintShown WHERE learner = ? AND (? IS NULL OR lab = ?) ORDER BY position",
            arguments: [learner.rawValue, lab?.rawValue, lab?.rawValue]
        ).map { row in
            HintShown(
                lab: LabID(rawValue: row["lab"]), phase: PhaseID(rawValue: row["phase"]),
                check: CheckID(rawValue: row["check"]), level: row["level"], text: row["text"],
                shown: Moment(milliseconds: row["shown"]))
        }
    }
}

extension PhaseStanding {
    /// Sums up attempts, oldest first.
    static func all(attempts: [Attempt], hints: [HintShown]) -> [PhaseStanding] {
        var standings: [PhaseStanding] = []
        for attempt in attempts {
            let index = standings.firstIndex { $0.lab == attempt.lab && $0.phase == attempt.phase } ?? standings.count
            if index == standings.count {
                standings.append(
                    PhaseStanding(
                        lab: attempt.lab, phase: attempt.phase, attempts: 0, passed: nil,
                        latest: attempt.checkpoint.finished, checks: []))
            }
            standings[index].add(attempt, hints: hints)
        }
        return standings
    }

    private mutating func add(_ attempt: Attempt, hints: [HintShown]) {
        attempts += 1
        latest = attempt.checkpoint.finished
        let hints = hints.filter { $0.lab == lab && $0.phase == phase }
        for result in attempt.checkpoint.results {
            let outcome = result.verdict.outcome
            if let index = checks.firstIndex(where: { $0.check == result.check }) {
                checks[index].attempts += 1
                checks[index].latest = outcome
                checks[index].title = result.title
                checks[index].points = result.points ?? 1
                checks[index].seed = attempt.seed
                if Self.rank(outcome) > Self.rank(checks[index].best) { checks[index].best = outcome }
                if outcome == .passed, checks[index].firstPassed == nil { checks[index].firstPassed = result.finished }
                checks[index].note(hints)
            } else {
                var standing = CheckStanding(
                    lab: lab, phase: phase, check: result.check, title: result.title, best: outcome, latest: outcome,
                    attempts: 1, firstPassed: outcome == .passed ? result.finished : nil, hintsShown: 0,
                    points: result.points ?? 1, isDoneForThem: false, seed: attempt.seed)
                standing.note(hints)
                checks.append(standing)
            }
        }
        // Checks may be judged one by one: the phase is passed once each of them was.
        let done = Set(checks.filter { $0.best == .passed }.map(\.check))
        if passed == nil, done.isSuperset(of: attempt.checkpoint.checks) { passed = latest }
    }

    private static func rank(_ outcome: Verdict.Outcome) -> Int {
        switch outcome {
        case .skipped: 0
        case .unknown: 1
        case .failed: 2
        case .passed: 3
        }
    }
}

extension CheckStanding {
    /// Takes in the hints of its phase: how many were shown, and whether it was done for the learner.
    fileprivate mutating func note(_ hints: [HintShown]) {
        let hints = hints.filter { $0.check == check }
        hintsShown = hints.count
        let done = hints.filter { $0.level >= HintShown.doneLevel }.map(\.shown).min()
        isDoneForThem = done.map { $0 <= firstPassed ?? $0 } ?? false
    }
}
