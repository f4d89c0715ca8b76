import Course
import CourseModel
import KubeClient
import KubeModel
import Synchronization
import Testing

@testable import Checkers

/// The lab that is shipped: the tests judge what learners will be judged by.
let week06: Lab = {
    let root = #filePath.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/Course"
    guard let lab = CourseLoader(root: root).lint().content.lab("week06") else {
        preconditionFailure("the lab 'week06' does not load from '\(root)'")
    }
    return lab
}()

extension ScriptedCluster {
    var options: CheckOptions { CheckOptions(fetch: { try await self.fetch(port: $0.port) }) }

    func solve(_ id: SolutionID) async throws {
        try await SolutionRunner(client: client, namespace: week06.namespace).run(
            week06.solutions.chain(endingWith: id))
    }

    func check(
        _ phase: PhaseID, only check: CheckID? = nil, progress: @escaping @Sendable (CheckProgress) -> Void = { _ in }
    ) async throws -> CheckpointResult {
        let phase = try #require(week06.phase(phase))
        return await CheckEngine(client: client, options: options).run(
            phase, of: week06, only: check, progress: progress)
    }
}

@Suite("Check engine", .timeLimit(.minutes(5)))
struct CheckEngineTests {
    @Test("phase 2 passes with its solution, and the evidence tells who replaced whom")
    func phase2() async throws {
        try await ScriptedCluster.run { cluster in
            try await cluster.solve("phase2")
            let result = try await cluster.check("phase2")
            #expect(result.results.map(\.verdict) == [.passed, .passed, .passed, .passed])
            #expect(result.outcome == .passed)
            let healing = try #require(result.result("self-healing"))
            let deleted = try #require(healing.evidence.first { $0.what.hasPrefix("The check deletes Pod ") })
            let replaced = try #require(healing.evidence.first { $0.what.contains(" has replaced ") })
            #expect(deleted.uid != replaced.uid)
            #expect(deleted.at <= replaced.at)
            let victim = deleted.what.dropFirst("The check deletes Pod ".count)
            #expect(replaced.what.contains(" has replaced \(victim) after "))
            #expect(healing.evidence.contains { $0.uid == deleted.uid && $0.what == "Pod \(victim) is terminating" })
            #expect(healing.evidence.contains { $0.uid == replaced.uid && $0.what.hasSuffix("is ready") })
            #expect(healing.measured["recovery"] != nil)
        }
    }

    @Test("phase 3 passes with its solution, and no probe pod is left")
    func phase3() async throws {
        try await ScriptedCluster.run { cluster in
            try await cluster.solve("phase3")
            let result = try await cluster.check("phase3")
            #expect(result.results.map(\.verdict) == Array(repeating: .passed, count: 5))
            let pods = try await cluster.client.list(.pods, in: week06.namespace).items
            #expect(pods.filter { $0.isProbe && !$0.isBeingDeleted }.map(\.name) == [])
            let inside = try #require(result.result("inside"))
            #expect(
                inside.evidence.contains {
                    $0.what.contains(#"GET http://payment-gateway-service/health inside: 200 {"status""#)
                })
        }
    }

    @Test("nothing passes before anything was done; what needs a failed check is skipped")
    func untouched() async throws {
        try await ScriptedCluster.run { cluster in
            let result = try await cluster.check("phase2")
            #expect(result.results.map(\.verdict.outcome) == [.failed, .failed, .skipped, .skipped])
            let failure = try #require(result.results[0].verdict.failure)
            #expect(failure.cause == .missing)
            #expect(
                failure.hint.hasPrefix(
                    "There is no namespace 'velocitytech': create it with 'kubectl create namespace velocitytech'."))
            #expect(result.results[2].verdict == .skipped(because: "it needs: three replicas are ready"))
        }
    }

    @Test("two replicas: the check says what spec.replicas is, and what the author adds")
    func twoReplicas() async throws {
        try await ScriptedCluster.run { cluster in
            try await cluster.solve("phase2")
            try await cluster.client.setReplicas(
                .deployments, namespace: week06.namespace, name: "payment-gateway-deployment", to: 2)
            let failure = try #require(
                try await cluster.check("phase2", only: "three-ready").results[0].verdict.failure)
            #expect(failure.expected == "3 ready pods of Deployment 'payment-gateway-deployment'")
            #expect(failure.cause == .replicas)
            #expect(
                failure.hint == "spec.replicas of Deployment 'payment-gateway-deployment' is 2, and should be 3. "
                    + "One number in the file, or one 'kubectl scale', decides that.")
        }
    }

    @Test("scaling is set back to what it was, whatever happens in between")
    func scalingBack() async throws {
        try await ScriptedCluster.run { cluster in
            try await cluster.solve("phase2")
            let check = try #require(week06.phase("phase2")?.checkpoint.check("scaling"))
            let reference = ObjectRef(kind: "Deployment", name: "payment-gateway-deployment")
            let broken = Check(
                id: check.id, title: check.title,
                steps: [
                    .expect(.ready(deployment: reference, count: 3), within: .seconds(30)),
                    .act(.scale(reference, replicas: 5)),
                    .expect(.object(ObjectRef(kind: "ConfigMap", name: "none"), []), within: .zero),
                ], hints: check.hints)
            let phase = Phase(
                id: "phase2", title: "", minutes: 1, objective: "", steps: [],
                checkpoint: Checkpoint(title: "", checks: [broken]))
            let result = await CheckEngine(client: cluster.client).run(phase, of: week06)
            #expect(result.results[0].verdict.failure?.cause == .missing)
            let deployment = try await cluster.client.get(.deployments, reference.name, in: week06.namespace)
            #expect(deployment.value[["spec", "replicas"]] == 3)
            #expect(result.results[0].evidence.contains { $0.what.hasSuffix("back to 3") })
        }
    }

    @Test("a check that is interrupted sets back what it has changed, and is unknown")
    func interrupted() async throws {
        try await ScriptedCluster.run { cluster in
            try await cluster.solve("phase2")
            let reference = ObjectRef(kind: "Deployment", name: "payment-gateway-deployment")
            let endless = Check(
                id: "endless", title: "it never ends",
                steps: [
                    .expect(.ready(deployment: reference, count: 3), within: .seconds(30)),
                    .act(.scale(reference, replicas: 4)),
                    .expect(
                        .count(Selection(kind: "ConfigMap", selector: "never=true"), [], .atLeast(1)),
                        within: .seconds(50)),
                ], hints: [Hint(text: "None")])
            let phase = Phase(
                id: "phase2", title: "", minutes: 1, objective: "", steps: [],
                checkpoint: Checkpoint(title: "", checks: [endless]))
            let (waiting, continuation) = AsyncStream<Void>.makeStream()
            let judging = Task {
                await CheckEngine(client: cluster.client).run(phase, of: week06) { step in
                    if case .waiting(_, let wanted, _, _) = step, wanted.hasPrefix("ConfigMap") { continuation.yield() }
                }
            }
            for await _ in waiting { break }
            judging.cancel()
            let result = await judging.value
            #expect(result.results[0].verdict == .unknown(because: "the check was interrupted"))
            let deployment = try await cluster.client.get(.deployments, reference.name, in: week06.namespace)
            #expect(deployment.value[["spec", "replicas"]] == 3)
        }
    }

    @Test("a pod that nobody would replace is not deleted")
    func barePod() async throws {
        try await ScriptedCluster.run { cluster in
            _ = try await cluster.client.create(.namespaces, KubeObject(.namespaces, name: week06.namespace))
            var pod = KubeObject(.pods, namespace: week06.namespace, name: "lonely")
            pod.labels = ["app": "payment-gateway"]
            pod.value["spec"] = [
                "containers": [["name": "c", "image": "velocitytech/payment-gateway:optimized"]]
            ]
            _ = try await cluster.client.create(.pods, pod)
            let healing = try #require(week06.phase("phase2")?.checkpoint.check("self-healing"))
            let alone = Check(id: healing.id, title: healing.title, steps: healing.steps, hints: healing.hints)
            let phase = Phase(
                id: "phase2", title: "", minutes: 1, objective: "", steps: [],
                checkpoint: Checkpoint(title: "", checks: [alone]))
            let result = await CheckEngine(client: cluster.client).run(phase, of: week06)
            #expect(result.results[0].verdict.failure?.found == "'lonely' has no owner")
            _ = try await cluster.client.get(.pods, "lonely", in: week06.namespace)
        }
    }

    @Test("a cluster that cannot be reached makes checks unknown, never failed")
    func unreachable() async throws {
        let phase = try #require(week06.phase("phase2"))
        let result = await CheckEngine(client: UnreachableCluster()).run(phase, of: week06)
        #expect(result.outcome == .unknown)
        // On a machine that is busy enough the time is over first.
        let reasons = [
            "deployments cannot be watched: the server is not there",
            "the cluster did not say in time which deployments there are",
        ]
        #expect(reasons.map { .unknown(because: $0) }.contains(result.results[0].verdict))
        #expect(result.results.map(\.verdict.outcome) == [.unknown, .unknown, .skipped, .skipped])
    }

    @Test("a probe pod that cannot run makes the check unknown")
    func noProbeImage() async throws {
        try await ScriptedCluster.run { cluster in
            try await cluster.solve("phase3")
            _ = try await cluster.check("phase3", only: "endpoints")
            let refusing = RefusingPods(base: cluster.client)
            let phase = try #require(week06.phase("phase3"))
            let result = await CheckEngine(client: refusing, options: cluster.options).run(
                phase, of: week06, only: "inside")
            #expect(
                result.result("inside")?.verdict
                    == .unknown(because: "the pod that asks from inside could not be created: exceeded quota"))
        }
    }

    @Test("while it waits, a check says for what, and what there is")
    func progress() async throws {
        try await ScriptedCluster.run { cluster in
            let lines = Mutex<[String]>([])
            try await cluster.solve("phase2")
            _ = try await cluster.check("phase2", only: "scaling") { step in
                if let line = step.line { lines.withLock { $0.append(line) } }
            }
            let seen = lines.withLock { $0 }
            #expect(seen.contains("scaled Deployment 'payment-gateway-deployment' from 3 to 5"))
            let wait = "5 ready pods of Deployment 'payment-gateway-deployment'; now: "
            #expect(seen.contains { $0.hasPrefix("waiting up to ") && $0.contains(wait) }, "\(seen)")
            #expect(seen.last == "passed: it scales from 3 to 5 replicas and back to 3")
        }
    }

    @Test("an answer that is not the wanted one is shown")
    func nonsense() async throws {
        try await ScriptedCluster.run(answersHTTP: false) { cluster in
            try await cluster.solve("phase3")
            var options = cluster.options
            options.limitFactor = 0
            options.limitMin = .milliseconds(50)
            let phase = try #require(week06.phase("phase3"))
            let result = await CheckEngine(client: cluster.client, options: options).run(
                phase, of: week06, only: "outside")
            let failure = try #require(result.result("outside")?.verdict.failure)
            #expect(failure.cause == .wrongAnswer)
            #expect(failure.found == "200 nonsense")
        }
    }
}
