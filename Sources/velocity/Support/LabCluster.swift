import Checkers
import Cluster
import Foundation
import KubeClient

/// The cluster that a lab is worked on in: the embedded one, or one of the learner's own kubeconfig.
enum LabCluster: Sendable {
    case embedded(ClusterDirectory)
    /// A context of a kubeconfig; nil takes the current context, and the files that kubectl would take.
    case real(context: String?, kubeconfig: String?)

    static func embedded() throws -> LabCluster { .embedded(try Machine.home().cluster(EmbeddedCluster.defaultName)) }

    var isEmbedded: Bool { if case .embedded = self { true } else { false } }

    /// How the record names the cluster that was judged.
    var name: String {
        switch self {
        case .embedded(let directory): directory.name
        case .real(let context, _): "context \(context ?? "current")"
        }
    }

    /// A client; the embedded cluster is started when it does not run.
    func client() throws -> any ClusterClient {
        switch self {
        case .embedded(let directory):
            try EmbeddedCluster.up(directory, settings: nil)
            return try EmbeddedCluster.client(of: directory)
        case .real(let context, let kubeconfig):
            let config = try Kubeconfig.load(path: kubeconfig, environment: Machine.environment)
            return try HTTPSClient(kubeconfig: config, context: context)
        }
    }

    /// A client for a cluster that runs already; nothing is started.
    func presentClient() throws -> any ClusterClient {
        guard case .embedded(let directory) = self else { return try client() }
        return try EmbeddedCluster.client(of: directory)
    }

    /// Deadlines shrink with the waits of an embedded cluster whose time runs faster.
    var checkOptions: CheckOptions {
        guard case .embedded(let directory) = self else { return CheckOptions(isEmbedded: false) }
        return CheckOptions(limitFactor: 1 / (ClusterProcess(directory).state?.timeFactor ?? 1))
    }

    /// Held while this cluster is judged; nil for one that other programs use as well.
    func lock() throws -> CheckLock? {
        guard case .embedded(let directory) = self else { return nil }
        return try CheckLock(directory)
    }

    /// A kubeconfig for shells and scripts, which may change it: the learner's own is never written.
    func kubeconfigForShells() throws -> String {
        switch self {
        case .embedded(let directory):
            try FrontEndNames.load(directory).writeContexts(directory)
            return FrontEndNames.path(directory)
        case .real(let context, let kubeconfig):
            let config = try Kubeconfig.load(path: kubeconfig, environment: Machine.environment)
            return try PrivateKubeconfig.write(context ?? config.currentContext, of: config, from: kubeconfig)
        }
    }

    /// A folder for scripts that are run here.
    func scriptFolder(_ name: String) throws -> String {
        switch self {
        case .embedded(let directory): "\(directory.runDirectory)/\(name)"
        case .real: "\(try Machine.home().path)/contexts/\(name)"
        }
    }
}

/// One context of the learner's kubeconfig in a file of ours, certificates and all.
private enum PrivateKubeconfig {
    static func write(_ context: String, of config: Kubeconfig, from kubeconfig: String?) throws -> String {
        guard config.contexts[context] != nil else {
            let known = config.contexts.keys.sorted().joined(separator: ", ")
            throw ClusterError("There is no context '\(context)'.", hint: "Known contexts: \(known).")
        }
        guard let kubectl = Machine.find("kubectl") else {
            throw ClusterError(
                "kubectl is not installed, and a shell on the context '\(context)' needs it.",
                hint: "Install it: https://kubernetes.io/docs/tasks/tools/install-kubectl-linux/")
        }
        var environment = Machine.environment
        if let kubeconfig { environment["KUBECONFIG"] = kubeconfig }
        let folder = try Machine.home().path + "/contexts"
        let path =
            "\(folder)/\(context.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" }.map(String.init).joined()).kubeconfig"
        // Where kubectl looks by default is the learner's choice, and outlives the shell in which it was made.
        let chosen = try? Kubeconfig.load(path: path, environment: [:]).contexts[context]?.namespace
        let copy = BlockingProcess.run(
            [kubectl, "config", "view", "--raw", "--flatten", "--minify", "--context", context],
            environment: environment)
        guard copy.exitCode == 0 else {
            throw ClusterError("kubectl cannot read the context '\(context)': \(copy.output)")
        }
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try Data(copy.output.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        } catch {
            throw ClusterError("'\(path)' cannot be written: \(error.localizedDescription)")
        }
        if let chosen, chosen != config.contexts[context]?.namespace {
            environment["KUBECONFIG"] = path
            _ = BlockingProcess.run(
                [kubectl, "config", "set-context", "--current", "--namespace", chosen], environment: environment)
        }
        return path
    }
}
