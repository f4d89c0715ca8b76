import ArgumentParser
public import Cluster
public import CourseModel
import KubeClient
import KubeModel

extension ClusterError: UserError {}

/// Which cluster a command works on.
struct ClusterOptions: ParsableArguments {
    @Option(name: .long, help: "A context of your kubeconfig: work on that cluster instead of the embedded one.")
    var context: String?

    @Option(name: .long, help: "The kubeconfig file that --context is looked up in.")
    var kubeconfig: String?

    /// The chosen cluster; in a lab shell on a real cluster that one, when nothing is said.
    var choice: LabCluster {
        get throws {
            if context != nil || kubeconfig != nil { return .real(context: context, kubeconfig: kubeconfig) }
            let shell = Machine.environment[FrontEnd.realClusterVariable] ?? ""
            return shell.isEmpty ? try .embedded() : .real(context: shell, kubeconfig: nil)
        }
    }
}

/// The embedded cluster as commands use it.
enum EmbeddedCluster {
    static let defaultName = "velocitylab"

    /// Starts the cluster if it does not run, and returns a client for it.
    static func client(name: String = defaultName) async throws -> any ClusterClient {
        let directory = try Machine.home().cluster(name)
        try up(directory, settings: nil)
        return try client(of: directory)
    }

    /// The same with so many nodes; a cluster that runs already keeps those that it has, and that is said.
    static func up(_ directory: ClusterDirectory, nodes: Int) throws {
        var settings = ClusterSettings.load(directory)
        if ClusterProcess(directory).isRunning, settings.nodes != nodes {
            Output.remark(
                "The cluster '\(directory.name)' runs already, with \(settings.nodeWords). Stop it to start it with another number."
            )
        }
        settings.nodes = nodes
        try up(directory, settings: settings)
    }

    /// A client for a cluster that runs already.
    static func client(of directory: ClusterDirectory) throws -> any ClusterClient {
        try HTTPSClient(kubeconfig: try Kubeconfig.load(path: directory.kubeconfigFile, environment: [:]), context: nil)
    }

    /// Starts the cluster's process unless it runs, and waits until its node is Ready.
    ///
    /// - Parameter tell: Hears what the cluster had to do otherwise than asked. Screens pass one that keeps silent: a
    ///   line on standard error would stand in the middle of them.
    static func up(
        _ directory: ClusterDirectory, settings: ClusterSettings?, tell: (String) -> Void = Output.remark
    ) throws {
        let process = ClusterProcess(directory)
        guard !process.isRunning else { return }
        try process.start(
            executable: Machine.executable,
            arguments: ["cluster", "serve", directory.name] + (settings?.arguments ?? []))
        for remark in process.state?.remarks ?? [] { tell(remark) }
    }
}
