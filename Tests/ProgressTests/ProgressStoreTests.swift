import CourseModel
import Foundation
import GRDB
import Progress
import Testing

/// A folder that goes when the test does.
struct ScratchFolder: ~Copyable {
    let path = FileManager.default.temporaryDirectory.path + "/velocity-progress-" + UUID().uuidString
    var database: String { path + "/progress.sqlite" }

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension CheckpointResult {
    /// A run with the outcomes of `ready` and `heals`.
    static func sample(_ ready: Verdict, _ heals: Verdict, at milliseconds: Int64 = 1000) -> CheckpointResult {
        let moments = (Moment(milliseconds: milliseconds), Moment(milliseconds: milliseconds + 500))
        let evidence = [Evidence(at: moments.0, what: "Pod web-1 is ready", object: "pods/shop/web-1", uid: "u1")]
        return CheckpointResult(
            lab: "week01", phase: "phase1",
            results: [
                CheckResult(
                    check: "ready", title: "it is ready", verdict: ready, evidence: evidence, measured: ["ready-3": 12],
                    started: moments.0, finished: moments.1),
                CheckResult(
                    check: "heals", title: "it heals", verdict: heals, started: moments.0, finished: moments.1),
            ], started: moments.0, finished: moments.1)
    }
}

let failure = Verdict.failed(Failure(expected: "3", found: "2", hint: "Look at spec.replicas", cause: .replicas))

@Suite("Progress store", .timeLimit(.minutes(5)))
struct ProgressStoreTests {
    @Test("an attempt comes back as it was recorded, after a restart")
    func roundTrip() throws {
        let folder = try ScratchFolder()
        var result = CheckpointResult.sample(failure, .skipped(because: "it needs: it is ready"))
        result.seed = 7
        do {
            let store = try ProgressStore(path: folder.database)
            let learner = try store.addLearner(name: "Ana Marić")
            #expect(learner.id == "ana-mari")
            try store.record(result, learner: learner.id, cluster: "velocity")
            store.close()
        }
        let store = try ProgressStore(path: folder.database)
        let attempt = try #require(try store.attempts(of: "ana-mari").first)
        #expect(attempt.checkpoint == result)
        #expect((attempt.cluster, attempt.seed) == ("velocity", 7))
        #expect(try store.currentLearner()?.name == "Ana Marić")
        #expect(try store.firstAlteredAttempt(of: "ana-mari") == nil)
    }

    @Test("a phase is passed once each of its checks was, be it in several runs")
    func standing() throws {
        let folder = try ScratchFolder()
        let store = try ProgressStore(path: folder.database)
        let learner = try store.currentLearner(orNew: "Ana")
        try store.record(.sample(.passed, failure, at: 1000), learner: learner.id, cluster: "c")
        try store.record(
            HintShown(
                lab: "week01", phase: "phase1", check: "heals", level: 1, text: "Look", shown: Moment(milliseconds: 1)),
            learner: learner.id)
        var standing = try #require(try store.standing(of: learner.id).first)
        #expect(standing.passed == nil)
        #expect(standing.checks.map(\.best) == [.passed, .failed])
        #expect(standing.checks.map(\.hintsShown) == [0, 1])
        var single = CheckpointResult.sample(.passed, .passed, at: 5000)
        single.results.removeFirst()
        try store.record(single, learner: learner.id, cluster: "c")
        standing = try #require(try store.standing(of: learner.id).first)
        #expect(standing.passed == Moment(milliseconds: 5500))
        #expect(standing.checks[1].firstPassed == Moment(milliseconds: 5500))
        // A later failure does not take away what was passed.
        try store.record(.sample(failure, failure, at: 9000), learner: learner.id, cluster: "c")
        standing = try #require(try store.standing(of: learner.id).first)
        #expect(standing.checks.map(\.best) == [.passed, .passed])
        #expect(standing.checks.map(\.latest) == [.failed, .failed])
        #expect(standing.passed == Moment(milliseconds: 5500))
    }

    @Test("a check earns its points; what was done for the learner before it passed earns none, also later")
    func points() throws {
        let folder = try ScratchFolder()
        let store = try ProgressStore(path: folder.database)
        let learner = try store.currentLearner(orNew: "Ana").id
        var first = CheckpointResult.sample(.passed, failure, at: 1000)
        first.results[0].points = 5
        first.results[1].points = 3
        try store.record(first, learner: learner, cluster: "c")
        for check in ["ready", "heals"] as [CheckID] {
            try store.record(
                HintShown(
                    lab: "week01", phase: "phase1", check: check, level: HintShown.doneLevel,
                    text: "It was done for you.",
                    shown: Moment(milliseconds: 2000)), learner: learner)
        }
        var second = CheckpointResult.sample(.passed, .passed, at: 3000)
        second.results[0].points = 5
        second.results[1].points = 3
        try store.record(second, learner: learner, cluster: "c")
        let standing = try #require(try store.standing(of: learner).first)
        #expect(standing.checks.map(\.best) == [.passed, .passed])
        #expect(standing.checks.map(\.points) == [5, 3])
        #expect(standing.checks.map(\.isDoneForThem) == [false, true])
        #expect(standing.checks.map(\.earned) == [5, 0])
        #expect(standing.earned == 5)
    }

    @Test("one check that passes alone does not pass its phase")
    func partial() throws {
        let folder = try ScratchFolder()
        let store = try ProgressStore(path: folder.database)
        let learner = try store.currentLearner(orNew: "Ana")
        var single = CheckpointResult.sample(.passed, .passed)
        single.results.removeLast()
        try store.record(single, learner: learner.id, cluster: "c")
        #expect(try store.standing(of: learner.id).first?.passed == nil)
    }

    @Test("scene plays keep lines and answers; the last place is remembered")
    func scenes() throws {
        let folder = try ScratchFolder()
        let store = try ProgressStore(path: folder.database)
        let learner = try store.currentLearner(orNew: "Ana").id
        let play = ScenePlay(
            scene: "one", started: Moment(milliseconds: 1), finished: nil, lines: ["a1", "a2"], choices: ["a3"])
        try store.record(play, learner: learner)
        #expect(try store.plays(of: learner) == [play])
        #expect(try store.plays(of: learner, scene: "two") == [])
        #expect(try store.place(of: learner) == nil)
        try store.open("week01", "phase1", learner: learner)
        try store.open("week01", "phase2", learner: learner)
        #expect(try store.place(of: learner)?.phase == "phase2")
    }

    @Test("a scene hears the learner's name, the number of attempts and the latest recovery time")
    func sceneVariables() throws {
        let folder = try ScratchFolder()
        let store = try ProgressStore(path: folder.database)
        let learner = try store.currentLearner(orNew: "Ana")
        #expect(try store.sceneVariables(for: learner) == ["learner": .text("Ana"), "attempts": .number(0)])
        var result = CheckpointResult.sample(.passed, .passed)
        result.results[1].measured = ["recovery": 2345]
        result.results[1].evidence = [
            Evidence(at: Moment(milliseconds: 1), what: "Pod web-2 has replaced web-1 after 2.3 s")
        ]
        try store.record(result, learner: learner.id, cluster: "c")
        #expect(
            try store.sceneVariables(for: learner) == [
                "learner": .text("Ana"), "attempts": .number(1), "recovery_seconds": .number(2.3),
                "pod": .text("web-1"), "new_pod": .text("web-2"),
            ])
    }

    @Test("learners are told apart, and wrong ids are refused with a way on")
    func learners() throws {
        let folder = try ScratchFolder()
        let store = try ProgressStore(path: folder.database)
        try store.addLearner(name: "Ana")
        try store.addLearner(name: "Filip Horvat")
        #expect(try store.currentLearner()?.id == "filip-horvat")
        try store.useLearner("ana")
        #expect(try store.currentLearner()?.id == "ana")
        #expect(throws: ProgressError.learnerExists("ana")) { try store.addLearner(name: "Ana") }
        #expect(throws: ProgressError.badLearnerID("123")) { try store.addLearner(name: "123") }
        let error = #expect(throws: ProgressError.self) { try store.useLearner("luka") }
        #expect(error?.description == "There is no learner 'luka'.\nhint: The learners are: ana, filip-horvat.")
    }

    @Test("what was recorded is never changed: the database itself refuses it", arguments: ["attempt", "verdict"])
    func appendOnly(table: String) throws {
        let folder = try ScratchFolder()
        let store = try ProgressStore(path: folder.database)
        let learner = try store.currentLearner(orNew: "Ana").id
        try store.record(.sample(.passed, .passed), learner: learner, cluster: "c")
        let queue = try DatabaseQueue(path: folder.database)
        #expect(throws: DatabaseError.self) { try queue.write { try $0.execute(sql: "DELETE FROM \(table)") } }
        #expect(throws: DatabaseError.self) {
            try queue.write { try $0.execute(sql: "UPDATE \(table) SET outcome = 'failed'") }
        }
    }

    @Test("a row that was changed behind our back breaks the chain from there on")
    func tampering() throws {
        let folder = try ScratchFolder()
        let store = try ProgressStore(path: folder.database)
        let learner = try store.currentLearner(orNew: "Ana").id
        try store.record(.sample(.passed, .passed), learner: learner, cluster: "c")
        let altered = try store.record(.sample(failure, .passed), learner: learner, cluster: "c")
        try store.record(.sample(.passed, .passed), learner: learner, cluster: "c")
        let queue = try DatabaseQueue(path: folder.database)
        try queue.write { db in
            try db.execute(sql: "DROP TRIGGER verdictNoUpdate")
            try db.execute(
                sql: "UPDATE verdict SET result = replace(result, '\"failed\"', '\"passed\"') WHERE attempt = ?",
                arguments: [altered.id])
        }
        #expect(try store.firstAlteredAttempt(of: learner) == altered.id)
        #expect(throws: ProgressError.self) { try store.submission(of: learner, lab: "week01", manifests: []) }
    }
}
