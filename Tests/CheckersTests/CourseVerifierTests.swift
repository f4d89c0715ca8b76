import CourseModel
import KubeModel
import Testing

@testable import Checkers

@Suite("Course verifier", .timeLimit(.minutes(5)))
struct CourseVerifierTests {
    /// A scripted cluster whose stand-in runs until the teardown.
    private static func makeCluster() async throws -> (CourseVerifier.Cluster, ScriptedCluster) {
        let scripted = try await ScriptedCluster()
        // The verifier's clusters outlive the call that makes them, as processes do.
        let running = Task { try await scripted.play() }
        let teardown: @Sendable () async -> Void = {
            running.cancel()
            _ = await running.result
        }
        return (CourseVerifier.Cluster(client: scripted.client, teardown: teardown), scripted)
    }

    private static func verify(_ lab: Lab, seed: UInt64) async throws -> [CourseVerifier.CaseResult] {
        let current = CurrentCluster()
        let options = CheckOptions(
            limitFactor: 0.1, fetch: { try await current.fetch(port: $0.port) })
        let verifier = CourseVerifier(lab: lab, seed: seed, options: options) {
            let (cluster, scripted) = try await makeCluster()
            await current.use(scripted)
            return cluster
        }
        return await verifier.verify()
    }

    private actor CurrentCluster {
        private var cluster: ScriptedCluster?
        func use(_ cluster: ScriptedCluster) { self.cluster = cluster }
        func fetch(port: Int) async throws -> CheckOptions.Answer {
            guard let cluster else { throw ScriptedCluster.Refused() }
            return try await cluster.fetch(port: port)
        }
    }

    @Test("week 6 is red untouched, green with each solution, and red with the right hint for each mutant")
    func week6() async throws {
        let results = try await Self.verify(week06, seed: 6)
        #expect(results.count == 15)
        for result in results {
            // There is no shell beside the scripted cluster, and that is said, too.
            if case .commands = result.proof {
                #expect(result.problems.first == "there is no shell to run the commands in")
                continue
            }
            #expect(result.problems == [], "\(result.proof)")
        }
    }

    @Test("the order follows from the seed")
    func order() {
        func cases(_ seed: UInt64) -> [CourseVerifier.Case] {
            CourseVerifier(lab: week06, seed: seed) { throw ScriptedCluster.Refused() }.cases
        }
        #expect(cases(1) == cases(1))
        #expect(cases(1) != cases(2))
        #expect(Set(cases(1)) == Set(cases(2)))
    }

    @Test("a check that passes untouched, a solution that does not, and a hint that does not come are found")
    func badLab() async throws {
        let passes = Check(
            id: "nothing", title: "there is no such map",
            steps: [.expect(.absent(ObjectRef(kind: "ConfigMap", name: "none")), within: .zero)],
            hints: [Hint(text: "Look")])
        let fails = Check(
            id: "something", title: "there is such a map",
            steps: [.expect(.object(ObjectRef(kind: "ConfigMap", name: "none"), []), within: .zero)],
            hints: [Hint(text: "Look")])
        let phase = Phase(
            id: "p", title: "", minutes: 1, objective: "", steps: [],
            checkpoint: Checkpoint(title: "", checks: [passes, fails]))
        let solution = Solution(
            id: "s", phase: "p", title: "",
            operations: [
                .create(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "velocitytech"]]),
                .apply(
                    file: "a.yaml",
                    objects: [["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"], "data": ["k": "v"]]]),
            ])
        let mutant = Mutant(
            id: "m", title: "", solution: "s",
            changes: [
                Mutant.Change(
                    file: "a.yaml", kind: "ConfigMap", name: "a", path: try ValuePath(parsing: "data.k"), value: "w")
            ], fails: Mutant.Expectation(check: "something", cause: .replicas, hint: ["replicas"]))
        let lab = Lab(
            id: "bad", title: "", week: "week06", mission: "", success: "", namespace: "velocitytech", phases: [phase],
            solutions: [solution], mutants: [mutant])
        let results = try await Self.verify(lab, seed: 1)
        func problems(_ proof: CourseVerifier.Case) -> [String] { results.first { $0.proof == proof }?.problems ?? [] }
        #expect(problems(.untouched("p")) == ["the check 'nothing' passes although nothing was done"])
        #expect(
            problems(.solution("s")) == [
                "the check 'something' does not pass: expected ConfigMap 'none' exists, found it does not exist. "
                    + "There is no ConfigMap 'none' in the namespace 'velocitytech'."
            ])
        #expect(
            problems(.mutant("m")) == [
                "the cause should be 'replicas', not 'missing': There is no ConfigMap 'none' in the namespace 'velocitytech'.",
                "the hint should say 'replicas': There is no ConfigMap 'none' in the namespace 'velocitytech'.",
            ])
    }

    @Test("a cluster that cannot be made is a problem of the case, not a crash")
    func noCluster() async {
        let verifier = CourseVerifier(lab: week06, seed: 1) { throw ScriptedCluster.Refused() }
        let results = await verifier.verify()
        #expect(results.allSatisfy { $0.problems == ["there is no cluster: connection refused"] })
    }
}
