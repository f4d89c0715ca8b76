/// A week of the course: what is read and replayed, and which labs belong to it.
public struct Week: Hashable, Sendable {
    public let id: WeekID
    public let number: Int
    public let title: String
    public let subtitle: String
    public let summary: String
    public let crisis: Crisis
    public let goals: [String]
    /// In the order of the story; the first one opens the week.
    public let scenes: [SceneID]
    /// What there is to read, in order.
    public let pages: [PageID]
    public let labs: [LabID]
    public let metrics: [WeekMetric]

    /// What goes wrong at the start of the week.
    public struct Crisis: Hashable, Sendable {
        public let title: String
        public let text: String
        public let scene: SceneID

        public init(title: String, text: String, scene: SceneID) {
            self.title = title
            self.text = text
            self.scene = scene
        }
    }

    public init(
        id: WeekID, number: Int, title: String, subtitle: String, summary: String, crisis: Crisis, goals: [String],
        scenes: [SceneID], pages: [PageID] = [], labs: [LabID], metrics: [WeekMetric] = []
    ) {
        self.id = id
        self.number = number
        self.title = title
        self.subtitle = subtitle
        self.summary = summary
        self.crisis = crisis
        self.goals = goals
        self.scenes = scenes
        self.pages = pages
        self.labs = labs
        self.metrics = metrics
    }
}

/// Everything that authors wrote, as it was loaded.
///
/// It never changes while the program runs.
public struct CourseContent: Hashable, Sendable {
    public let weeks: [Week]
    public let scenes: [Scene]
    public let characters: [StoryCharacter]
    public let labs: [Lab]
    public let pages: [ReadingPage]
    public let map: CourseMap

    public init(
        weeks: [Week], scenes: [Scene], characters: [StoryCharacter], labs: [Lab], pages: [ReadingPage] = [],
        map: CourseMap = CourseMap()
    ) {
        self.weeks = weeks
        self.scenes = scenes
        self.pages = pages
        self.map = map
        self.characters = characters
        self.labs = labs
    }

    public func week(_ id: WeekID) -> Week? { weeks.first { $0.id == id } }
    public func scene(_ id: SceneID) -> Scene? { scenes.first { $0.id == id } }
    public func page(_ id: PageID) -> ReadingPage? { pages.first { $0.id == id } }
    public func lab(_ id: LabID) -> Lab? { labs.first { $0.id == id } }
    public func character(_ id: CharacterID) -> StoryCharacter? { characters.first { $0.id == id } }

    /// Every phase and every check of every lab.
    public var allPaths: [LabPath] {
        labs.flatMap { lab in
            lab.phases.flatMap { phase in
                [LabPath(lab: lab.id, phase: phase.id)]
                    + phase.checkpoint.checks.map { LabPath(lab: lab.id, phase: phase.id, check: $0.id) }
            }
        }
    }
}

/// A thing of a week, as the learner meets it.
public enum WeekStep: Hashable, Sendable {
    case scene(SceneID)
    case page(PageID)
    case phase(LabPath)
}

extension CourseContent {
    /// The way through a week: the opening, what to read first, then each phase with the scenes that it opens, and
    /// what to read afterwards.
    public func steps(of week: Week) -> [WeekStep] {
        let scenes = week.scenes.compactMap(scene)
        let pages = week.pages.compactMap(page)
        var steps: [WeekStep] = scenes.prefix(1).map { .scene($0.id) }
        steps += pages.filter { !$0.isAfterLabs }.map { .page($0.id) }
        steps += scenes.dropFirst().filter { $0.after == nil }.map { .scene($0.id) }
        for lab in week.labs.compactMap(lab) {
            for phase in lab.phases {
                steps.append(.phase(LabPath(lab: lab.id, phase: phase.id)))
                steps += scenes.dropFirst().filter { $0.after?.lab == lab.id && $0.after?.phase == phase.id }
                    .map { .scene($0.id) }
            }
        }
        return steps + pages.filter(\.isAfterLabs).map { .page($0.id) }
    }

    /// Every scene that a week lists, as the learner meets them.
    public var orderedScenes: [Scene] {
        weeks.flatMap { week in
            steps(of: week).compactMap { if case .scene(let id) = $0 { scene(id) } else { nil } }
        }
    }
}
