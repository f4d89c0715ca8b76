/// What is run: phases with steps and checkpoints, and the proof that they work.
public struct Lab: Hashable, Sendable {
    public let id: LabID
    public let title: String
    public let week: WeekID
    /// What is at stake, in the story's words.
    public let mission: String
    /// When the whole lab counts as done.
    public let success: String
    /// The namespace in which everything happens unless a check says otherwise.
    public let namespace: String
    public let phases: [Phase]
    public let solutions: [Solution]
    public let mutants: [Mutant]
    /// The files that a learner gets, by their path in the lab's working folder.
    public let starters: [LabFile]

    public init(
        id: LabID, title: String, week: WeekID, mission: String, success: String, namespace: String, phases: [Phase],
        solutions: [Solution] = [], mutants: [Mutant] = [], starters: [LabFile] = []
    ) {
        self.id = id
        self.title = title
        self.week = week
        self.mission = mission
        self.success = success
        self.namespace = namespace
        self.phases = phases
        self.solutions = solutions
        self.mutants = mutants
        self.starters = starters
    }

    /// What leads to the state in which a phase begins; nothing for one that begins with an empty cluster.
    public func beginning(of phase: Phase) -> [Operation] {
        solutions(before: phase).flatMap(\.operations)
    }

    /// The solutions of earlier phases that lead to the beginning of a phase, first one first.
    public func solutions(before phase: Phase) -> [Solution] {
        if let after = phase.after { return solutions.chain(endingWith: after) }
        guard let own = reference(for: phase.id) else { return [] }
        return solutions.chain(endingWith: own.id).filter { $0.phase != phase.id }
    }

    /// The phases that those solutions solve: done for a learner who begins here.
    public func phasesDone(before phase: Phase) -> [Phase] {
        let done = Set(solutions(before: phase).map(\.phase))
        return phases.filter { done.contains($0.id) }
    }

    /// The solution that is called as its phase is, else the first one.
    public func reference(for phase: PhaseID) -> Solution? {
        let all = solutions.filter { $0.phase == phase }
        return all.first { $0.id.rawValue == phase.rawValue } ?? all.first
    }

    public func phase(_ id: PhaseID) -> Phase? { phases.first { $0.id == id } }
    public func solution(_ id: SolutionID) -> Solution? { solutions.first { $0.id == id } }
    public func starter(_ name: String) -> LabFile? { starters.first { $0.name == name } }
}

/// A file of a lab: its name within the lab's folder and its text.
public struct LabFile: Hashable, Sendable {
    public let name: String
    public let text: String

    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}

/// A part of a lab that ends with a checkpoint.
public struct Phase: Hashable, Sendable {
    public let id: PhaseID
    public let title: String
    /// How long the course expects it to take.
    public let minutes: Int
    public let objective: String
    /// What a learner who starts here has to type first; empty when nothing is needed.
    public let preparation: [Command]
    public let steps: [Step]
    public let checkpoint: Checkpoint
    /// The solution whose end is where this phase begins; nil when it begins with an empty cluster.
    public let after: SolutionID?
    /// The ways in which a drill breaks the cluster; empty for a phase that is not a drill.
    public let faults: [Fault]
    /// It proves what earlier phases made, so that its checkpoint is green before anything was done in it.
    public let isReview: Bool

    public init(
        id: PhaseID, title: String, minutes: Int, objective: String, preparation: [Command] = [], steps: [Step],
        checkpoint: Checkpoint, after: SolutionID? = nil, faults: [Fault] = [], isReview: Bool = false
    ) {
        self.id = id
        self.title = title
        self.minutes = minutes
        self.objective = objective
        self.preparation = preparation
        self.steps = steps
        self.checkpoint = checkpoint
        self.after = after
        self.faults = faults
        self.isReview = isReview
    }

    public var questions: [LabQuestion] { steps.flatMap(\.questions) }

    /// Something is broken on purpose, and the learner finds and mends it.
    public var isDrill: Bool { !faults.isEmpty }

    /// The fault that a seed chooses; nil for a phase that is not a drill.
    public func fault(seed: UInt64) -> Fault? {
        faults.isEmpty ? nil : faults[Int(seed % UInt64(faults.count))]
    }
}

/// One thing to do in a phase.
public struct Step: Hashable, Sendable {
    public let id: String
    public let title: String
    /// Paragraphs, separated by empty lines; the screen wraps them.
    public let text: String
    /// Names of starter files that this step works with.
    public let files: [String]
    public let commands: [Command]
    /// Something to copy into a file, shown as it stands.
    public let snippet: String?
    public let questions: [LabQuestion]

    public init(
        id: String, title: String, text: String, files: [String] = [], commands: [Command] = [],
        snippet: String? = nil, questions: [LabQuestion] = []
    ) {
        self.questions = questions
        self.id = id
        self.title = title
        self.text = text
        self.files = files
        self.commands = commands
        self.snippet = snippet
    }
}

/// A command as the course prints it; it may have several lines.
public struct Command: Hashable, Sendable {
    public let run: String
    /// What it is for.
    public let note: String?
    /// What to look for in its answer.
    public let expect: String?
    /// Texts that its output must hold when the course is verified.
    public let prints: [String]
    /// How it ends.
    public let ending: Ending
    /// A program that it takes besides kubectl and curl; where that is missing the command is not verified.
    public let needs: String?
    /// A starter file as it should be by now, after the learner has edited it; nil when nothing has to be edited.
    public let edited: LabFile?

    /// How a command ends.
    public enum Ending: Hashable, Sendable {
        case success
        /// With an error, as the lesson wants it.
        case failure
        /// Not by itself: with Ctrl-C.
        case interrupt
    }

    public init(
        run: String, note: String? = nil, expect: String? = nil, prints: [String] = [], ending: Ending = .success,
        needs: String? = nil, edited: LabFile? = nil
    ) {
        self.run = run
        self.note = note
        self.expect = expect
        self.prints = prints
        self.ending = ending
        self.needs = needs
        self.edited = edited
    }
}

/// One way in which a drill breaks the cluster, and the way back.
public struct Fault: Hashable, Sendable {
    /// Never renamed: records name it.
    public let id: String
    public let title: String
    public let breaking: [Operation]
    public let mending: [Operation]
    /// How the fault must show.
    public let fails: Mutant.Expectation

    public init(
        id: String, title: String, breaking: [Operation], mending: [Operation], fails: Mutant.Expectation
    ) {
        self.id = id
        self.title = title
        self.breaking = breaking
        self.mending = mending
        self.fails = fails
    }
}

/// What is judged at the end of a phase.
public struct Checkpoint: Hashable, Sendable {
    public let title: String
    public let checks: [Check]

    public init(title: String, checks: [Check]) {
        self.title = title
        self.checks = checks
    }

    public func check(_ id: CheckID) -> Check? { checks.first { $0.id == id } }

    /// What all checks together are worth.
    public var points: Int { checks.reduce(0) { $0 + $1.points } }
}
