/// A scene that was played, as it was shown.
public struct ScenePlay: Hashable, Sendable, Codable {
    public var scene: SceneID
    public var started: Moment
    /// Nil: left before its end.
    public var finished: Moment?
    /// The lines shown, in order.
    public var lines: [LineID]
    /// The answers chosen, in order.
    public var choices: [LineID]
    /// What stood on the screen, with the learner's own names and times in it; empty in old records.
    public var transcript: [ScenePlayer.ShownLine]
    /// The ``Scene/fingerprint`` of the script at that time; empty in old records.
    public var fingerprint: String

    public init(
        scene: SceneID, started: Moment, finished: Moment?, lines: [LineID], choices: [LineID],
        transcript: [ScenePlayer.ShownLine] = [], fingerprint: String = ""
    ) {
        self.scene = scene
        self.started = started
        self.finished = finished
        self.lines = lines
        self.choices = choices
        self.transcript = transcript
        self.fingerprint = fingerprint
    }
}
