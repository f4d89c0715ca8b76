import ArgumentParser
import Checkers
import Cluster
import CourseModel
import Foundation
import KubeClient
import KubeModel
import Progress

struct ResetLab: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset",
        abstract: "Start over: a lab with an empty namespace, a phase where it begins, a drill with a fault.")
    @Argument(help: "LAB or LAB/PHASE.") var path: String?
    @Option(help: "Chooses a drill's fault; random when not given.") var seed: UInt64?
    @Flag(help: "Do not ask.") var yes = false

    func run() async throws {
        let content = try CourseAccess.content()
        let (lab, found, _) = try CourseAccess.find(path, in: content)
        let phase = path?.contains("/") == true ? found : nil
        let folder = CourseAccess.url(ofFolder: lab).path
        let files = phase == nil ? "This replaces the files in \(folder) and" : "This"
        try Ask.goOn("\(files) deletes the namespace '\(lab.namespace)'.", unless: yes)
        if phase == nil { _ = try CourseAccess.prepareFolder(lab, replaces: true) }
        let directory = try Machine.home().cluster(EmbeddedCluster.defaultName)
        guard phase != nil || ClusterProcess(directory).isRunning else {
            return Output.line("'\(lab.id)' starts over. What was recorded stays.")
        }
        let client = try await EmbeddedCluster.client()
        try await client.deleteIfPresent(.namespaces, lab.namespace, in: nil)
        _ = try await client.waitFor(.namespaces, lab.namespace, in: nil, timeout: .seconds(60)) { $0 == nil }
        guard let phase else { return Output.line("'\(lab.id)' starts over. What was recorded stays.") }
        let seed = seed ?? UInt64.random(in: 0..<1_000_000)
        try await PhaseBeginning.set(phase, of: lab, seed: seed, client: client, cluster: directory)
        let start = phase.isDrill ? "has begun (seed \(seed)); the clock runs" : "is where it begins"
        Output.line("'\(lab.id)/\(phase.id)' \(start). What was recorded stays.")
    }
}

struct CatchUp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catch-up",
        abstract: "Come late: the phases before this one are done for you, and that is recorded.",
        discussion: "It is recorded as the last hint of every check that is done for you.")
    @Argument(help: "LAB/PHASE to go on with; where you are, when not given.") var path: String?
    @Flag(help: "Do not ask.") var yes = false

    func run() async throws {
        let content = try CourseAccess.content()
        let (lab, found, _) = try CourseAccess.find(path, in: content)
        guard let phase = found ?? lab.phases.first else { return }
        let missed = Set(lab.solutions(before: phase).map(\.phase))
        guard !missed.isEmpty else { return Output.line("Nothing comes before '\(lab.id)/\(phase.id)'.") }
        let names = lab.phases.filter { missed.contains($0.id) }.map(\.id.rawValue).joined(separator: ", ")
        try Ask.goOn("This does \(names) in your cluster and records that you did not.", unless: yes)
        let directory = try Machine.home().cluster(EmbeddedCluster.defaultName)
        let client = try await EmbeddedCluster.client()
        let store = try CourseAccess.progress()
        let learner = try CourseAccess.learner(store)
        for phase in lab.phases where missed.contains(phase.id) {
            try SolutionSeen.record(phase, of: lab, "It was done for you by 'velocity catch-up'.", learner, store)
        }
        let shell = try LabBash(lab: lab, cluster: directory, folder: "\(directory.runDirectory)/catch-up")
        try await SolutionRunner(client: client, namespace: lab.namespace, shell: shell.run)
            .run(lab.beginning(of: phase))
        try store.open(lab.id, phase.id, learner: learner.id)
        Output.line("'\(lab.id)/\(phase.id)' can begin: \(names) is done.")
    }
}

struct ShowSolution: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "solution",
        abstract: "Show how a phase is solved; that is recorded.")
    @Argument(help: "LAB/PHASE; where you are, when not given.") var path: String?
    @Flag(help: "Do not ask.") var yes = false

    func run() async throws {
        let content = try CourseAccess.content()
        let (lab, found, _) = try CourseAccess.find(path, in: content)
        guard let phase = found ?? lab.phases.first else { return }
        let solutions = lab.solutions.filter { $0.phase == phase.id }
        guard !solutions.isEmpty else {
            return Output.line("'\(lab.id)/\(phase.id)' is a drill: its way out is yours to find.")
        }
        let store = try CourseAccess.progress()
        let learner = try CourseAccess.learner(store)
        try Ask.goOn("That you have seen the solution of '\(phase.title)' is recorded.", unless: yes)
        try SolutionSeen.record(phase, of: lab, "The solution was shown.", learner, store)
        for solution in solutions {
            Output.line("\(solution.id): \(solution.title)")
            for operation in solution.operations { Output.line("  \(operation.command)") }
        }
    }
}

/// A question before something that cannot be taken back.
enum Ask {
    static func goOn(_ sentence: String, unless isSure: Bool) throws {
        if isSure { return }
        Output.remark("\(sentence) Go on? [y/N]")
        guard readLine()?.lowercased().hasPrefix("y") ?? false else { throw ExitCode(1) }
    }
}

/// The record of a solution that was seen: one hint more than a check has.
enum SolutionSeen {
    static let level = 4

    static func record(_ phase: Phase, of lab: Lab, _ text: String, _ learner: Learner, _ store: ProgressStore) throws {
        for check in phase.checkpoint.checks {
            try store.record(
                HintShown(
                    lab: lab.id, phase: phase.id, check: check.id, level: level, text: text, shown: Moment.now),
                learner: learner.id)
        }
    }
}

/// Brings a cluster to where a phase begins; a drill is broken then.
enum PhaseBeginning {
    static func set(
        _ phase: Phase, of lab: Lab, seed: UInt64, client: any ClusterClient, cluster: ClusterDirectory
    ) async throws {
        let shell = try LabBash(lab: lab, cluster: cluster, folder: "\(cluster.runDirectory)/reset")
        let runner = SolutionRunner(client: client, namespace: lab.namespace, shell: shell.run)
        try await runner.run(lab.beginning(of: phase))
        guard phase.isDrill else { return }
        // What is broken before it was ever well would mend itself in ways that nobody can learn from.
        for deployment in try await client.list(.deployments, in: lab.namespace).items {
            _ = try await client.waitFor(
                .deployments, deployment.name, in: lab.namespace, timeout: .seconds(120)
            ) { object in
                let wanted = object?.value[["spec", "replicas"]]?.int ?? 1
                return object?.value[["status", "readyReplicas"]]?.int ?? 0 == wanted
            }
        }
        try await DrillStage.begin(phase, of: lab, seed: seed, client: client, runner: runner)
    }
}

extension CourseModel.Operation {
    /// As a person would type it.
    fileprivate var command: String {
        switch self {
        case .apply(let file, _): "kubectl apply -f \(file)"
        case .serverSideApply(let file, _): "kubectl apply --server-side -f \(file)"
        case .run(let text): text.split(separator: "\n").joined(separator: "\n  ")
        case .create(let value):
            "kubectl create \((value["kind"]?.text ?? "").lowercased()) \(value["metadata"]?["name"]?.text ?? "")"
        case .patch(let ref, let value): "kubectl patch \(ref.kind.lowercased()) \(ref.name) -p '\(value.text)'"
        case .scale(let ref, let count): "kubectl scale \(ref.kind.lowercased()) \(ref.name) --replicas=\(count)"
        case .delete(let ref): "kubectl delete \(ref.kind.lowercased()) \(ref.name) --ignore-not-found"
        }
    }
}
