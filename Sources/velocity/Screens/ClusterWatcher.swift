import Cluster
import CourseModel
import KubeClient
import KubeModel
import LabScreens
import Synchronization

/// Keeps the cluster strip up to date: follows the node and the lab's pods, and notices when the cluster's process ends.
struct ClusterWatcher: Sendable {
    let directory: ClusterDirectory
    let namespace: String
    let inbox: Inbox

    /// Runs until the cluster is gone or the task is cancelled.
    func run(startsCluster: Bool) async {
        inbox.post(.cluster(ClusterView(state: .starting)))
        do {
            if startsCluster { try EmbeddedCluster.up(directory, settings: nil) { _ in } }
            guard let state = ClusterProcess(directory).state else {
                throw ClusterError("The cluster has stopped.")
            }
            for remark in state.remarks { inbox.post(.notice(remark)) }
            let client = try EmbeddedCluster.client(of: directory)
            try await follow(
                client, mode: state.timeFactor == 1 ? state.level : "\(state.level), waits / \(state.timeFactor)")
        } catch is CancellationError {
            return
        } catch {
            guard !Task.isCancelled else { return }
            // However the connection broke: what counts is whether the process is there.
            let isGone = !(error is ClusterError) && !ClusterProcess(directory).isRunning
            let sentence = isGone ? "The cluster has stopped." : Self.firstLine(error)
            inbox.post(.cluster(ClusterView(state: .stopped(sentence))))
        }
    }

    private static func firstLine(_ error: any Error) -> String {
        "\(error)".split(separator: "\n").first.map(String.init) ?? "The cluster has stopped."
    }

    private func follow(_ client: any ClusterClient, mode: String) async throws {
        let box = Picture(picture: ClusterView(state: .running, mode: mode), inbox: inbox)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let _: Never = try await client.follow(.nodes, namespace: nil) { nodes, _ in
                    box.change { $0.nodes = nodes.values.map(Self.node).sorted { $0.name < $1.name } }
                    return nil
                }
            }
            group.addTask {
                let _: Never = try await client.follow(.pods, namespace: namespace) { pods, _ in
                    box.change { $0.pods = pods.values.map(Self.pod).sorted { $0.name < $1.name } }
                    return nil
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private static func node(_ node: KubeObject) -> ClusterView.Node {
        ClusterView.Node(
            name: node.name, isReady: Conditions(node.value[["status", "conditions"]])["Ready"]?.isTrue ?? false)
    }

    /// The words of `kubectl get pods`, from the columns that the API server itself prints.
    private static func pod(_ object: KubeObject) -> ClusterView.Pod {
        let pod = Pod(object)
        let kind = KindCatalog.builtIn.kind(group: "", version: "v1", plural: "pods")
        let column = kind?.columns.first { $0.name == "Status" }
        let status = column?.cell(object, Timestamp(seconds: 0)).string ?? pod.phase
        return ClusterView.Pod(name: pod.name, status: status, isReady: pod.isReady, restarts: pod.restartCount)
    }
}

/// The strip's present content, changed from two sides.
private final class Picture: Sendable {
    private let view: Mutex<ClusterView>
    private let inbox: Inbox

    init(picture: ClusterView, inbox: Inbox) {
        view = Mutex(picture)
        self.inbox = inbox
    }

    func change(_ body: (inout ClusterView) -> Void) {
        let changed = view.withLock { view in
            body(&view)
            return view
        }
        inbox.post(.cluster(changed))
    }
}
