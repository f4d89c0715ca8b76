import CourseModel
import Foundation
import KubeModel
import Progress
import Testing

@Suite("Submissions and grades", .timeLimit(.minutes(5)))
struct SubmissionTests {
    private static func makeFile(_ folder: String, learner: String = "Ana", runs: Int = 1) throws -> String {
        let store = try ProgressStore(path: "\(folder)/\(learner).sqlite")
        let id = try store.currentLearner(orNew: learner).id
        for number in 0..<runs {
            try store.record(
                .sample(.passed, number == 0 ? failure : .passed, at: Int64(1000 * number)), learner: id, cluster: "c")
        }
        var deployment = KubeObject(.deployments, namespace: "shop", name: "web")
        deployment.value["spec"] = ["replicas": 3]
        let text = try store.submission(of: id, lab: "week01", manifests: [deployment]).fileText()
        store.close()
        return text
    }

    @Test("a submission comes back as it was handed in")
    func roundTrip() throws {
        let folder = try ScratchFolder()
        let text = try Self.makeFile(folder.path, runs: 2)
        let submission = try Submission(parsing: text)
        #expect(submission.learner.name == "Ana")
        #expect(submission.attempts.count == 2)
        #expect(submission.manifests.first?[["spec", "replicas"]]?.int == 3)
        #expect(submission.attempts[0].checkpoint.results[0].evidence.first?.what == "Pod web-1 is ready")
    }

    @Test(
        "a file that was edited by hand is refused",
        arguments: [
            ("\"failed\"", "\"passed\""), ("\"Ana\"", "\"Bob\""), ("\"replicas\": 3", "\"replicas\": 4"),
            ("\"seed\": 0", "\"seed\": 1"), ("\"content\": {", "\"content\": {\n    \"extra\": 1,"),
        ])
    func edited(old: String, new: String) throws {
        let folder = try ScratchFolder()
        let text = try Self.makeFile(folder.path)
        #expect(text.contains(old))
        let error = #expect(throws: ProgressError.self) { try Submission(parsing: text.replacing(old, with: new)) }
        #expect(
            error?.description == """
                This submission was changed after it was written.
                hint: Ask the learner to hand in again with 'velocity submit'.
                """)
    }

    @Test("white space may change: it says nothing")
    func reformatted() throws {
        let folder = try ScratchFolder()
        let text = try Self.makeFile(folder.path)
        _ = try Submission(parsing: try JSONValue(parsing: text).text)
    }

    @Test(
        "what is no submission is refused",
        arguments: ["", "{}", "[1]", "{\"format\":\"velocitylab-submission\",\"version\":1}"])
    func foreign(text: String) {
        let error = #expect(throws: ProgressError.self) { try Submission(parsing: text) }
        #expect(error?.message == "This file is not a submission of VelocityLab.")
    }

    @Test("a submission of a later format is refused with the way on")
    func later() throws {
        let folder = try ScratchFolder()
        let text = try Self.makeFile(folder.path).replacing("\"version\": 1,", with: "\"version\": 2,")
        let error = #expect(throws: ProgressError.self) { try Submission(parsing: text) }
        #expect(error?.message == "This submission has version 2, and this program reads version 1.")
        #expect(error?.hint == "Update VelocityLab.")
    }

    @Test("importing twice changes nothing; a later submission adds what is new")
    func importing() throws {
        let folder = try ScratchFolder()
        let book = try Gradebook(path: folder.path + "/grades.sqlite")
        let first = try Self.makeFile(folder.path, runs: 1)
        guard case .added(let learner, let lab, 1) = try book.importSubmission(first) else {
            return #expect(Bool(false), "not added")
        }
        #expect((learner.id, lab) == ("ana", "week01"))
        #expect(try book.importSubmission(first) == .known(learner, lab))
        let second = try Self.makeFile(folder.path, runs: 2)
        guard case .added(_, _, 2) = try book.importSubmission(second) else { return #expect(Bool(false), "not added") }
        let row = try #require(try book.report().rows.first)
        #expect(row.phases.first?.attempts == 3)
        #expect(row.passed == 2)
    }

    @Test("a second learner with the same id is refused")
    func sameID() throws {
        let one = try ScratchFolder()
        let two = try ScratchFolder()
        let book = try Gradebook(path: one.path + "/grades.sqlite")
        try book.importSubmission(try Self.makeFile(one.path))
        let other = try Self.makeFile(two.path)
        let error = #expect(throws: ProgressError.self) { try book.importSubmission(other) }
        #expect(error?.message == "Another learner uses the id 'ana' already: 'Ana'.")
        #expect(try book.report().rows.first?.phases.first?.attempts == 1)
    }

    @Test("the report has a row for each learner and a column for each check; the CSV is safe")
    func report() throws {
        let folder = try ScratchFolder()
        let book = try Gradebook(path: folder.path + "/grades.sqlite")
        try book.importSubmission(try Self.makeFile(folder.path, learner: "Filip"))
        try book.importSubmission(try Self.makeFile(folder.path, learner: "Ana, =1+1 \"x\"", runs: 2))
        let report = try book.report()
        #expect(report.columns.map(\.description) == ["week01/phase1/ready", "week01/phase1/heals"])
        #expect(report.rows.map(\.learner.id) == ["ana-11-x", "filip"])
        #expect(report.rows.map { $0.standing(report.columns[1])?.best } == [.passed, .failed])
        #expect(
            report.csv == """
                learner,name,lab,phase,check,title,outcome,attempts,first_passed,hints_shown,points,points_max,done_for_them,seed\r
                ana-11-x,"Ana, =1+1 ""x""\",week01,phase1,ready,it is ready,passed,2,1970-01-01T00:00:00.500Z,0,1,1,no,0\r
                ana-11-x,"Ana, =1+1 ""x""\",week01,phase1,heals,it heals,passed,2,1970-01-01T00:00:01.500Z,0,1,1,no,0\r
                filip,Filip,week01,phase1,ready,it is ready,passed,1,1970-01-01T00:00:00.500Z,0,1,1,no,0\r
                filip,Filip,week01,phase1,heals,it heals,failed,1,,0,0,1,no,0\r

                """)
    }

    @Test("a name that a spreadsheet would run gets an apostrophe")
    func injection() throws {
        let folder = try ScratchFolder()
        let book = try Gradebook(path: folder.path + "/grades.sqlite")
        let store = try ProgressStore(path: folder.database)
        let learner = try store.addLearner(name: "=HYPERLINK(\"http://x\")", id: "eve").id
        try store.record(.sample(.passed, .passed), learner: learner, cluster: "c")
        try book.importSubmission(try store.submission(of: learner, lab: "week01", manifests: []).fileText())
        #expect(try book.report().csv.contains("eve,\"'=HYPERLINK(\"\"http://x\"\")\",week01"))
    }

    @Test("there is nothing to hand in before the first check")
    func nothing() throws {
        let folder = try ScratchFolder()
        let store = try ProgressStore(path: folder.database)
        let learner = try store.currentLearner(orNew: "Ana").id
        let error = #expect(throws: ProgressError.self) {
            try store.submission(of: learner, lab: "week01", manifests: [])
        }
        #expect(error?.message == "There is nothing to hand in for 'week01' yet.")
    }
}
