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
    public let labs: [LabID]

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
        scenes: [SceneID], labs: [LabID]
    ) {
        self.id = id
        self.number = number
        self.title = title
        self.subtitle = subtitle
        self.summary = summary
        self.crisis = crisis
        self.goals = goals
        self.scenes = scenes
        self.labs = labs
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

    public init(weeks: [Week], scenes: [Scene], characters: [StoryCharacter], labs: [Lab]) {
        self.weeks = weeks
        self.scenes = scenes
        self.characters = characters
        self.labs = labs
    }

    public func week(_ id: WeekID) -> Week? { weeks.first { $0.id == id } }
    public func scene(_ id: SceneID) -> Scene? { scenes.first { $0.id == id } }
    public func lab(_ id: LabID) -> Lab? { labs.first { $0.id == id } }
    public func character(_ id: CharacterID) -> StoryCharacter? { characters.first { $0.id == id } }
}
