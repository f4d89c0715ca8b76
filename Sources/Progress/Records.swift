public import CourseModel

/// Somebody who learns, or hands something in.
public struct Learner: Hashable, Sendable, Codable {
    public var id: LearnerID
    public var name: String
    public var created: Moment

    public init(id: LearnerID, name: String, created: Moment) {
        self.id = id
        self.name = name
        self.created = created
    }

    /// An id made of a name: `Ana Marić` becomes `ana-mari`; nil when nothing usable is left.
    public static func suggestedID(for name: String) -> LearnerID? {
        var text = ""
        for character in name.lowercased() {
            if character.isASCII, character.isLetter || character.isNumber {
                text.append(character)
            } else if !text.isEmpty, text.last != "-", character == " " || character == "-" || character == "." {
                text.append("-")
            }
        }
        while text.last == "-" { text.removeLast() }
        let id = LearnerID(rawValue: text)
        return id.isWellFormed ? id : nil
    }
}

/// One run of a phase's checkpoint, as it is remembered.
///
/// Attempts are only ever added.
public struct Attempt: Hashable, Sendable, Codable {
    /// Unique everywhere: an instructor recognises by it what was handed in before.
    public var id: String
    public var learner: LearnerID
    public var checkpoint: CheckpointResult
    /// Which cluster was judged: the name of the embedded one, or a kubeconfig's context.
    public var cluster: String
    /// Decides the learner's variant; 0 where there is none.
    public var seed: Int64
    /// The hash of the attempt before it, of the same learner and lab.
    public var previousHash: String
    /// Over everything above.
    public var hash: String

    public var lab: LabID { checkpoint.lab }
    public var phase: PhaseID { checkpoint.phase }
    public var outcome: Verdict.Outcome { checkpoint.outcome }
}

/// A hint that was shown.
public struct HintShown: Hashable, Sendable, Codable {
    public var lab: LabID
    public var phase: PhaseID
    public var check: CheckID
    /// From 1; each level says more.
    ///
    /// ``solutionLevel`` and ``doneLevel`` are above all of them.
    public var level: Int
    public var text: String
    public var shown: Moment

    /// The whole solution was shown.
    public static let solutionLevel = 4
    /// What the check judges was done for the learner: it earns no points any more.
    public static let doneLevel = 5

    public init(lab: LabID, phase: PhaseID, check: CheckID, level: Int, text: String, shown: Moment) {
        self.lab = lab
        self.phase = phase
        self.check = check
        self.level = level
        self.text = text
        self.shown = shown
    }
}

/// Where a learner stands with one check.
public struct CheckStanding: Hashable, Sendable {
    public var lab: LabID
    public var phase: PhaseID
    public var check: CheckID
    public var title: String
    /// The best outcome so far: a check that passed once stays passed.
    public var best: Verdict.Outcome
    /// The latest outcome.
    public var latest: Verdict.Outcome
    /// How often it was judged.
    public var attempts: Int
    public var firstPassed: Moment?
    public var hintsShown: Int
    /// What passing it is worth.
    public var points: Int
    /// It was done for the learner before it had passed.
    public var isDoneForThem: Bool
    /// The seed of the latest attempt; 0 where nothing was chosen.
    public var seed: Int64

    /// All of its points, or none.
    public var earned: Int { best == .passed && !isDoneForThem ? points : 0 }
}

/// Where a learner stands with one phase.
public struct PhaseStanding: Hashable, Sendable {
    public var lab: LabID
    public var phase: PhaseID
    public var attempts: Int
    /// When its checkpoint passed for the first time; nil: not yet.
    public var passed: Moment?
    public var latest: Moment
    public var checks: [CheckStanding]

    public var earned: Int { checks.reduce(0) { $0 + $1.earned } }
}
