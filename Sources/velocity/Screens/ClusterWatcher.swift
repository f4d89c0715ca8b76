import Checkers
import Cluster
import CourseModel
import KubeClient
import KubeModel
import LabScreens
import Synchronization

/// Keeps the cluster strip up to date: follows the node and the lab's pods, and notices when the cluster's process ends.
struct ClusterWatcher: Sendable {
    let cluster: LabCluster
    let namespace: String
    let inbox: Inbox

    /// Starts the embedded cluster when it does not run; runs until the cluster is gone or the task is cancelled.
    func run() async {
        inbox.post(.cluster(ClusterView(state: .starting)))
        do {
            try await follow(try connect(), mode: try mode)
        } catch is CancellationError {
            return
        } catch {
            guard !Task.isCancelled else { return }
            inbox.post(.cluster(ClusterView(state: .stopped(isGone(error) ? Self.gone : Self.firstLine(error)))))
        }
    }

    private static let gone = "The cluster has stopped."

    private func connect() throws -> any ClusterClient {
        guard case .embedded(let directory) = cluster else { return try cluster.client() }
        try EmbeddedCluster.up(directory, settings: nil) { _ in }
        for remark in ClusterProcess(directory).state?.remarks ?? [] { inbox.post(.notice(remark)) }
        return try EmbeddedCluster.client(of: directory)
    }

    /// What kind of cluster it is, for the strip.
    private var mode: String {
        get throws {
            guard case .embedded(let directory) = cluster else { return cluster.name }
            guard let state = ClusterProcess(directory).state else { throw ClusterError(Self.gone) }
            return state.timeFactor == 1 ? state.level : "\(state.level), waits / \(state.timeFactor)"
        }
    }

    /// However the connection broke: what counts is whether the process is there.
    private func isGone(_ error: any Error) -> Bool {
        guard case .embedded(let directory) = cluster else { return false }
        return !(error is ClusterError) && !ClusterProcess(directory).isRunning
    }

    private static func firstLine(_ error: any Error) -> String {
        "\(error)".split(separator: "\n").first.map(String.init) ?? gone
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
            group.addTask {
                let _: Never = try await client.follow(
                    .namespaces, namespace: nil, fieldSelector: "metadata.name=\(namespace)"
                ) { namespaces, _ in
                    box.change { $0.drill = namespaces.values.first.flatMap(DrillStage.init) }
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
