public import CourseModel
import GRDB

extension ProgressStore {
    /// Remembers that a scene was played.
    public func record(_ play: ScenePlay, learner: LearnerID) throws(ProgressError) {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO scenePlay (learner, scene, started, finished, lines, choices, transcript, fingerprint)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    learner.rawValue, play.scene.rawValue, play.started.milliseconds, play.finished?.milliseconds,
                    try CanonicalJSON.text(play.lines), try CanonicalJSON.text(play.choices),
                    try CanonicalJSON.text(play.transcript), play.fingerprint,
                ])
        }
    }

    /// The scenes that a learner has played, oldest first.
    public func plays(of learner: LearnerID, scene: SceneID? = nil) throws(ProgressError) -> [ScenePlay] {
        let rows = try read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM scenePlay WHERE learner = ? AND (? IS NULL OR scene = ?) ORDER BY position",
                arguments: [learner.rawValue, scene?.rawValue, scene?.rawValue])
        }
        do {
            return try rows.map { row in
                ScenePlay(
                    scene: SceneID(rawValue: row["scene"]), started: Moment(milliseconds: row["started"]),
                    finished: (row["finished"] as Int64?).map(Moment.init(milliseconds:)),
                    lines: try CanonicalJSON.decode([LineID].self, from: row["lines"] as String),
                    choices: try CanonicalJSON.decode([LineID].self, from: row["choices"] as String),
                    transcript: try CanonicalJSON.decode(
                        [ScenePlayer.ShownLine].self, from: row["transcript"] as String),
                    fingerprint: row["fingerprint"])
            }
        } catch {
            throw ProgressError(error, path: path)
        }
    }

    /// Keeps an answer; earlier ones to the same question stay in the file, and the latest counts.
    public func record(_ answer: KeptAnswer, learner: LearnerID) throws(ProgressError) {
        try write { db in
            try db.execute(
                sql: "INSERT INTO answer (learner, question, text, written) VALUES (?, ?, ?, ?)",
                arguments: [learner.rawValue, answer.question.rawValue, answer.text, answer.written.milliseconds])
        }
    }

    /// A learner's latest answer to each question.
    public func answers(of learner: LearnerID) throws(ProgressError) -> [QuestionID: KeptAnswer] {
        let rows = try read { db in
            try Row.fetchAll(
                db, sql: "SELECT question, text, written FROM answer WHERE learner = ? ORDER BY position",
                arguments: [learner.rawValue])
        }
        let answers = rows.map { row in
            KeptAnswer(
                question: QuestionID(rawValue: row["question"]), text: row["text"],
                written: Moment(milliseconds: row["written"]))
        }
        return Dictionary(answers.map { ($0.question, $0) }, uniquingKeysWith: { _, latest in latest })
    }

    /// Remembers that a page was read to its end; the first time counts.
    public func record(read page: PageID, learner: LearnerID) throws(ProgressError) {
        let moment = now()
        try write { db in
            try db.execute(
                sql: "INSERT OR IGNORE INTO pageRead (learner, page, read) VALUES (?, ?, ?)",
                arguments: [learner.rawValue, page.rawValue, moment.milliseconds])
        }
    }

    /// The pages that a learner has read to their end.
    public func pagesRead(by learner: LearnerID) throws(ProgressError) -> Set<PageID> {
        let pages = try read { db in
            try String.fetchAll(db, sql: "SELECT page FROM pageRead WHERE learner = ?", arguments: [learner.rawValue])
        }
        return Set(pages.map(PageID.init(rawValue:)))
    }

    /// What scenes may say about a learner, for `ScenePlayer`; what is not known yet is left out.
    public func sceneVariables(for learner: Learner) throws(ProgressError) -> [String: SceneValue] {
        try story(of: learner).facts
    }

    /// Everything that the story and the pages tell of a learner.
    public func story(of learner: Learner) throws(ProgressError) -> StoryRecord {
        let attempts = try attempts(of: learner.id)
        let results = attempts.flatMap(\.checkpoint.results)
        var record = StoryRecord(
            plays: try plays(of: learner.id), answers: try answers(of: learner.id),
            measurements: Self.measurements(in: results), pagesRead: try pagesRead(by: learner.id))
        var values: [SceneVariable: SceneValue] = [
            .learner: .text(learner.name), .attempts: .number(Double(attempts.count)),
        ]
        let hints = try hints(of: learner.id).count
        if hints > 0 { values[.hints] = .number(Double(hints)) }
        for (name, variable) in Self.timed {
            guard let latest = record.measurements[name]?.latest else { continue }
            values[variable] = .number(Double((latest + 50) / 100) / 10)
            if variable == .downtimeSeconds { values[.downtimeMeasured] = .bool(true) }
        }
        if let (pod, new) = results.reversed().lazy.compactMap(Self.replacement).first {
            values[.pod] = .text(pod)
            values[.newPod] = .text(new)
        }
        record.facts = Dictionary(uniqueKeysWithValues: values.map { ($0.key.rawValue, $0.value) })
        for attempt in attempts {
            for result in attempt.checkpoint.results where result.verdict == .passed {
                record.passed.insert(LabPath(lab: attempt.lab, phase: attempt.phase, check: result.check))
            }
        }
        for phase in PhaseStanding.all(attempts: attempts, hints: []) where phase.passed != nil {
            record.passed.insert(LabPath(lab: phase.lab, phase: phase.phase))
        }
        return record
    }

    /// Under which names checks record the times that scenes speak of.
    private static let timed: [(String, SceneVariable)] = [
        ("recovery", .recoverySeconds), ("mending", .mendingSeconds), ("ready-5", .scalingSeconds),
        ("downtime", .downtimeSeconds),
    ]

    /// All measured times by name.
    ///
    /// A `recovery` in which no pod replaced another is that of a drill: the time that the learner took, not the
    /// cluster. It is told apart as `mending`.
    private static func measurements(in results: [CheckResult]) -> [String: MeasuredTime] {
        var times: [String: MeasuredTime] = [:]
        for result in results {
            for (written, value) in result.measured {
                let name = written == "recovery" && replacement(in: result) == nil ? "mending" : written
                let best = min(value, times[name]?.best ?? value)
                times[name] = MeasuredTime(latest: value, best: best, count: (times[name]?.count ?? 0) + 1)
            }
        }
        return times
    }

    /// The deleted pod and the one that came in its place, from the evidence of a check that saw both.
    private static func replacement(in result: CheckResult) -> (pod: String, new: String)? {
        for evidence in result.evidence {
            let words = evidence.what.split(separator: " ").map(String.init)
            if words.count > 5, words[0] == "Pod", Array(words[2...3]) == ["has", "replaced"] {
                return (words[4], words[1])
            }
        }
        return nil
    }
}
