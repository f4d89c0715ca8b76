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
        abstract: "Start over: a lab with an empty namespace, a phase where it begins, a drill with a fault.",
        discussion: "Checks of earlier phases that have not passed yet earn no points any more: they are done for you.")
    @Argument(help: "LAB or LAB/PHASE.") var path: String?
    @Option(help: "Chooses a drill's fault; random when not given.") var seed: UInt64?
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let content = try CourseAccess.content()
        let (lab, found, _) = try CourseAccess.find(path, in: content)
        let phase = path?.contains("/") == true ? found : nil
        let cluster = try cluster.choice
        let folder = CourseAccess.url(ofFolder: lab).path
        let files = phase == nil ? "This replaces the files in \(folder) and" : "This"
        let place = cluster.isEmbedded ? "" : " in the cluster of your \(cluster.name)"
        try Ask.goOn("\(files) deletes the namespace '\(lab.namespace)'\(place).", unless: yes)
        guard let phase else {
            _ = try CourseAccess.prepareFolder(lab, replaces: true)
            if case .embedded(let directory) = cluster, !ClusterProcess(directory).isRunning {
                return Output.line("'\(lab.id)' starts over. What was recorded stays.")
            }
            let client = try cluster.client()
            try await client.deleteIfPresent(.namespaces, lab.namespace, in: nil)
            _ = try await client.waitFor(.namespaces, lab.namespace, in: nil, timeout: .seconds(60)) { $0 == nil }
            return Output.line("'\(lab.id)' starts over. What was recorded stays.")
        }
        let seed = seed ?? UInt64.random(in: 1..<1_000_000)
        let store = try CourseAccess.progress()
        try await PhaseBeginning(
            lab: lab, phase: phase, cluster: cluster, learner: try CourseAccess.learner(store), store: store,
            tell: Output.remark
        ).begin(seed: seed)
        let start = phase.isDrill ? "has begun (seed \(seed)); the clock runs" : "is where it begins"
        Output.line("'\(lab.id)/\(phase.id)' \(start). What was recorded stays.")
    }
}

struct CatchUp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catch-up",
        abstract: "Come late: the phases before this one are done for you, and that is recorded.",
        discussion: "Checks that are done for you earn no points, unless they had passed before.")
    @Argument(help: "LAB/PHASE to go on with; where you are, when not given.") var path: String?
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let content = try CourseAccess.content()
        let (lab, found, _) = try CourseAccess.find(path, in: content)
        guard let phase = found ?? lab.phases.first else { return }
        let missed = lab.phasesDone(before: phase)
        guard !missed.isEmpty else { return Output.line("Nothing comes before '\(lab.id)/\(phase.id)'.") }
        let names = missed.map(\.id.rawValue).joined(separator: ", ")
        let place = try cluster.choice.isEmbedded ? "your cluster" : "the cluster of your \(cluster.choice.name)"
        try Ask.goOn("This does \(names) in \(place) and records that you did not: no points for that.", unless: yes)
        let store = try CourseAccess.progress()
        try await PhaseBeginning(
            lab: lab, phase: phase, cluster: try cluster.choice, learner: try CourseAccess.learner(store), store: store,
            tell: Output.remark
        ).catchUp()
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
        try SolutionSeen.record(
            phase, of: lab, level: HintShown.solutionLevel, "The solution was shown.", learner, store)
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
        case .answer(let question, let text): "velocity answer --question \(question) '\(text)'"
        }
    }
}
