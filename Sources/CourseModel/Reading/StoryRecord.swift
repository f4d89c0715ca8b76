/// What is recorded about one learner, as far as the story and the pages tell of it.
public struct StoryRecord: Hashable, Sendable {
    /// The values of ``SceneVariable``s that are known.
    public var facts: [String: SceneValue]
    /// Every checkpoint and every single check that has passed.
    public var passed: Set<LabPath>
    /// Oldest first.
    public var plays: [ScenePlay]
    /// The latest answer to each question.
    public var answers: [QuestionID: KeptAnswer]
    /// By the name that the check gave it: `recovery`, `ready-5`.
    public var measurements: [String: MeasuredTime]
    /// The pages that were read to their end.
    public var pagesRead: Set<PageID>

    public init(
        facts: [String: SceneValue] = [:], passed: Set<LabPath> = [], plays: [ScenePlay] = [],
        answers: [QuestionID: KeptAnswer] = [:], measurements: [String: MeasuredTime] = [:],
        pagesRead: Set<PageID> = []
    ) {
        self.facts = facts
        self.passed = passed
        self.plays = plays
        self.answers = answers
        self.measurements = measurements
        self.pagesRead = pagesRead
    }

    /// The lines that the learner has seen in any play.
    public var seenLines: Set<LineID> { Set(plays.flatMap(\.lines)) }

    public func isOpen(_ scene: Scene) -> Bool { scene.after.map(passed.contains) ?? true }

    /// How often the scene was seen to its end.
    public func timesSeen(_ scene: SceneID) -> Int { plays.count { $0.scene == scene && $0.finished != nil } }

    /// The latest play that kept its text: one to the end rather than one that was left.
    public func lastTranscript(of scene: SceneID) -> ScenePlay? {
        let kept = plays.filter { $0.scene == scene && !$0.transcript.isEmpty }
        return kept.last { $0.finished != nil } ?? kept.last
    }
}

/// What a learner wrote in answer to a question.
public struct KeptAnswer: Hashable, Sendable, Codable {
    public var question: QuestionID
    public var text: String
    public var written: Moment

    public init(question: QuestionID, text: String, written: Moment) {
        self.question = question
        self.text = text
        self.written = written
    }
}

/// A time that checks measured in a cluster, in milliseconds.
public struct MeasuredTime: Hashable, Sendable {
    public var latest: Int64
    public var best: Int64
    public var count: Int

    public init(latest: Int64, best: Int64, count: Int) {
        self.latest = latest
        self.best = best
        self.count = count
    }
}
