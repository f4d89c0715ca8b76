import Course
import CourseModel
import Foundation
import Testing

@Suite("Course linter", .timeLimit(.minutes(5)))
struct LinterTests {
    @Test("a clean course has no faults and loads")
    func clean() throws {
        let course = try ScratchCourse()
        #expect(course.lint() == [])
        let content = try CourseLoader(root: course.root).load()
        let phase = try #require(content.lab("week01")?.phase("phase1"))
        #expect(phase.checkpoint.checks.map(\.id) == ["ready", "heals"])
        #expect(
            phase.checkpoint.checks[0].steps == [
                .expect(.ready(deployment: ObjectRef(kind: "Deployment", name: "web"), count: 3), within: .seconds(30))
            ])
        #expect(content.scene("one")?.allLines.map(\.id) == ["a1", "a2", "a3", "a4"])
    }

    /// A file, what to change in it, and what the linter must say.
    struct Fault: Sendable, CustomTestStringConvertible {
        let file: String
        let old: String
        let new: String
        let says: String
        var testDescription: String { says }

        init(_ file: String, _ old: String, _ new: String, _ says: String) {
            (self.file, self.old, self.new, self.says) = (file, old, new, says)
        }
    }

    static let sceneFaults = [
        Fault(
            ScratchCourse.scene, "Ana: Hello.", "Anna: Hello.",
            """
            \(ScratchCourse.scene):8:1: error: there is nobody called 'Anna' in Content/characters.yaml
                hint: Did you mean 'ana'?
            """),
        Fault(
            ScratchCourse.scene, "Ana: Hello.", "Filip: Hello.",
            """
            \(ScratchCourse.scene):8:1: error: 'filip' speaks but is not in the cast
                hint: Add 'filip' to 'cast:'.
            """),
        Fault(
            ScratchCourse.scene, "Hello. #mood:calm #line:a2", "Hello. #mood:calm",
            """
            \(ScratchCourse.scene):8:1: error: this line has no id
                hint: Add ' #line:le48d9' at its end.
            """),
        Fault(
            ScratchCourse.scene, "#line:a4", "#line:a1",
            """
            \(ScratchCourse.scene):10:5: error: the line id 'a1' is used already, at \(ScratchCourse.scene):7:1
                hint: Change this one to '#line:l45f9a'.
            """),
        Fault(
            ScratchCourse.scene, "#mood:calm", "#mood:clam",
            """
            \(ScratchCourse.scene):8:13: error: there is no mood 'clam'
                hint: Did you mean 'calm'?
            """),
        Fault(
            ScratchCourse.scene, "It begins.", String(repeating: "It begins. ", count: 40),
            """
            \(ScratchCourse.scene):7:1: error: this text takes 7 rows of 72 columns, and 4 fit on a screen of 80x24
                hint: Split it into two lines, or say less.
            """),
        Fault(
            ScratchCourse.scene, "version: 1\n", "",
            """
            \(ScratchCourse.scene):1:1: error: the version number is missing
                hint: Write 'version: 1' as the first line.
            """),
        Fault(
            ScratchCourse.scene, "===", "<<gate week01/phase9>>\n===",
            """
            \(ScratchCourse.scene):11:8: error: there is no checkpoint 'week01/phase9'
                hint: Did you mean 'week01/phase1'?
            """),
        Fault(
            ScratchCourse.scene, "===", "<<if $nobody>>\nAna: Oh. #line:a5\n<<endif>>\n===",
            """
            \(ScratchCourse.scene):11:6: error: '$nobody' never has a value
                hint: Give it one with '<<set $nobody = …>>', or use a fact that Content/README.md lists.
            """),
        Fault(
            ScratchCourse.scene, "===", "===\nAna: Still here. #line:a5",
            """
            \(ScratchCourse.scene):12:1: error: nothing can be reached after '==='
                hint: Move it above '===', or take it out.
            """),
        Fault(
            ScratchCourse.scene, "    Ana: How", "\tAna: How",
            """
            \(ScratchCourse.scene):10:1: error: there is a tab
                hint: Indent with spaces.
            """),
        Fault(
            ScratchCourse.scene, "===", "<<wiat 1>>\n===",
            """
            \(ScratchCourse.scene):11:1: error: there is no command 'wiat' of this form
                hint: Did you mean 'wait'?
            """),
    ]

    /// Faults that need more of the language than the clean scene has: a body, and what the linter says.
    static let bodies: [(body: String, says: String)] = [
        (
            "<<if $attempts > 1>>\nAna: Again. #line:a5\n<<elseif $attempts > 1>>\nAna: Never. #line:a6\n<<endif>>",
            """
            \(ScratchCourse.scene):13:1: error: nothing below this can be reached: the same condition stands above
                hint: Change the condition, or take the branch out.
            """
        ),
        (
            "<<set $way = \"up\">>\n<<if $way == \"upp\">>\nAna: Never. #line:a5\n<<endif>>",
            """
            \(ScratchCourse.scene):12:14: error: nothing below this can be reached: no '<<set>>' makes '$way' "upp"
                hint: Did you mean 'up'?
            """
        ),
        (
            "<<stop>>\nAna: Never. #line:a5",
            """
            \(ScratchCourse.scene):12:1: error: nothing can be reached after '<<stop>>'
                hint: Move it above, or take '<<stop>>' out.
            """
        ),
        (
            "-> Because it is so #line:a5 #answer:good",
            """
            \(ScratchCourse.scene):11:1: error: this diagnosis has no consequence
                hint: Say below it, indented, why it is right or where it leads.
            """
        ),
        (
            "Ana: What now? #line:a7\n-> A bigger server #line:a5 #answer:wrong\n    Ana: No. #line:a6",
            """
            \(ScratchCourse.scene):12:1: error: none of these diagnoses is good
                hint: Mark the right one with '#answer:good'.
            """
        ),
        (
            "-> A bigger server #line:a5 #answer:godo\n    Ana: No. #line:a6",
            """
            \(ScratchCourse.scene):11:29: error: 'godo' is not a judgement
                hint: Did you mean 'good'?
            """
        ),
        (
            "<<detour one>>",
            """
            \(ScratchCourse.scene):11:10: error: this detour leads back to its own scene
                hint: A detour must come to an end: take one of the circle out.
            """
        ),
        (
            "<<detour onne>>",
            """
            \(ScratchCourse.scene):11:10: error: there is no scene 'onne'
                hint: Did you mean 'one'?
            """
        ),
        (
            "Ana: {$pod} and {$new_pod} and {$pod} and {$new_pod} and {$pod} and {$new_pod} #line:a5",
            """
            \(ScratchCourse.scene):11:1: error: this text takes 6 rows of 72 columns, and 4 fit on a screen of 80x24
                hint: Split it into two lines, or say less.
            """
        ),
    ]

    @Test("what can never be reached, judged or shown is named", arguments: bodies)
    func language(body: String, says: String) throws {
        let course = try ScratchCourse()
        try course.change(ScratchCourse.scene, "===", body + "\n===")
        #expect(course.lint() == [says])
    }

    @Test("a scene opens after a checkpoint that exists")
    func after() throws {
        let course = try ScratchCourse()
        try course.change(ScratchCourse.scene, "cast: ana", "cast: ana\nafter: week01/phase1/heals")
        #expect(course.lint() == [])
        let scene = try CourseLoader(root: course.root).load().scene("one")
        #expect(scene?.after == LabPath(lab: "week01", phase: "phase1", check: "heals"))
        try course.change(ScratchCourse.scene, "cast: ana", "cast: ana\nafter: week01/phase2")
        #expect(
            course.lint() == [
                """
                \(ScratchCourse.scene):6:1: error: there is no checkpoint 'week01/phase2'
                    hint: Did you mean 'week01/phase1'?
                """
            ])
    }

    @Test("a fault in a scene is named with its place", arguments: sceneFaults)
    func scenes(fault: Fault) throws { try expect(fault) }

    @Test("commands in containers, questions, answers and points are read")
    func execAndAnswers() throws {
        let course = try ScratchCourse()
        try course.change(
            ScratchCourse.phase,
            [
                (
                    "files: [web.yaml]",
                    "files: [web.yaml]\n    questions: [{id: w01-who, text: Who?, answers: [nobody, no one]}]"
                ), ("needs: [ready]", "needs: [ready]\n      points: 4"),
                (
                    "        - ready:",
                    """
                            - exec: {deployment: web, container: main, command: [cat, /etc/motd], exitCode: 1}
                              contains: hello
                              within: 5s
                            - answer: {question: w01-who}
                            - ready:
                    """
                ),
            ])
        #expect(course.lint() == [])
        let phase = try #require(try CourseLoader(root: course.root).load().lab("week01")?.phase("phase1"))
        let container = ContainerRef(object: ObjectRef(kind: "Deployment", name: "web"), container: "main")
        let command = CommandExpectation(command: ["cat", "/etc/motd"], exitCode: 1, contains: "hello")
        let question = LabQuestion(id: "w01-who", text: "Who?", answers: ["nobody", "no one"])
        #expect(phase.questions == [question])
        #expect(
            phase.checkpoint.checks[0].steps.prefix(2) == [
                .expect(.executed(container, command), within: .seconds(5)),
                .expect(.answered(question), within: .zero),
            ])
        #expect(phase.checkpoint.checks.map(\.points) == [1, 4])
        #expect(phase.checkpoint.points == 5)
    }

    static let labFaults = [
        Fault(
            ScratchCourse.phase, "needs: [ready]", "needs: [ready]\n      points: 101",
            """
            \(ScratchCourse.phase):25:15: error: 'points' must be a whole number from 0 to 100
            """),
        Fault(
            ScratchCourse.phase, "- ready:", "- answer: {question: w01-who}\n        - ready:",
            """
            \(ScratchCourse.phase):18:30: error: no step of this phase asks 'w01-who'
                hint: Put it under 'questions' of a step.
            """),
        Fault(
            ScratchCourse.phase, "- ready:", "- exec: {pod: web}\n        - ready:",
            """
            \(ScratchCourse.phase):18:17: error: 'exec' needs 'command'
                hint: List the program and its arguments, for example [pg_isready, -U, prod_user].
            """),
        Fault(
            ScratchCourse.phase, "files: [web.yaml]", "files: [web.yaml]\n    questions: [{id: who, text: Who?}]",
            """
            \(ScratchCourse.phase):11:17: error: a question needs 'answers'
                hint: List every answer that is right.
            """),
        Fault(
            ScratchCourse.phase, "needs: [ready]", "needs: [redy]",
            """
            \(ScratchCourse.phase):24:15: error: 'needs' names the check 'redy', which does not exist
                hint: Did you mean 'ready'?
            """),
        Fault(
            ScratchCourse.phase, "      hints:\n        - text: Look at the owner.", "",
            """
            \(ScratchCourse.phase):22:7: error: a check needs 'hints'
                hint: Say where to look, in a hint without a 'cause'.
            """),
        Fault(
            ScratchCourse.phase, "files: [web.yaml]", "files: [wep.yaml]",
            """
            \(ScratchCourse.phase):10:13: error: there is no starter file 'wep.yaml'
                hint: Did you mean 'web.yaml'?
            """),
        Fault(
            ScratchCourse.phase, "minutes: 10", "\tminutes: 10",
            """
            \(ScratchCourse.phase):4:1: error: there is a tab in the indentation
                hint: Indent with spaces: YAML allows no tabs.
            """),
        Fault(
            ScratchCourse.phase, "within: 30s", "whitin: 30s",
            """
            \(ScratchCourse.phase):19:11: error: a step of a check has no 'whitin'
                hint: Did you mean 'within'?
            """),
        Fault(
            ScratchCourse.phase, "within: 30s", "within: soon",
            """
            \(ScratchCourse.phase):19:19: error: 'soon' is not a duration
                hint: Write for example '500ms', '30s' or '2m'.
            """),
        Fault(
            ScratchCourse.phase, "kind: Pod,", "kind: Pot,",
            """
            \(ScratchCourse.phase):26:26: error: there is no kind 'Pot'
                hint: Did you mean 'Pod'?
            """),
        Fault(
            ScratchCourse.phase, "- replaced: victim", "- replaced: victom",
            """
            \(ScratchCourse.phase):28:21: error: no step before this one deletes 'victom'
                hint: Did you mean 'victim'?
            """),
        Fault(
            ScratchCourse.lab, "version: 1\n", "",
            """
            \(ScratchCourse.lab):1:1: error: the version number is missing
                hint: Write 'version: 1' as the first line.
            """),
        Fault(
            ScratchCourse.lab, "version: 1", "version: 2",
            "\(ScratchCourse.lab):1:10: error: version '2' is not known: this program reads version 1"),
        Fault(
            ScratchCourse.mutant, "check: ready", "check: redy",
            """
            \(ScratchCourse.mutant):7:16: error: the mutant names the check 'redy', which the phase 'phase1' does not have
                hint: Did you mean 'ready'?
            """),
        Fault(
            ScratchCourse.mutant, "spec.replicas, to: 2", "spec.copies.number, to: 2",
            "\(ScratchCourse.mutant):5:1: error: the solution has no 'spec.copies.number' in Deployment 'web' of 'web.yaml'"
        ),
        Fault(
            ScratchCourse.mutant, "cause: replicas", "cause: replica",
            """
            \(ScratchCourse.mutant):7:30: error: there is no cause 'replica'
                hint: Did you mean 'replicas'?
            """),
        Fault(
            ScratchCourse.solution, "apply: web.yaml", "apply: other.yaml",
            """
            \(ScratchCourse.solution):6:12: error: there is no manifest 'other.yaml'
                hint: Put it into 'Labs/week01/start/other.yaml' or 'Labs/week01/solution/manifests/other.yaml'.
            """),
        Fault(
            ScratchCourse.week, "scenes: [one]", "scenes: [one, two]",
            "\(ScratchCourse.week):9:1: error: there is no scene 'two'"),
        Fault(
            ScratchCourse.week, "title: One", "title: One\ntitle: Two",
            "\(ScratchCourse.week):4:1: error: 'title' is given twice in the same mapping"),
    ]

    @Test("a fault in a lab is named with its place", arguments: labFaults)
    func labs(fault: Fault) throws { try expect(fault, amongOthers: fault.says.contains("there is no manifest")) }

    private func expect(_ fault: Fault, amongOthers: Bool = false) throws {
        let course = try ScratchCourse()
        try course.change(fault.file, fault.old, fault.new)
        let found = course.lint()
        if amongOthers { #expect(found.contains(fault.says), "\(found)") } else { #expect(found == [fault.says]) }
    }

    @Test("a phase without a solution is named")
    func noSolution() throws {
        let course = try ScratchCourse()
        try course.remove(ScratchCourse.solution)
        try course.remove(ScratchCourse.mutant)
        #expect(
            course.lint() == [
                """
                \(ScratchCourse.phase):1:1: error: the phase 'phase1' has no solution
                    hint: Write one into 'Labs/week01/solution/phase1.yaml'.
                """
            ])
    }

    @Test("a course that is faulty does not load, and says why in one sentence")
    func loading() throws {
        let course = try ScratchCourse()
        try course.change(ScratchCourse.lab, "version: 1", "version: 7")
        let root = course.root
        let error = #expect(throws: CourseError.self) { try CourseLoader(root: root).load() }
        #expect(
            error?.description == """
                The course cannot be loaded: Labs/week01/lab.yaml:1:10: version '7' is not known: this program reads version 1
                hint: Run 'velocity course lint' to see everything that is wrong.
                """)
    }

    @Test("a folder without a course is named")
    func empty() {
        let found = CourseLoader(root: "/nonexistent").lint().diagnostics.map(\.message)
        #expect(found.contains("there is no folder 'Content' in '/nonexistent'"))
        #expect(found.contains("there is no folder 'Labs' in '/nonexistent'"))
    }

    @Test("a learner's manifest that YAML cannot read is named with its place")
    func manifests() throws {
        let folder = NSTemporaryDirectory() + "/manifests-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in ["a.yaml": "kind: Pod\nmetadata:\n\tname: web\n", "b.yml": "kind: Pod\n", "c.txt": "\t: x"]
        {
            try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
        }
        #expect(
            Manifests.faults(in: folder).map(\.description) == [
                "a.yaml:3:1: error: there is a tab in the indentation\n    hint: Indent with spaces: YAML allows no tabs."
            ])
        #expect(Manifests.faults(in: folder + "/nowhere").isEmpty)
    }
}
