import CourseModel
import LabScreens
import ScreenKit

/// A small course, so that the tests of screens do not change with the real one.
enum Fixtures {
    static let check = Check(
        id: "three-ready", title: "three replicas are ready", steps: [], hints: [Hint(text: "Look at spec.replicas.")])
    static let healing = Check(
        id: "self-healing", title: "a deleted pod is replaced", needs: ["three-ready"], steps: [],
        hints: [Hint(text: "Look at the ReplicaSet.")])

    static let content = CourseContent(
        weeks: [
            Week(
                id: "week06", number: 6, title: "Orchestration", subtitle: "", summary: "",
                crisis: Week.Crisis(title: "Crisis", text: "", scene: "crisis"), goals: [], scenes: ["crisis"],
                labs: ["week06"])
        ],
        scenes: [
            Scene(
                id: "crisis", week: "week06", title: "The Stampede", setting: "", cast: ["filip", "ana"],
                items: [
                    .line(SceneLine(id: "a", text: SceneText("Tuesday, half past eleven."))),
                    .line(
                        SceneLine(id: "b", speaker: "filip", text: SceneText("Port 3001, or 3002?"), mood: "worried")),
                    .wait(.seconds(1)),
                    .choices([
                        SceneChoice(line: SceneLine(id: "c", text: SceneText("Ask the cluster."))),
                        SceneChoice(line: SceneLine(id: "d", text: SceneText("Restart everything."))),
                    ]),
                    .line(SceneLine(id: "e", speaker: "ana", text: SceneText("At last."))),
                ])
        ],
        characters: [
            StoryCharacter(id: "filip", name: "Filip", role: "operations"),
            StoryCharacter(id: "ana", name: "Ana", role: "tests"),
        ],
        labs: [
            Lab(
                id: "week06", title: "Command Center", week: "week06", mission: "", success: "",
                namespace: "velocitytech",
                phases: [
                    Phase(
                        id: "phase2", title: "Deployments and Scaling", minutes: 75, objective: "Run three replicas.",
                        steps: [
                            Step(
                                id: "deploy", title: "Deploy", text: "Hand the manifest to the cluster.",
                                files: ["payment-gateway-deployment.yaml"],
                                commands: [
                                    Command(
                                        run: "kubectl apply -f payment-gateway-deployment.yaml", note: "Apply it.",
                                        expect: "created")
                                ]),
                            Step(id: "scale", title: "Scale", text: "Ask for five."),
                        ],
                        checkpoint: Checkpoint(title: "Three replicas that heal", checks: [check, healing]))
                ])
        ])

    static let cluster = ClusterView(
        state: .running, mode: "sandbox", nodes: [.init(name: "velocity", isReady: true)],
        pods: [
            .init(name: "gateway-6d4-aaaaa", status: "Running", isReady: true, restarts: 0),
            .init(name: "gateway-6d4-bbbbb", status: "CrashLoopBackOff", isReady: false, restarts: 2),
        ])

    /// A drill with one question.
    static var drillApp: App {
        let fault = Fault(
            id: "f", title: "", breaking: [], mending: [],
            fails: Mutant.Expectation(check: "three-ready", cause: .other, hint: []))
        let question = LabQuestion(id: "who", text: "Who makes a new pod?", answers: ["nobody"])
        let drill = Phase(
            id: "drill", title: "Drill", minutes: 5, objective: "Mend it.",
            steps: [Step(id: "look", title: "Look", text: "Look first.", questions: [question])],
            checkpoint: Checkpoint(title: "Well", checks: [check]), faults: [fault])
        let lab = Lab(
            id: "week06", title: "Command Center", week: "week06", mission: "", success: "",
            namespace: "velocitytech", phases: [drill])
        let course = CourseContent(weeks: content.weeks, scenes: [], characters: [], labs: [lab])
        return App(
            content: course, size: Size(columns: 80, rows: 24), start: .phase(LabPath(lab: "week06", phase: "drill")))
    }

    static func app(_ start: App.Start = .home, columns: Int = 80, rows: Int = 24) -> App {
        App(content: content, size: Size(columns: columns, rows: rows), start: start)
    }

    static let phase = LabPath(lab: "week06", phase: "phase2")

    static func result(_ check: Check, _ verdict: Verdict) -> CheckResult {
        CheckResult(
            check: check.id, title: check.title, verdict: verdict,
            evidence: [Evidence(at: Moment(milliseconds: 1500), what: "pod gateway-6d4-aaaaa deleted")],
            measured: [:], started: Moment(milliseconds: 1000), finished: Moment(milliseconds: 3500))
    }
}

extension App {
    /// Presses keys one after another and returns all effects.
    @discardableResult
    mutating func press(_ keys: Key...) -> [Effect] { keys.flatMap { update(.key($0)) } }

    /// Lets ticks pass until nothing moves by itself any more.
    mutating func settle() { while tick != nil { _ = update(.tick) } }

    var text: String { render().text }
}
