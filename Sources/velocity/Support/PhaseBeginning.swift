import Checkers
import Cluster
import CourseModel
import Foundation
import KubeClient
import KubeModel
import Progress

/// Brings the cluster to where a phase begins, and records what was done for the learner on the way.
struct PhaseBeginning: Sendable {
    let lab: Lab
    let phase: Phase
    let cluster: LabCluster
    let learner: Learner
    let store: ProgressStore
    /// Hears what is done now.
    let tell: @Sendable (String) -> Void

    /// Makes the lab anew, as it is where the phase begins; a drill breaks something then, as the seed chooses.
    func begin(seed: UInt64) async throws {
        let client = try cluster.client()
        tell("Deleting the namespace '\(lab.namespace)' ...")
        try await client.deleteIfPresent(.namespaces, lab.namespace, in: nil)
        _ = try await client.waitFor(.namespaces, lab.namespace, in: nil, timeout: .seconds(60)) { $0 == nil }
        try recordWhatIsDone("'velocity reset' began here.")
        tell("Bringing the lab to where '\(phase.title)' begins ...")
        let runner = try runner(client)
        try await runner.run(lab.beginning(of: phase))
        if phase.isDrill {
            tell("Waiting until everything is well ...")
            try await waitUntilWell(client)
            try await DrillStage.begin(phase, of: lab, seed: seed, client: client, runner: runner)
        }
        try store.open(lab.id, phase.id, learner: learner.id)
    }

    /// Does what comes before the phase in the cluster as it is.
    func catchUp() async throws {
        let client = try cluster.client()
        try recordWhatIsDone("It was done for you by 'velocity catch-up'.")
        tell("Doing \(lab.phasesDone(before: phase).map(\.id.rawValue).joined(separator: ", ")) ...")
        try await runner(client, replaces: true).run(lab.beginning(of: phase))
        try store.open(lab.id, phase.id, learner: learner.id)
    }

    private func recordWhatIsDone(_ text: String) throws {
        for phase in lab.phasesDone(before: phase) {
            try SolutionSeen.record(phase, of: lab, level: HintShown.doneLevel, text, learner, store)
        }
    }

    private func runner(_ client: any ClusterClient, replaces: Bool = false) throws -> SolutionRunner {
        let shell = try LabBash(lab: lab, cluster: cluster, folder: try cluster.scriptFolder("beginning"))
        return SolutionRunner(client: client, namespace: lab.namespace, shell: shell.run, replaces: replaces)
    }

    /// What is broken before it was ever well would mend itself in ways that nobody can learn from.
    private func waitUntilWell(_ client: any ClusterClient) async throws {
        for deployment in try await client.list(.deployments, in: lab.namespace).items {
            _ = try await client.waitFor(
                .deployments, deployment.name, in: lab.namespace, timeout: .seconds(120)
            ) { object in
                let wanted = object?.value[["spec", "replicas"]]?.int ?? 1
                return object?.value[["status", "readyReplicas"]]?.int ?? 0 == wanted
            }
        }
    }
}

/// The record of a solution that was seen, or carried out for the learner: a hint above all others.
enum SolutionSeen {
    static func record(
        _ phase: Phase, of lab: Lab, level: Int, _ text: String, _ learner: Learner, _ store: ProgressStore
    ) throws {
        for check in phase.checkpoint.checks {
            try store.record(
                HintShown(
                    lab: lab.id, phase: phase.id, check: check.id, level: level, text: text, shown: Moment.now),
                learner: learner.id)
        }
    }
}

/// The next hint for the first check of a phase that has not passed; it is recorded.
enum NextHint {
    /// Its lines; one sentence when there is nothing to hint at.
    static func show(_ phase: Phase, of lab: Lab, _ learner: Learner, _ store: ProgressStore) throws -> [String] {
        let latest = try store.latestAttempt(learner.id, lab.id, phase.id)?.checkpoint
        let open = phase.checkpoint.checks.first { latest?.result($0.id)?.verdict != .passed }
        guard let open else { return ["Everything in \(lab.id)/\(phase.id) has passed."] }
        let levels = open.hintLevels(after: latest?.result(open.id)?.verdict.failure)
        let shown = try store.hints(of: learner.id, lab: lab.id).filter {
            $0.phase == phase.id && $0.check == open.id && $0.level < HintShown.solutionLevel
        }
        let level = min(levels.count, (shown.map(\.level).max() ?? 0) + 1)
        guard level > 0 else { return [] }
        try store.record(
            HintShown(
                lab: lab.id, phase: phase.id, check: open.id, level: level, text: levels[level - 1],
                shown: Moment.now), learner: learner.id)
        return ["\(open.title) (hint \(level) of \(levels.count))", levels[level - 1]]
    }
}
