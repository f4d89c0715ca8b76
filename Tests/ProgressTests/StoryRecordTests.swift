import CourseModel
import Foundation
import Progress
import Testing

@Suite("What is recorded for the story", .timeLimit(.minutes(5)))
struct StoryRecordTests {
    private static func run(
        _ verdict: Verdict, recovery: Int64, pod: String, new: String, at milliseconds: Int64
    ) -> CheckpointResult {
        let moment = Moment(milliseconds: milliseconds)
        let heals = CheckResult(
            check: "heals", title: "it heals", verdict: verdict,
            evidence: [
                Evidence(at: moment, what: "Pod \(new) is ready"),
                Evidence(at: moment, what: "Pod \(new) has replaced \(pod) after 2 s"),
            ], measured: ["recovery": recovery], started: moment, finished: moment)
        return CheckpointResult(lab: "week01", phase: "phase1", results: [heals], started: moment, finished: moment)
    }

    @Test("facts, passed checkpoints and measured times come from the learner's own attempts")
    func facts() throws {
        let folder = try ScratchFolder()
        let store = try ProgressStore(path: folder.database)
        let learner = try store.currentLearner(orNew: "Ana")
        try store.record(
            Self.run(.passed, recovery: 1240, pod: "web-a", new: "web-b", at: 1), learner: learner.id, cluster: "v")
        try store.record(
            Self.run(failure, recovery: 2960, pod: "web-c", new: "web-d", at: 2), learner: learner.id, cluster: "v")
        let record = try store.story(of: learner)
        #expect(
            record.facts == [
                "learner": .text("Ana"), "attempts": .number(2), "recovery_seconds": .number(3), "pod": .text("web-c"),
                "new_pod": .text("web-d"),
            ])
        #expect(record.measurements == ["recovery": MeasuredTime(latest: 2960, best: 1240, count: 2)])
        let phase = LabPath(lab: "week01", phase: "phase1")
        #expect(record.passed == [phase, LabPath(lab: "week01", phase: "phase1", check: "heals")])
    }

    @Test("the time that a learner took in a drill is not the cluster's recovery time")
    func mending() throws {
        let folder = try ScratchFolder()
        let store = try ProgressStore(path: folder.database)
        let learner = try store.currentLearner(orNew: "Ana")
        var drill = Self.run(.passed, recovery: 95_000, pod: "web-a", new: "web-b", at: 1)
        drill.results[0].evidence.removeLast()
        try store.record(drill, learner: learner.id, cluster: "v")
        let record = try store.story(of: learner)
        #expect(record.measurements == ["mending": MeasuredTime(latest: 95_000, best: 95_000, count: 1)])
        #expect(record.facts["mending_seconds"] == .number(95) && record.facts["recovery_seconds"] == nil)
    }

    @Test("the latest answer to a question counts, the one before it stays in the file")
    func answers() throws {
        let folder = try ScratchFolder()
        do {
            let store = try ProgressStore(path: folder.database)
            let ana = try store.currentLearner(orNew: "Ana").id
            for (text, moment) in [("First", 1), ("Second, with č and \"quotes\"", 2)] {
                let answer = KeptAnswer(question: "why", text: text, written: Moment(milliseconds: Int64(moment)))
                try store.record(answer, learner: ana)
            }
            store.close()
        }
        let store = try ProgressStore(path: folder.database)
        #expect(
            try store.answers(of: "ana") == [
                "why": KeptAnswer(
                    question: "why", text: "Second, with č and \"quotes\"", written: Moment(milliseconds: 2))
            ])
        #expect(try store.answers(of: "filip").isEmpty)
    }

    @Test("a play keeps what stood on the screen, and the one to its end is shown again")
    func transcript() throws {
        let folder = try ScratchFolder()
        let store = try ProgressStore(path: folder.database)
        let learner = try store.currentLearner(orNew: "Ana")
        func play(_ text: String, finished: Int64?) -> ScenePlay {
            ScenePlay(
                scene: "one", started: Moment(milliseconds: 1), finished: finished.map(Moment.init(milliseconds:)),
                lines: ["a"], choices: [],
                transcript: [.init(id: "a", speaker: "ana", mood: "calm", text: text)], fingerprint: "0123")
        }
        try store.record(play("web-b came back", finished: 2), learner: learner.id)
        try store.record(play("left", finished: nil), learner: learner.id)
        let record = try store.story(of: learner)
        #expect(record.lastTranscript(of: "one") == play("web-b came back", finished: 2))
        #expect(record.timesSeen("one") == 1 && record.seenLines == ["a"])
        #expect(record.lastTranscript(of: "two") == nil)
    }
}
