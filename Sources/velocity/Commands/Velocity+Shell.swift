import ArgumentParser
import Cluster
import CourseModel
import Foundation
import KubeClient
import TerminalScreen

struct Shell: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Open the lab shell: your own shell, in the lab's folder, with kubectl wired to the cluster.")
    @Argument(help: "LAB; where you are, when not given.") var path: String?
    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let content = try CourseAccess.content()
        let (lab, _, _) = try CourseAccess.find(path, in: content)
        let session: LabShell
        if cluster.isEmbedded {
            let directory = try Machine.home().cluster(EmbeddedCluster.defaultName)
            try EmbeddedCluster.up(directory, settings: nil)
            session = try LabShell(lab: lab, cluster: directory)
        } else {
            session = try LabShell(lab: lab, real: cluster)
        }
        for line in session.greeting { Output.remark(line) }
        let status = session.run()
        CourseAccess.manifestFaults(lab).forEach(Output.remark)
        if status != 0 { throw ExitCode(status) }
    }
}

/// The learner's own shell, set up for a lab.
///
/// `minikube`, `kind` and `docker` come first on its PATH: they answer for the embedded cluster, and step aside on a real one.
struct LabShell: Sendable {
    let greeting: [String]
    private let program: String
    private let folder: String
    private let environment: [String: String]

    init(lab: Lab, cluster: ClusterDirectory) throws {
        try FrontEndNames.load(cluster).writeContexts(cluster)
        try self.init(
            lab: lab, variables: ["KUBECONFIG": FrontEndNames.path(cluster), FrontEnd.realClusterVariable: ""],
            about: "the cluster")
    }

    /// A shell on a cluster of the learner's own kubeconfig.
    init(lab: Lab, real cluster: ClusterOptions) throws {
        let files = cluster.kubeconfig ?? Machine.environment["KUBECONFIG"] ?? Machine.userHome + "/.kube/config"
        let kubeconfig = try Kubeconfig.load(path: cluster.kubeconfig, environment: Machine.environment)
        let context = cluster.context ?? kubeconfig.currentContext
        guard kubeconfig.contexts[context] != nil else {
            let known = kubeconfig.contexts.keys.sorted().joined(separator: ", ")
            throw ClusterError("There is no context '\(context)'.", hint: "Known contexts: \(known).")
        }
        // kubectl takes the current context from the first file that has one.
        let choice = try Machine.home().path + "/current-context.kubeconfig"
        let text = "apiVersion: v1\nkind: Config\ncurrent-context: \"\(context)\"\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: choice), options: .atomic)
        try self.init(
            lab: lab, variables: ["KUBECONFIG": "\(choice):\(files)", FrontEnd.realClusterVariable: context],
            about: "your context '\(context)'")
    }

    private init(lab: Lab, variables: [String: String], about cluster: String) throws {
        folder = try CourseAccess.prepareFolder(lab)
        program =
            Machine.environment["SHELL"].flatMap { FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil }
            ?? "/bin/sh"
        var environment = Machine.environment
        let tools = try FrontEnd.install(in: Machine.home())
        environment["PATH"] = tools + ":" + (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
        environment["VELOCITY_LAB"] = lab.id.rawValue
        environment["PS1"] = "(\(lab.id)) \\w $ "
        self.environment = environment.merging(variables) { $1 }
        var greeting = ["The lab shell of '\(lab.id)', in \(folder). `exit` brings you back."]
        if Machine.find("kubectl") == nil {
            greeting.append("kubectl is not installed, so the lab's commands will not be found.")
            greeting.append("hint: Install it: https://kubernetes.io/docs/tasks/tools/install-kubectl-linux/")
        } else {
            greeting.append("kubectl reaches \(cluster): try `kubectl get nodes`.")
        }
        self.greeting = greeting
    }

    /// Runs the shell on this terminal; returns its exit code.
    func run() -> Int32 { Foreground.run(program, environment: environment, directory: folder) }
}
