/// A scene with a way back: the player's steps are kept, so that a learner can look at earlier ones again.
///
/// The rules are Ren'Py's `fix_rollback`: going back is always allowed, and a diagnosis that was given stands. Where a
/// choice is a matter of taste, going back lets the learner choose anew, and what came after it is forgotten.
public struct ScenePlayback: Sendable {
    /// Which version of a scene plays.
    public enum Cut: Hashable, Sendable {
        /// The script, with the learner's own facts and their own answers.
        case play
        /// What an earlier play showed, word for word.
        case asItHappened
        /// The script with stand-ins instead of facts, and the author's answers; nothing of it is recorded.
        case authorsCut
    }

    /// What became of an answer.
    public enum Choosing: Hashable, Sendable {
        case chosen
        /// It was answered before, and that answer stands.
        case standing(LineID)
        case notOffered
    }

    private struct Step: Sendable {
        var player: ScenePlayer
        var beat: ScenePlayer.Beat
    }

    public let cut: Cut
    private var steps: [Step]
    private var index = 0

    public init(_ player: ScenePlayer, cut: Cut = .play) {
        var player = player
        self.cut = cut
        let beat = player.next()
        steps = [Step(player: player, beat: beat)]
    }

    public var scene: Scene { steps[index].player.scene }
    public var beat: ScenePlayer.Beat { steps[index].beat }
    /// What has been shown up to here.
    public var backlog: [ScenePlayer.ShownLine] { steps[index].player.backlog }
    /// Whether the learner looks at an earlier moment of the scene.
    public var isLookingBack: Bool { index + 1 < steps.count }

    /// The answer that stands where the learner is looking back at a diagnosis; nil when they may choose.
    public var standingAnswer: LineID? {
        guard case .choose = beat, isLookingBack else { return nil }
        let isJudged = steps[index].player.offered.contains { $0.answer != nil }
        return isJudged ? answerGiven : nil
    }

    private var answerGiven: LineID? {
        let made = steps[index].player.choicesMade.count
        return steps.dropFirst(index + 1).first { $0.player.choicesMade.count > made }?.player.choicesMade[made]
    }

    /// Goes on by one step; where the learner has to choose or a gate is closed, it stays.
    public mutating func forward() {
        if isLookingBack {
            index += 1
            return
        }
        var player = steps[index].player
        switch steps[index].beat {
        case .choose, .gate, .finished: return
        case .line, .wait: break
        }
        let beat = player.next()
        append(player, beat)
    }

    /// Goes back to the moment before; false at the beginning.
    @discardableResult
    public mutating func back() -> Bool {
        var earlier = index - 1
        while earlier >= 0, case .wait = steps[earlier].beat { earlier -= 1 }
        guard earlier >= 0 else { return false }
        index = earlier
        return true
    }

    public mutating func choose(_ id: LineID) -> Choosing {
        if let standing = standingAnswer { return .standing(standing) }
        var player = steps[index].player
        guard player.choose(id) else { return .notOffered }
        if isLookingBack, answerGiven == id {
            index += 1
            return .chosen
        }
        steps.removeSubrange((index + 1)...)
        let beat = player.next()
        append(player, beat)
        return .chosen
    }

    /// The check that the scene waits for has passed.
    public mutating func openGate() {
        guard case .gate = beat, !isLookingBack else { return }
        var player = steps[index].player
        player.openGate()
        let beat = player.next()
        append(player, beat)
    }

    /// Runs ahead to where the learner is needed, or to the first line that is not among `seen`; nil passes over all.
    ///
    /// False when nothing could be passed over.
    @discardableResult
    public mutating func skip(seen: Set<LineID>? = nil) -> Bool {
        let start = index
        while true {
            let before = index
            forward()
            guard index > before else { break }
            if case .line(let line) = beat, let seen, !seen.contains(line.id) { break }
            switch beat {
            case .choose where !isLookingBack: return true
            case .gate where !isLookingBack, .finished: return true
            default: continue
            }
        }
        return index > start + 1
    }

    /// The record of all that was shown, however far the learner looks back now.
    public func record(started: Moment, finished: Moment?) -> ScenePlay {
        let player = steps[steps.count - 1].player
        return ScenePlay(
            scene: player.scene.id, started: started, finished: finished, lines: player.backlog.map(\.id),
            choices: player.choicesMade, transcript: player.backlog, fingerprint: player.scene.fingerprint)
    }

    private mutating func append(_ player: ScenePlayer, _ beat: ScenePlayer.Beat) {
        steps.append(Step(player: player, beat: beat))
        index = steps.count - 1
    }
}

extension ScenePlayback {
    /// Starts a scene in one of its versions, with what is recorded about the learner.
    ///
    /// As it happened: nil when no play of it was recorded with its text.
    public init?(_ scene: Scene, cut: Cut, content: CourseContent, record: StoryRecord) {
        let scenes = Dictionary(content.scenes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        switch cut {
        case .play:
            self.init(
                ScenePlayer(
                    scene: scene, scenes: scenes, variables: SceneVariable.filled(record.facts),
                    passed: record.passed), cut: cut)
        case .asItHappened:
            guard let play = record.lastTranscript(of: scene.id) else { return nil }
            self.init(ScenePlayer(scene: scene, tape: play.transcript), cut: cut)
        case .authorsCut:
            self.init(
                ScenePlayer(
                    scene: scene, scenes: scenes, variables: SceneVariable.filled([:]),
                    passed: Set(content.allPaths), choosesBest: true), cut: cut)
        }
    }
}
