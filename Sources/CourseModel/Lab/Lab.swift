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

    public init(
        id: PhaseID, title: String, minutes: Int, objective: String, preparation: [Command] = [], steps: [Step],
        checkpoint: Checkpoint
    ) {
        self.id = id
        self.title = title
        self.minutes = minutes
        self.objective = objective
        self.preparation = preparation
        self.steps = steps
        self.checkpoint = checkpoint
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

    public init(
        id: String, title: String, text: String, files: [String] = [], commands: [Command] = [], snippet: String? = nil
    ) {
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

    public init(run: String, note: String? = nil, expect: String? = nil) {
        self.run = run
        self.note = note
        self.expect = expect
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
}
