import CourseModel
import KubeClient
import KubeModel
import Testing

@testable import Checkers

@Suite("Commands in containers, and answers", .timeLimit(.minutes(5)))
struct ExecAndAnswerTests {
    private static func lab(_ steps: [CheckStep], questions: [LabQuestion] = []) -> Lab {
        let check = Check(id: "c", title: "it is so", steps: steps, hints: [Hint(text: "Look there.")])
        let phase = Phase(
            id: "p", title: "", minutes: 1, objective: "",
            steps: [Step(id: "s", title: "", text: "", questions: questions)],
            checkpoint: Checkpoint(title: "", checks: [check]))
        return Lab(
            id: "l", title: "", week: "w", mission: "", success: "", namespace: "velocitytech", phases: [phase])
    }

    private static let gateway = ContainerRef(
        object: ObjectRef(kind: "Deployment", name: "payment-gateway-deployment"))

    private func judge(_ wanted: CommandExpectation, solved: Bool = true) async throws -> CheckResult {
        try await ScriptedCluster.run { cluster in
            if solved { try await cluster.solve("phase2") }
            let lab = Self.lab([.expect(.executed(Self.gateway, wanted), within: .milliseconds(1))])
            let ready = CheckStep.expect(.ready(deployment: Self.gateway.object, count: 3), within: .seconds(30))
            let patient = solved ? Self.lab([ready] + lab.phases[0].checkpoint.checks[0].steps) : lab
            let result = await CheckEngine(client: cluster.client, options: cluster.options)
                .run(patient.phases[0], of: patient)
            return try #require(result.results.first)
        }
    }

    @Test(
        "a command passes with the exit code and the output that are wanted",
        arguments: [
            CommandExpectation(command: ["echo", "accepting", "connections"], contains: "ting con"),
            CommandExpectation(command: ["echo", "yes"], equals: "yes"),
            CommandExpectation(command: ["false", "no"], exitCode: 3),
        ])
    func passes(wanted: CommandExpectation) async throws {
        let result = try await judge(wanted)
        #expect(result.verdict == .passed)
        #expect(result.evidence.contains { $0.what.hasPrefix("'\(wanted)' in payment-gateway-deployment-") })
    }

    @Test(
        "another exit code or another output is said with the pod and the words",
        arguments: [
            (CommandExpectation(command: ["false", "no"]), "ends with 3, and says: no"),
            (CommandExpectation(command: ["echo", "no"], contains: "yes"), "ends with 0, and says: no"),
            (CommandExpectation(command: ["echo", "yes", "sir"], equals: "yes"), "ends with 0, and says: yes sir"),
        ])
    func fails(wanted: CommandExpectation, says: String) async throws {
        let failure = try #require(try await judge(wanted).verdict.failure)
        #expect(failure.cause == .wrongAnswer)
        #expect(failure.hint.contains(says), "\(failure.hint)")
        #expect(failure.found.contains(says))
    }

    @Test("without the object there is nothing to run a command in")
    func missing() async throws {
        let failure = try await judge(CommandExpectation(command: ["true"]), solved: false).verdict.failure
        #expect(failure?.cause == .missing)
    }

    private static let question = LabQuestion(id: "who", text: "Who makes a new one?", answers: ["nobody", "no one"])

    @Test(
        "an answer is judged by its words",
        arguments: [
            ("Nobody.", nil), ("  no   ONE ", nil), ("Kubernetes", .wrongAnswer), (nil, .missing),
        ] as [(String?, Cause?)])
    func answers(text: String?, cause: Cause?) async throws {
        let cluster = try await ScriptedCluster()
        let lab = Self.lab([.expect(.answered(Self.question), within: .zero)], questions: [Self.question])
        var options = cluster.options
        if let text { options.answers = ["who": text] }
        let result = await CheckEngine(client: cluster.client, options: options).run(lab.phases[0], of: lab)
        #expect(result.results.first?.verdict.failure?.cause == cause)
        #expect((result.outcome == .passed) == (cause == nil))
        if cause == nil {
            #expect(result.results.first?.evidence.contains { $0.what.contains("'\(text ?? "")'") } == true)
        }
    }

    @Test("verification answers as the author does, untouched not at all, and a mutant as it says")
    func verification() async throws {
        var lab = Self.lab([.expect(.answered(Self.question), within: .zero)], questions: [Self.question])
        lab = Lab(
            id: "l", title: "", week: "w", mission: "", success: "", namespace: "velocitytech", phases: lab.phases,
            solutions: [Solution(id: "p", phase: "p", title: "", operations: [])],
            mutants: [
                Mutant(
                    id: "m", title: "", solution: "p", changes: [], operations: [.answer("who", "Kubernetes")],
                    fails: Mutant.Expectation(check: "c", cause: .wrongAnswer, hint: ["Kubernetes"]))
            ])
        let verifier = CourseVerifier(lab: lab, seed: 1) {
            let cluster = try await ScriptedCluster()
            return CourseVerifier.Cluster(client: cluster.client) { _ = cluster }
        }
        let results = await verifier.verify()
        #expect(results.map(\.problems) == [[], [], []])
    }

    @Test("a runner that replaces brings what is there to what the solution says, anew where it must")
    func replaces() async throws {
        let cluster = try await ScriptedCluster()
        let namespace: YAMLValue = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "velocitytech"]]
        func pod(_ port: Int64) -> YAMLValue {
            [
                "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "web"],
                "spec": ["containers": [["name": "web", "image": "web:1", "ports": [["containerPort": .int(port)]]]]],
            ]
        }
        let solution = { (port: Int64) in
            [CourseModel.Operation.create(namespace), .apply(file: "f", objects: [pod(port)])]
        }
        let plain = SolutionRunner(client: cluster.client, namespace: "velocitytech")
        try await plain.run(solution(1))
        await #expect(throws: SolutionRunner.Failure.self) { try await plain.run(solution(2)) }
        try await SolutionRunner(client: cluster.client, namespace: "velocitytech", replaces: true).run(solution(2))
        let found = try await cluster.client.get(.pods, "web", in: "velocitytech").value
        #expect(found[["spec", "containers"]]?.array?.first?[["ports"]]?.array?.first?["containerPort"] == 2)
    }
}
