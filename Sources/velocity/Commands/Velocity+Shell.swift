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
        let cluster = try cluster.choice
        if case .embedded(let directory) = cluster { try EmbeddedCluster.up(directory, settings: nil) }
        let session = try LabShell(lab: lab, cluster: cluster)
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

    /// kubectl gets a kubeconfig of its own: what is typed here may change it, and not the learner's.
    init(lab: Lab, cluster: LabCluster) throws {
        var variables = ["KUBECONFIG": try cluster.kubeconfigForShells(), FrontEnd.realClusterVariable: ""]
        var about = "the cluster"
        if case .real = cluster {
            let context = try Kubeconfig.load(path: variables["KUBECONFIG"], environment: [:]).currentContext
            variables[FrontEnd.realClusterVariable] = context
            about = "your context '\(context)'"
        }
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
            greeting.append("kubectl reaches \(about): try `kubectl get nodes`.")
        }
        self.greeting = greeting
    }

    /// Runs the shell on this terminal; returns its exit code.
    func run() -> Int32 { Foreground.run(program, environment: environment, directory: folder) }
}
