import CourseModel
import Testing

@Suite("Scene player", .timeLimit(.minutes(5)))
struct ScenePlayerTests {
    private static func line(_ id: String, _ text: String, speaker: CharacterID? = nil) -> SceneLine {
        SceneLine(id: LineID(rawValue: id), speaker: speaker, text: SceneText(text))
    }

    private static let good = SceneChoice(
        line: line("c1", "Somebody watches"), answer: .good,
        items: [.set(variable: "right", value: .bool(true)), .line(line("l2", "Yes", speaker: "marko"))])
    private static let bad = SceneChoice(line: line("c2", "A bigger server"), items: [.line(line("l3", "No"))])

    private static let scene = Scene(
        id: "s1", week: "week06", title: "Test", setting: "", cast: ["marko"],
        items: [
            .line(line("l1", "It begins")), .wait(.seconds(1)), .choices([good, bad]),
            .branches([
                SceneBranch(
                    condition: SceneCondition(parsing: "$right == true"), items: [.line(line("l4", "Well chosen"))]),
                SceneBranch(condition: nil, items: [.line(line("l5", "Think again"))]),
            ]),
            .gate(LabPath(lab: "week06", phase: "phase2")), .line(line("l6", "The end")),
        ])

    @Test("it goes from beat to beat, and does not move where the learner has to choose")
    func beats() {
        var player = ScenePlayer(scene: Self.scene)
        guard case .line(let first) = player.next() else { return #expect(Bool(false), "no line at the start") }
        #expect(first.text == "It begins")
        let pause = player.next()
        #expect(pause == .wait(.seconds(1)))
        guard case .choose(let offered) = player.next() else { return #expect(Bool(false), "no choice") }
        #expect(offered.map(\.id) == ["c1", "c2"])
        let again = player.next()
        #expect(again == .choose(offered))
        let (unknown, known) = (player.choose("c9"), player.choose("c1"))
        #expect(!unknown && known)
        #expect(player.variables["right"] == nil)
    }

    @Test("an answer decides what follows, and stays in the back-log")
    func choice() {
        var player = ScenePlayer(scene: Self.scene)
        _ = player.skip()
        player.choose("c2")
        let (passed, stop) = player.skip()
        #expect(passed.map(\.id) == ["l3", "l5"])
        #expect(stop == .gate(LabPath(lab: "week06", phase: "phase2")))
        #expect(player.backlog.map(\.id) == ["l1", "c2", "l3", "l5"])
        #expect(player.backlog.map(\.isChoice) == [false, true, false, false])
    }

    @Test("a gate stays closed until the check has passed")
    func gate() {
        var player = ScenePlayer(scene: Self.scene)
        _ = player.skip()
        player.choose("c1")
        _ = player.skip()
        let closed = player.next()
        #expect(closed == .gate(LabPath(lab: "week06", phase: "phase2")))
        player.openGate()
        let (passed, stop) = player.skip()
        #expect(passed.map(\.id) == ["l6"])
        #expect(stop == .finished)
        #expect(player.isFinished)
    }

    @Test("a replay chooses again what was chosen then, as long as it is offered")
    func replay() {
        var player = ScenePlayer(scene: Self.scene, replaying: ["c1"])
        let (passed, _) = player.skip()
        #expect(passed.map(\.id) == ["l1", "c1", "l2", "l4"])
        var changed = ScenePlayer(scene: Self.scene, replaying: ["gone"])
        guard case .choose = changed.skip().stop else { return #expect(Bool(false), "it did not ask") }
    }

    @Test("variables of the learner's own cluster stand in the text")
    func variables() {
        let text = SceneText(pieces: [.variable("pod"), .text(" came back in "), .variable("seconds"), .text(" s")])
        #expect(text.filled(with: ["pod": .text("web-1"), "seconds": .number(2.5)]) == "web-1 came back in 2.5 s")
        #expect(text.filled(with: [:]) == "$pod came back in $seconds s")
    }

    @Test(
        "conditions compare one variable with one value",
        arguments: [
            ("$n > 2", true), ("$n >= 3", true), ("$n < 3", false), ("$n == 3", true), ("$n != 3", false),
            ("$name == \"ana\"", true), ("$seen", true), ("not $seen", false), ("$never", false), ("$never == 0", true),
        ])
    func conditions(text: String, holds: Bool) throws {
        let condition = try #require(SceneCondition(parsing: text))
        #expect(condition.holds(in: ["n": .number(3), "name": .text("ana"), "seen": .bool(true)]) == holds)
    }

    @Test("what is no condition is refused", arguments: ["n > 2", "$n >", "$n ~ 2", "$n == bare", "", "not"])
    func noConditions(text: String) { #expect(SceneCondition(parsing: text) == nil) }

    @Test("a detour plays another scene and comes back; stop ends the scene that it stands in")
    func detour() {
        let aside = Scene(
            id: "aside", week: "week06", title: "Aside", setting: "", cast: [],
            items: [.line(Self.line("d1", "Aside")), .stop, .line(Self.line("d2", "Never"))])
        let main = Scene(
            id: "main", week: "week06", title: "Main", setting: "", cast: [],
            items: [
                .line(Self.line("m1", "Before")), .detour("aside"), .line(Self.line("m2", "After")), .stop,
                .line(Self.line("m3", "Never")),
            ])
        var player = ScenePlayer(scene: main, scenes: ["aside": aside])
        let (passed, stop) = player.skip()
        #expect(passed.map(\.id) == ["m1", "d1", "m2"])
        #expect(stop == .finished)
    }

    @Test("the gate of a checkpoint that has passed stands open, and the author's cut takes the good answer")
    func openGate() {
        let gate = LabPath(lab: "week06", phase: "phase2")
        var player = ScenePlayer(scene: Self.scene, passed: [gate], choosesBest: true)
        let (passed, stop) = player.skip()
        #expect(passed.map(\.id) == ["l1", "c1", "l2", "l4", "l6"])
        #expect(stop == .finished)
    }

    @Test("a tape is shown word for word, whatever the script says today")
    func tape() {
        let line = ScenePlayer.ShownLine(id: "old", speaker: nil, mood: nil, text: "As it was")
        var player = ScenePlayer(scene: Self.scene, tape: [line])
        let beats = [player.next(), player.next()]
        #expect(beats == [.line(line), .finished])
        #expect(player.isFinished)
    }
}

@Suite("Scene playback", .timeLimit(.minutes(5)))
struct ScenePlaybackTests {
    private static func line(_ id: String) -> SceneLine { SceneLine(id: LineID(rawValue: id), text: SceneText(id)) }

    private static func scene(_ answer: SceneAnswer?) -> Scene {
        Scene(
            id: "s", week: "week06", title: "S", setting: "", cast: [],
            items: [
                .line(line("a")), .wait(.seconds(1)), .line(line("b")),
                .choices([
                    SceneChoice(line: line("c1"), answer: answer, items: [.line(line("d1"))]),
                    SceneChoice(line: line("c2"), items: [.line(line("d2"))]),
                ]),
                .line(line("e")),
            ])
    }

    private static func shown(_ playback: ScenePlayback) -> String? {
        if case .line(let line) = playback.beat { line.id.rawValue } else { nil }
    }

    @Test("going back passes over pauses, shows what was on the screen then, and goes on through the same lines")
    func back() {
        var playback = ScenePlayback(ScenePlayer(scene: Self.scene(nil)))
        playback.forward()
        playback.forward()
        #expect(Self.shown(playback) == "b")
        let moved = playback.back()
        #expect(moved && playback.isLookingBack && Self.shown(playback) == "a")
        #expect(playback.backlog.map(\.id) == ["a"])
        let further = playback.back()
        #expect(!further)
        playback.forward()
        playback.forward()
        #expect(Self.shown(playback) == "b" && !playback.isLookingBack)
    }

    @Test("a diagnosis that was given stands, also when the learner looks back at it")
    func standing() {
        var playback = ScenePlayback(ScenePlayer(scene: Self.scene(.good)))
        playback.skip()
        let first = playback.choose("c1")
        #expect(first == .chosen && Self.shown(playback) == "d1")
        playback.back()
        #expect(playback.standingAnswer == "c1")
        let second = playback.choose("c2")
        #expect(second == .standing("c1"))
        playback.forward()
        #expect(Self.shown(playback) == "d1")
    }

    @Test("a choice of taste may be made anew, and what came after it is forgotten")
    func anew() {
        var playback = ScenePlayback(ScenePlayer(scene: Self.scene(nil)))
        playback.skip()
        _ = playback.choose("c1")
        playback.forward()
        playback.back()
        playback.back()
        let again = playback.choose("c2")
        #expect(again == .chosen && Self.shown(playback) == "d2" && !playback.isLookingBack)
        let record = playback.record(started: Moment(milliseconds: 1), finished: nil)
        #expect(record.choices == ["c2"] && record.lines == ["a", "b", "c2", "d2"])
        #expect(record.transcript.map(\.text) == ["a", "b", "c2", "d2"])
        #expect(record.fingerprint == Self.scene(nil).fingerprint)
    }

    @Test("skipping what was seen stops at the first new line; skipping all stops where the learner is needed")
    func skip() {
        var playback = ScenePlayback(ScenePlayer(scene: Self.scene(nil)))
        let passed = playback.skip(seen: ["a"])
        #expect(passed && Self.shown(playback) == "b")
        playback.skip()
        guard case .choose = playback.beat else { return #expect(Bool(false), "it did not stop at the choice") }
        _ = playback.choose("c1")
        let none = playback.skip(seen: [])
        #expect(!none && Self.shown(playback) == "e")
    }

    @Test("the fingerprint of a script changes with a line and stays with everything else")
    func fingerprint() {
        #expect(Self.scene(nil).fingerprint == Self.scene(.good).fingerprint)
        let other = Scene(id: "s", week: "week06", title: "S", setting: "", cast: [], items: [.line(Self.line("a"))])
        #expect(other.fingerprint != Self.scene(nil).fingerprint)
        #expect(other.fingerprint.count == 16)
    }
}
