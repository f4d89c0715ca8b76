/// A piece of the story: what is said, by whom and how, and what the learner may answer.
///
/// Content cannot run code: its only hooks are conditions over variables that the program offers, and gates.
public struct Scene: Hashable, Sendable {
    public let id: SceneID
    public let week: WeekID
    public let title: String
    public let setting: String
    /// Who takes part; every speaker of the scene is one of them.
    public let cast: [CharacterID]
    /// Opens when this checkpoint has passed; nil: from the beginning.
    public let after: LabPath?
    public let items: [SceneItem]

    public init(
        id: SceneID, week: WeekID, title: String, setting: String, cast: [CharacterID], after: LabPath? = nil,
        items: [SceneItem]
    ) {
        self.id = id
        self.after = after
        self.week = week
        self.title = title
        self.setting = setting
        self.cast = cast
        self.items = items
    }

    /// Every line and every choice, in the order of the script, branches included.
    public var allLines: [SceneLine] { Self.lines(of: items) }

    private static func lines(of items: [SceneItem]) -> [SceneLine] {
        items.flatMap { item -> [SceneLine] in
            switch item {
            case .line(let line): [line]
            case .choices(let choices): choices.flatMap { [$0.line] + lines(of: $0.items) }
            case .branches(let branches): branches.flatMap { lines(of: $0.items) }
            case .wait, .set, .gate, .detour, .stop: []
            }
        }
    }

    /// Sixteen hexadecimal digits that change when a line, a choice or their order does.
    ///
    /// A play records it: a replay can say that the script has changed since.
    public var fingerprint: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for line in allLines {
            for byte in "\(line.id)\u{1}\(line.speaker?.rawValue ?? "")\u{1}\(line.text.source)\u{2}".utf8 {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
            }
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// One thing that happens in a scene.
public indirect enum SceneItem: Hashable, Sendable {
    case line(SceneLine)
    /// A pause for effect; `--speed` divides it.
    case wait(Duration)
    case choices([SceneChoice])
    /// `<<if>> … <<elseif>> … <<else>> … <<endif>>`: the first branch whose condition holds.
    case branches([SceneBranch])
    case set(variable: String, value: SceneValue)
    /// The scene goes on when this check has passed.
    case gate(LabPath)
    /// Plays another scene and comes back.
    case detour(SceneID)
    /// Ends the scene here; a detour comes back.
    case stop
}

/// Something said or told.
public struct SceneLine: Hashable, Sendable {
    public let id: LineID
    /// Nil: narration.
    public let speaker: CharacterID?
    public let text: SceneText
    public let mood: String?

    public init(id: LineID, speaker: CharacterID? = nil, text: SceneText, mood: String? = nil) {
        self.id = id
        self.speaker = speaker
        self.text = text
        self.mood = mood
    }
}

/// How an author judges a diagnosis.
///
/// A judged answer stays as it was given, also when the learner looks back.
public enum SceneAnswer: String, Hashable, Sendable, CaseIterable {
    case good, partly, wrong
}

/// One answer that the learner can choose, and what follows from it.
public struct SceneChoice: Hashable, Sendable {
    /// The choice itself; its speaker is nil.
    public let line: SceneLine
    /// How the author judges it, from `#answer:`; nil when it is a matter of taste.
    public let answer: SceneAnswer?
    /// Nil: always offered.
    public let condition: SceneCondition?
    public let items: [SceneItem]

    public init(line: SceneLine, answer: SceneAnswer? = nil, condition: SceneCondition? = nil, items: [SceneItem] = [])
    {
        self.line = line
        self.answer = answer
        self.condition = condition
        self.items = items
    }
}

/// One branch of a condition; without a condition it is the `else`.
public struct SceneBranch: Hashable, Sendable {
    public let condition: SceneCondition?
    public let items: [SceneItem]

    public init(condition: SceneCondition?, items: [SceneItem]) {
        self.condition = condition
        self.items = items
    }
}

/// Text with places for variables: `{$pod} came back`.
public struct SceneText: Hashable, Sendable {
    public enum Piece: Hashable, Sendable {
        case text(String)
        /// The name without its `$`.
        case variable(String)
    }

    public let pieces: [Piece]

    public init(pieces: [Piece]) { self.pieces = pieces }

    public init(_ text: String) { pieces = [.text(text)] }

    /// The text with the values filled in; a variable without a value shows as its name.
    public func filled(with variables: [String: SceneValue]) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .variable(let name): variables[name]?.description ?? "$\(name)"
            }
        }.joined()
    }

    /// As it stands in the script.
    public var source: String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .variable(let name): "{$\(name)}"
            }
        }.joined()
    }

    /// The names of the variables in it.
    public var variables: [String] {
        pieces.compactMap { if case .variable(let name) = $0 { name } else { nil } }
    }
}
