import CourseModel
import Testing

@Suite("Scene player", .timeLimit(.minutes(1)))
struct ScenePlayerTests {
    private static func line(_ id: String, _ text: String, speaker: CharacterID? = nil) -> SceneLine {
        SceneLine(id: LineID(rawValue: id), speaker: speaker, text: SceneText(text))
    }

    private static let good = SceneChoice(
        line: line("c1", "Somebody watches"), answer: "good",
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
}
