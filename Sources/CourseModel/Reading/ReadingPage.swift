/// A page to read: what a week explains, beside its story and its labs.
public struct ReadingPage: Hashable, Sendable {
    public let id: PageID
    public let week: WeekID
    public let title: String
    /// Whether it is meant to be read after the labs of its week.
    public let isAfterLabs: Bool
    public let blocks: [PageBlock]

    public init(id: PageID, week: WeekID, title: String, isAfterLabs: Bool = false, blocks: [PageBlock]) {
        self.id = id
        self.week = week
        self.title = title
        self.isAfterLabs = isAfterLabs
        self.blocks = blocks
    }

    public var questions: [PageQuestion] {
        blocks.compactMap { if case .question(let question) = $0 { question } else { nil } }
    }
}

/// One part of a page, from top to bottom.
public enum PageBlock: Hashable, Sendable {
    case heading(String)
    case paragraph(String)
    case bullet(String)
    /// Drawn for a terminal: shown line by line as it is, 76 columns at most.
    case figure([String])
    case command(String)
    case quote(speaker: CharacterID, text: String)
    case question(PageQuestion)
    /// The metrics of the week, with what was measured in the learner's own cluster.
    case metrics
}

/// A question that has no wrong answer; what the learner writes is kept.
public struct PageQuestion: Hashable, Sendable {
    public let id: QuestionID
    public let text: String
    /// What the team says, shown once the learner has answered.
    public let reply: String

    public init(id: QuestionID, text: String, reply: String) {
        self.id = id
        self.text = text
        self.reply = reply
    }
}
