import Checkers
import CourseModel
import LabScreens
import ScreenKit
import Testing

@Suite("Screens") struct AppTests {
    @Test("the home screen lists weeks, scenes and phases with progress, and opens what is chosen")
    func home() {
        var app = Fixtures.app(rows: 12)
        _ = app.update(.progress(["week06/phase2": PhaseProgress(passed: 1, total: 2)]))
        #expect(
            app.text.split(separator: "\n") == [
                "VelocityLab  home",
                " Week 6: Orchestration",
                "   scene  The Stampede",
                " ▸ lab    Deployments and Scaling                                        1 of 2",
                "↑↓ choose  Enter open  m map  g gallery  v cluster  q quit  ? help",
            ])
        app.press(.enter)
        #expect(app.text.contains("Deployments and Scaling  step 1 of 2"))
    }

    @Test("the home screen marks the first phase that is not done, until somebody has chosen another entry")
    func mark() {
        var app = Fixtures.app(rows: 12)
        #expect(app.text.contains("▸ scene  The Stampede"), "a story begins at its beginning")
        let seen = ScenePlay(
            scene: "crisis", started: Moment(milliseconds: 1), finished: Moment(milliseconds: 2), lines: [], choices: []
        )
        _ = app.update(.story(StoryRecord(plays: [seen])))
        #expect(app.text.contains("▸ lab    Deployments"))
        app.press(.up)
        _ = app.update(.progress(["week06/phase2": PhaseProgress(passed: 1, total: 2)]))
        #expect(app.text.contains("▸ scene  The Stampede"))
    }

    @Test("starting a phase over asks first; while the lab is prepared nothing is checked")
    func begin() {
        var app = Fixtures.app(.phase(Fixtures.phase))
        #expect(app.press(.character("b")).isEmpty)
        #expect(app.text.contains("This deletes the namespace 'velocitytech'"))
        #expect(app.press(.character("n"), .character("b")).isEmpty, "another key means no")
        #expect(app.press(.character("b")) == [.beginPhase("week06", "phase2")])
        _ = app.update(.preparing("Waiting until everything is well ..."))
        #expect(app.text.contains("Waiting until everything is well ..."))
        #expect(app.press(.character("c")).isEmpty)
        #expect(app.text.contains("The lab is being prepared; wait until that is done."))
        _ = app.update(.prepared("It can begin."))
        #expect(app.text.contains("It can begin."))
        #expect(app.press(.character("c")) == [.runCheckpoint("week06", "phase2")])
    }

    @Test("a drill says whether it has begun, since when, and how long it took")
    func drill() {
        var app = Fixtures.drillApp
        _ = app.update(.cluster(Fixtures.cluster))
        #expect(app.text.contains("It has not begun: b makes the lab new"))
        app.press(.character("b"))
        #expect(app.text.contains("breaks something, and starts the clock"))
        var cluster = Fixtures.cluster
        cluster.drill = DrillStage(phase: "drill", fault: "f", seed: 7, started: Moment(milliseconds: 3_723_000))
        _ = app.update(.cluster(cluster))
        #expect(app.text.contains("It began at 01:02:03 (UTC)"))
        cluster.drill = DrillStage(
            phase: "drill", fault: "f", seed: 7, started: Moment(milliseconds: 0), mended: Moment(milliseconds: 31_000))
        _ = app.update(.cluster(cluster))
        #expect(app.text.contains("✓ Mended after 31 s."))
        #expect(!app.text.contains("seed"), "the fault stays the learner's to find")
    }

    @Test("a question of a step is answered on the screen, which says whether it is right")
    func question() {
        var app = Fixtures.drillApp
        #expect(app.text.contains("1. Who makes a new pod?") && app.text.contains("not answered yet"))
        app.press(.character("1"), .character("M"), .character("e"))
        #expect(app.text.contains("Me_"))
        #expect(app.press(.enter) == [.keepAnswer("who", "Me")])
        func told(_ text: String) -> String {
            let answer = KeptAnswer(question: "who", text: text, written: Moment(milliseconds: 0))
            _ = app.update(.story(StoryRecord(answers: ["who": answer])))
            return app.text
        }
        #expect(told("Me").contains("✗ Think again."))
        #expect(told(" nobody. ").contains("✓ That is right."))
    }

    @Test("a scene appears letter by letter; a key completes the line, the next one goes on")
    func scene() {
        var app = Fixtures.app(.scene("crisis", then: nil))
        #expect(!app.text.contains("Tuesday"))
        for _ in 0..<7 { _ = app.update(.tick) }
        #expect(app.text.contains("  Tuesday") && !app.text.contains("Tuesday,"))
        app.press(.character(" "))
        #expect(app.text.contains("Tuesday, half past eleven."))
        #expect(app.tick == nil)
        app.press(.character(" "))
        app.settle()
        #expect(app.text.contains("FILIP  worried\n") && app.text.contains("Port 3001, or 3002?"))
    }

    @Test("skipping stops where the learner is needed, and the answer is recorded at the end")
    func skipAndChoose() {
        var app = Fixtures.app(.scene("crisis", then: Fixtures.phase))
        app.press(.character("S"))
        #expect(app.text.contains("▸ Ask the cluster."))
        #expect(app.press(.character("s")).isEmpty)
        #expect(app.text.contains("cannot be skipped"))
        app.press(.down, .enter)
        app.press(.character("S"))
        #expect(app.text.contains("Press Enter to go on."))
        guard case .recordScene(let play, true)? = app.press(.enter).first else {
            return #expect(Bool(false), "the scene was not recorded")
        }
        #expect(play.scene == "crisis" && play.choices == ["d"] && play.lines == ["a", "b", "d", "e"])
        #expect(app.text.contains("step 1 of 2"), "the lab waits below the scene")
    }

    @Test("the back-log holds what was said, and closing it goes on where the scene was")
    func backlog() {
        var app = Fixtures.app(.scene("crisis", then: nil))
        app.press(.character("S"), .character("b"))
        #expect(app.text.contains("back-log") && app.text.contains("Tuesday, half past eleven."))
        app.press(.escape)
        #expect(app.text.contains("▸ Ask the cluster."))
    }

    @Test("the lab shows the step with its commands, and one key opens the terminal or runs the check")
    func lab() {
        var app = Fixtures.app(.phase(Fixtures.phase))
        _ = app.update(.cluster(Fixtures.cluster))
        #expect(app.text.contains("  $ kubectl apply -f payment-gateway-deployment.yaml"))
        #expect(app.text.contains("velocity ✓ Ready"))
        #expect(app.text.contains("CrashLoopBackOff  2 restarts"))
        #expect(app.press(.character("t")) == [.openShell("week06")])
        app.press(.character("n"))
        #expect(app.text.contains("Ask for five."))
        #expect(app.press(.character("n")).isEmpty)
        #expect(app.text.contains("last step"))
        #expect(app.press(.character("c")) == [.runCheckpoint("week06", "phase2")])
    }

    @Test("a check shows what it waits for, then its verdict with what proves it")
    func checkpoint() {
        var app = Fixtures.app(.phase(Fixtures.phase))
        app.press(.character("c"))
        _ = app.update(.checkWaits("three-ready", "waiting for 3 ready pods: 2 now"))
        #expect(app.text.contains("▸ three replicas are ready\n       waiting for 3 ready pods: 2 now"))
        let failure = Failure(
            expected: "3 ready pods", found: "2 ready pods", hint: "spec.replicas is 2.", cause: .replicas)
        let results = [
            Fixtures.result(Fixtures.check, .failed(failure)),
            Fixtures.result(Fixtures.healing, .skipped(because: "three-ready has not passed")),
        ]
        let moment = Moment(milliseconds: 0)
        _ = app.update(
            .checkpointFinished(
                CheckpointResult(lab: "week06", phase: "phase2", results: results, started: moment, finished: moment)))
        let text = app.text
        for line in [
            "✗ three replicas are ready  2.5 s", "expected 3 ready pods", "found    2 ready pods",
            "hint     spec.replicas is 2.", "seen     00:00:01.500  pod gateway-6d4-aaaaa deleted",
            "- a deleted pod is replaced: skipped", "✗ Not yet.",
        ] {
            #expect(text.contains(line), "\(line) in\n\(text)")
        }
        #expect(app.press(.character("c")) == [.runCheckpoint("week06", "phase2")])
    }

    @Test("leaving a running check stops it, and says that nothing was recorded")
    func stopCheck() {
        var app = Fixtures.app(.phase(Fixtures.phase))
        app.press(.character("c"))
        #expect(app.press(.escape) == [.cancelCheckpoint])
        #expect(app.text.contains("nothing is recorded"))
    }

    @Test("a cluster that stopped is said, and r starts it again")
    func stoppedCluster() {
        var app = Fixtures.app(.phase(Fixtures.phase))
        _ = app.update(.cluster(ClusterView(state: .stopped("The cluster has stopped."))))
        #expect(app.text.contains("✗ The cluster has stopped. Press r to start it again."))
        #expect(app.press(.character("r")) == [.startCluster])
        #expect(app.text.contains("starting ..."))
    }

    @Test("Ctrl-C quits from everywhere, help included")
    func quit() {
        var app = Fixtures.app(.phase(Fixtures.phase))
        app.press(.character("?"))
        #expect(app.text.contains("Keys here"))
        #expect(app.press(.control("c")) == [.cancelCheckpoint, .quit])
    }

    @Test(
        "every screen can be drawn at any size",
        arguments: [(80, 24), (40, 12), (200, 60), (20, 5), (1, 1), (0, 0), (120, 3)])
    func sizes(columns: Int, rows: Int) {
        for start in [App.Start.home, .scene("crisis", then: nil), .phase(Fixtures.phase)] {
            var app = Fixtures.app(start, columns: columns, rows: rows)
            _ = app.update(.cluster(Fixtures.cluster))
            _ = app.update(.notice("One line for the person at the screen."))
            #expect(app.render().size == Size(columns: columns, rows: rows))
            app.press(.character("c"))
            #expect(app.render().size == Size(columns: columns, rows: rows))
            app.press(.character("?"))
            #expect(app.render().size == Size(columns: columns, rows: rows))
        }
    }

    @Test("at 40x12 the lab still shows its step and the keys")
    func small() {
        let text = Fixtures.app(.phase(Fixtures.phase), columns: 40, rows: 12).text
        #expect(text.contains("Run three replicas.") && text.contains("t terminal"))
    }
}
