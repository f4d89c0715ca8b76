/// Plays a scene, one beat at a time, as a value: the terminal UI and the plain mode both drive one of these.
///
/// Call ``next()`` until it answers `.finished`. After `.choose`, call ``choose(_:)`` before going on; after `.gate`,
/// call ``openGate()`` when the check has passed. ``skip()`` runs ahead to the next point where the learner is
/// needed. Nothing here waits or prints: a `.wait` is a wish, and the caller decides how long it lasts.
public struct ScenePlayer: Sendable {
    /// What happens next.
    public enum Beat: Hashable, Sendable {
        case line(ShownLine)
        case wait(Duration)
        case choose([ShownLine])
        case gate(LabPath)
        case finished
    }

    /// A line as it was shown: with the values that its variables had.
    public struct ShownLine: Hashable, Sendable, Codable {
        public let id: LineID
        public let speaker: CharacterID?
        public let mood: String?
        public let text: String
        /// True for an answer that the learner chose.
        public let isChoice: Bool

        public init(id: LineID, speaker: CharacterID?, mood: String?, text: String, isChoice: Bool = false) {
            self.id = id
            self.speaker = speaker
            self.mood = mood
            self.text = text
            self.isChoice = isChoice
        }
    }

    private struct Frame: Sendable {
        let items: [SceneItem]
        /// The first frame of a scene: where `<<stop>>` and the end of a detour come back to.
        var isScene = false
        var index = 0
    }

    /// Detours within detours, at most; the linter refuses circles.
    private static let depthMax = 8

    public let scene: Scene
    public private(set) var variables: [String: SceneValue]
    /// What has been shown, oldest first, chosen answers included.
    public private(set) var backlog: [ShownLine] = []
    /// The answers chosen, in order.
    public private(set) var choicesMade: [LineID] = []
    public private(set) var isFinished = false
    /// The answers on offer; empty unless the learner has to choose.
    public private(set) var offered: [SceneChoice] = []
    /// Set while the scene waits for a check.
    public private(set) var closedGate: LabPath?

    private let scenes: [SceneID: Scene]
    private let passed: Set<LabPath>
    private let choosesBest: Bool
    private var frames: [Frame]
    private var remembered: [LineID]
    /// What a recorded play showed, still to come; nil when the script itself plays.
    private var tape: ArraySlice<ShownLine>?

    /// Starts at the beginning of a scene.
    ///
    /// - Parameters:
    ///   - scenes: Where detours lead; one that is not among them is passed over.
    ///   - variables: What the program knows about the learner's own cluster, by name without `$`.
    ///   - passed: Checkpoints that have passed: their gates stand open.
    ///   - choices: Answers of an earlier play: they are chosen again as long as they are on offer. An answer that the
    ///     script no longer offers ends that, and the learner chooses.
    ///   - choosesBest: Answers every question itself, as the author would: with the first good answer.
    public init(
        scene: Scene, scenes: [SceneID: Scene] = [:], variables: [String: SceneValue] = [:],
        passed: Set<LabPath> = [], replaying choices: [LineID] = [], choosesBest: Bool = false
    ) {
        self.scene = scene
        self.scenes = scenes
        self.variables = variables
        self.passed = passed
        self.choosesBest = choosesBest
        frames = [Frame(items: scene.items, isScene: true)]
        remembered = choices
    }

    /// Plays what an earlier play showed, word for word, whatever the script says today.
    public init(scene: Scene, tape: [ShownLine]) {
        self.init(scene: scene)
        self.tape = tape[...]
    }

    /// Goes on by one beat.
    ///
    /// Where the learner has to choose, or a gate is closed, it says so again and does not move.
    public mutating func next() -> Beat {
        if tape != nil {
            guard let line = tape?.popFirst() else { return finish() }
            backlog.append(line)
            return .line(line)
        }
        if let closedGate { return .gate(closedGate) }
        if !offered.isEmpty { return .choose(offered.map { shown($0.line, isChoice: true) }) }
        while var frame = frames.last {
            guard frame.index < frame.items.count else {
                frames.removeLast()
                continue
            }
            let item = frame.items[frame.index]
            frame.index += 1
            frames[frames.count - 1] = frame
            if let beat = perform(item) { return beat }
        }
        return finish()
    }

    private mutating func finish() -> Beat {
        isFinished = true
        return .finished
    }

    /// Chooses an answer; false when it is not on offer.
    @discardableResult
    public mutating func choose(_ id: LineID) -> Bool {
        guard let choice = offered.first(where: { $0.line.id == id }) else { return false }
        offered = []
        choicesMade.append(id)
        backlog.append(shown(choice.line, isChoice: true))
        frames.append(Frame(items: choice.items))
        return true
    }

    /// The check that the scene waited for has passed.
    public mutating func openGate() { closedGate = nil }

    /// Runs ahead: returns the lines that were passed over, and the beat at which the learner is needed again.
    public mutating func skip() -> (passed: [ShownLine], stop: Beat) {
        var passed: [ShownLine] = []
        while true {
            switch next() {
            case .line(let line): passed.append(line)
            case .wait: continue
            case let beat: return (passed, beat)
            }
        }
    }

    private mutating func perform(_ item: SceneItem) -> Beat? {
        switch item {
        case .line(let line):
            let shown = shown(line, isChoice: false)
            backlog.append(shown)
            return .line(shown)
        case .wait(let duration): return .wait(duration)
        case .set(let variable, let value):
            variables[variable] = value
            return nil
        case .detour(let id):
            if let scene = scenes[id], frames.filter(\.isScene).count < Self.depthMax {
                frames.append(Frame(items: scene.items, isScene: true))
            }
            return nil
        case .stop:
            while let frame = frames.popLast(), !frame.isScene {}
            return nil
        case .gate(let path):
            if passed.contains(path) { return nil }
            closedGate = path
            return .gate(path)
        case .branches(let branches):
            let taken = branches.first { $0.condition?.holds(in: variables) ?? true }
            if let taken { frames.append(Frame(items: taken.items)) }
            return nil
        case .choices(let choices): return offer(choices)
        }
    }

    private mutating func offer(_ choices: [SceneChoice]) -> Beat? {
        offered = choices.filter { $0.condition?.holds(in: variables) ?? true }
        if offered.isEmpty { return nil }
        if let first = remembered.first {
            remembered.removeFirst()
            if choose(first) { return backlog.last.map(Beat.line) }
            remembered = []
        }
        if choosesBest, let best = offered.first(where: { $0.answer == .good }) ?? offered.first {
            choose(best.line.id)
            return backlog.last.map(Beat.line)
        }
        return .choose(offered.map { shown($0.line, isChoice: true) })
    }

    private func shown(_ line: SceneLine, isChoice: Bool) -> ShownLine {
        ShownLine(
            id: line.id, speaker: line.speaker, mood: line.mood, text: line.text.filled(with: variables),
            isChoice: isChoice)
    }
}
