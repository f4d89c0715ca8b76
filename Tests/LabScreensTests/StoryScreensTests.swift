import CourseModel
import LabScreens
import ScreenKit
import Testing

@Suite("Story screens") struct StoryScreensTests {
    private static func line(_ id: String, _ text: String, _ speaker: CharacterID? = nil) -> SceneLine {
        SceneLine(id: LineID(rawValue: id), speaker: speaker, text: SceneText(text))
    }

    private static let debrief = Scene(
        id: "debrief", week: "week06", title: "The Debrief", setting: "Later.", cast: ["ana"],
        after: Fixtures.phase,
        items: [
            .line(
                SceneLine(
                    id: "p", speaker: "ana",
                    text: SceneText(pieces: [.variable("pod"), .text(" is back.")]))),
            .choices([
                SceneChoice(
                    line: line("q", "It was replaced."), answer: .good, items: [.line(line("r", "Right.", "ana"))]),
                SceneChoice(line: line("s", "It was mended."), answer: .wrong, items: [.line(line("t", "No.", "ana"))]),
            ]),
            .gate(LabPath(lab: "week06", phase: "phase2", check: "self-healing")), .line(line("u", "The end.", "ana")),
        ])

    private static let content: CourseContent = {
        let small = Fixtures.content
        let week = Week(
            id: "week06", number: 6, title: "Orchestration", subtitle: "Zoo", summary: "",
            crisis: small.weeks[0].crisis, goals: [], scenes: ["crisis", "debrief"], pages: ["goals", "retro"],
            labs: ["week06"])
        let goals = ReadingPage(
            id: "goals", week: "week06", title: "Goals", blocks: [.heading("Three things"), .bullet("Deploy.")])
        let retro = ReadingPage(
            id: "retro", week: "week06", title: "Retrospective", isAfterLabs: true,
            blocks: [.question(PageQuestion(id: "why", text: "What surprised you?", reply: "That it was quiet."))])
        return CourseContent(
            weeks: [week], scenes: small.scenes + [debrief], characters: small.characters, labs: small.labs,
            pages: [goals, retro],
            map: CourseMap(stops: (1...7).map { CourseMap.Stop(number: $0, title: $0 == 7 ? "Snowflakes" : nil) }))
    }()

    private static let passed = StoryRecord(
        facts: ["pod": .text("gateway-6d4-aaaaa")], passed: [Fixtures.phase])

    private func app(
        _ start: App.Start = .home, _ record: StoryRecord = StoryRecord(), columns: Int = 80, rows: Int = 24
    ) -> App {
        App(content: Self.content, size: Size(columns: columns, rows: rows), start: start, record: record)
    }

    @Test("the home screen leads through the week, and says what opens a scene that is closed")
    func home() {
        var app = app()
        let lines = app.text.split(separator: "\n").map(String.init)
        #expect(
            lines[1...6].map {
                $0.split(separator: " ", omittingEmptySubsequences: true).prefix(2).joined(separator: " ")
            }
                == ["Week 6:", "▸ scene", "read Goals", "lab Deployments", "scene The", "read Retrospective"])
        #expect(lines[5].hasSuffix("after phase2"))
        app.press(.down, .down, .down, .enter)
        #expect(app.text.contains("This scene opens when week06/phase2 has passed."))
    }

    @Test("on a wide screen the home screen says what the marked entry is about")
    func wide() {
        var app = app(columns: 140, rows: 40)
        app.press(.down)
        #expect(app.text.contains("┌─ Goals ") && app.text.contains("· Three things"))
    }

    @Test("a page shows its text; Space leads to the next page, Esc back home")
    func reading() {
        var app = app(.page("goals"))
        #expect(app.text.contains("Three things") && app.text.contains("• Deploy."))
        app.press(.character(" "))
        #expect(app.text.contains("1. What surprised you?"))
        app.press(.character("p"))
        #expect(app.text.contains("Three things"))
        app.press(.escape)
        #expect(app.text.hasPrefix("VelocityLab  home"))
    }

    @Test("an answer is typed, question marks included, kept, and then answered by the team")
    func answering() {
        var app = app(.page("retro"))
        #expect(!app.text.contains("That it was quiet."))
        app.press(.character("1"), .character("I"), .character("s"), .character("?"))
        #expect(app.text.contains("Is?_") && !app.text.contains("Keys here"))
        #expect(app.press(.enter).contains(.keepAnswer("why", "Is?")))
        let answer = KeptAnswer(question: "why", text: "Is?", written: Moment(milliseconds: 0))
        _ = app.update(.story(StoryRecord(answers: ["why": answer])))
        #expect(app.text.contains("   Is?") && app.text.contains("The team: That it was quiet."))
        app.press(.character("1"), .backspace, .escape)
        #expect(app.text.contains("   Is?"), "Esc leaves it as it was")
    }

    @Test("a page whose end was in view counts as read, once; home and map say so")
    func pagesRead() {
        var app = app(.page("goals"))
        #expect(app.press(.escape) == [.recordPage("goals")])
        _ = app.update(.story(StoryRecord(pagesRead: ["goals"])))
        #expect(app.text.split(separator: "\n").contains { $0.contains("read   Goals") && $0.hasSuffix("✓ read") })
        app.press(.character("m"))
        #expect(app.text.contains("0 of 1 phases, 1 of 2 pages read"))
        var again = self.app(.page("goals"), StoryRecord(pagesRead: ["goals"]))
        #expect(again.press(.escape).isEmpty)
        var small = self.app(.page("goals"), rows: 3)
        #expect(small.press(.escape).isEmpty, "what was never in view was not read")
    }

    @Test("the map tells what exists from what is to come")
    func map() {
        var app = app()
        app.press(.character("m"))
        let text = app.text
        #expect(text.contains(" 1 ○ to come"))
        #expect(text.contains(" 6 ● Orchestration: Zoo") && text.contains("0 of 1 phases"))
        #expect(text.contains(" 7 ○ Snowflakes") && text.contains("to come"))
    }

    @Test("the gallery shows a scene again as it happened, with the names of that day")
    func gallery() {
        var playing = app(.scene("debrief", then: nil), Self.passed)
        playing.settle()
        #expect(playing.text.contains("gateway-6d4-aaaaa is back."))
        playing.press(.character("S"), .enter)
        playing.press(.character("S"))
        #expect(playing.text.contains("The story goes on when week06/phase2/self-healing has passed."))
        guard case .recordScene(var play, false)? = playing.press(.escape).first else {
            return #expect(Bool(false), "leaving a scene was not recorded")
        }
        play.finished = play.started
        var record = StoryRecord(facts: ["pod": .text("another")], passed: [Fixtures.phase], plays: [play])
        var again = app(.home, record)
        again.press(.character("g"), .down)
        #expect(again.text.contains("seen once, 50% of its lines"))
        again.press(.character("y"))
        again.settle()
        #expect(again.text.contains("As it happened to you on 1970-01-01.\n"))
        #expect(again.text.contains("gateway-6d4-aaaaa is back."))
        again.press(.escape, .character("w"))
        again.settle()
        #expect(again.text.contains("The author's cut"))
        #expect(again.text.contains("payment-gateway-deployment-6d4cf56db6-x7k2p"))
        record.plays = []
        again = app(.home, record)
        again.press(.character("g"), .down, .character("y"))
        #expect(again.text.contains("You have not seen this scene yet"))
    }

    @Test("a scene that changed since it was recorded says so")
    func changed() {
        let play = ScenePlay(
            scene: "crisis", started: Moment(milliseconds: 0), finished: Moment(milliseconds: 1), lines: ["a"],
            choices: [], transcript: [.init(id: "a", speaker: nil, mood: nil, text: "As it was.")], fingerprint: "0")
        var app = app(.scene("crisis", then: nil, cut: .asItHappened), StoryRecord(plays: [play]))
        app.settle()
        #expect(app.text.contains("The script has changed since") && app.text.contains("As it was."))
    }

    @Test("a closed gate opens when the check passes while the scene waits")
    func gate() {
        var app = app(.scene("debrief", then: nil), Self.passed)
        app.press(.character("S"), .enter, .character("S"))
        var record = Self.passed
        record.passed.insert(LabPath(lab: "week06", phase: "phase2", check: "self-healing"))
        _ = app.update(.story(record))
        app.settle()
        #expect(app.text.contains("The end."))
    }

    @Test("looking back shows the diagnosis that was given, and it stands")
    func lookBack() {
        var app = app(.scene("debrief", then: nil), Self.passed)
        app.press(.character("S"), .down, .enter)
        app.press(.left)
        #expect(app.text.contains("looking back") && app.text.contains("✓ It was mended."))
        app.press(.enter)
        #expect(app.text.contains("This answer was given and stands") && app.text.contains("No"))
    }

    @Test("what was seen is skipped up to the first new line")
    func skipSeen() {
        let play = ScenePlay(
            scene: "crisis", started: Moment(milliseconds: 0), finished: nil, lines: ["a", "b"], choices: [])
        var fresh = app(.scene("crisis", then: nil))
        fresh.press(.character("s"))
        #expect(fresh.text.contains("From here on it is new to you"))
        var known = app(.scene("crisis", then: nil), StoryRecord(plays: [play]))
        known.press(.character("s"))
        #expect(known.text.contains("▸ Ask the cluster."))
    }

    @Test("auto goes on by itself and stops at a question; the back-log can be searched")
    func autoAndSearch() {
        var app = app(.scene("crisis", then: nil))
        app.press(.character("a"))
        #expect(app.text.contains(" auto "))
        app.settle()
        #expect(app.text.contains("▸ Ask the cluster."))
        app.press(.character("b"), .character("/"), .character("3"), .character("0"), .enter)
        #expect(app.text.contains("Port 3001") && !app.text.contains("Tuesday"))
        app.press(.escape)
        #expect(app.text.contains("Tuesday"))
    }

    @Test("after a checkpoint has passed, the scene that it opens is one key away")
    func afterCheckpoint() {
        var app = app(.phase(Fixtures.phase))
        app.press(.character("c"))
        let moment = Moment(milliseconds: 0)
        let results = [Fixtures.result(Fixtures.check, .passed), Fixtures.result(Fixtures.healing, .passed)]
        _ = app.update(
            .checkpointFinished(
                CheckpointResult(lab: "week06", phase: "phase2", results: results, started: moment, finished: moment)))
        #expect(!app.text.contains("the story goes on"))
        _ = app.update(.story(Self.passed))
        #expect(app.text.contains("d the story goes on"))
        app.press(.character("d"))
        #expect(app.text.hasPrefix("VelocityLab  The Debrief"))
    }

    @Test(
        "pages, map and gallery can be drawn at any size",
        arguments: [(80, 24), (40, 12), (200, 60), (20, 5), (1, 1), (0, 0), (120, 3)])
    func sizes(columns: Int, rows: Int) {
        for keys: [Key] in [[.character("m")], [.character("g")], [.down, .enter], [.end, .enter, .character("1")]] {
            var app = app(columns: columns, rows: rows)
            for key in keys { app.press(key) }
            #expect(app.render().size == Size(columns: columns, rows: rows))
            app.press(.down, .pageDown, .up)
            #expect(app.render().size == Size(columns: columns, rows: rows))
        }
    }
}
