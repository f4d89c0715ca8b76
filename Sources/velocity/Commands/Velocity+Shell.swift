import ArgumentParser
import Cluster
import CourseModel
import Foundation
import TerminalScreen

struct Shell: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Open the lab shell: your own shell, in the lab's folder, with kubectl wired to the cluster.")
    @Argument(help: "LAB; where you are, when not given.") var path: String?

    func run() async throws {
        let content = try CourseAccess.content()
        let (lab, _, _) = try CourseAccess.find(path, in: content)
        let directory = try Machine.home().cluster(EmbeddedCluster.defaultName)
        try EmbeddedCluster.up(directory, settings: nil)
        let session = try LabShell(lab: lab, cluster: directory)
        for line in session.greeting { Output.remark(line) }
        let status = session.run()
        CourseAccess.manifestFaults(lab).forEach(Output.remark)
        if status != 0 { throw ExitCode(status) }
    }
}

/// The learner's own shell, set up for a lab.
struct LabShell: Sendable {
    let greeting: [String]
    private let program: String
    private let folder: String
    private let environment: [String: String]

    init(lab: Lab, cluster: ClusterDirectory) throws {
        folder = try CourseAccess.prepareFolder(lab)
        program =
            Machine.environment["SHELL"].flatMap { FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil }
            ?? "/bin/sh"
        var environment = Machine.environment
        environment["KUBECONFIG"] = cluster.kubeconfigFile
        environment["VELOCITY_LAB"] = lab.id.rawValue
        environment["PS1"] = "(\(lab.id)) \\w $ "
        self.environment = environment
        var greeting = ["The lab shell of '\(lab.id)', in \(folder). `exit` brings you back."]
        if Machine.find("kubectl") == nil {
            greeting.append("kubectl is not installed, so the lab's commands will not be found.")
            greeting.append("hint: Install it: https://kubernetes.io/docs/tasks/tools/install-kubectl-linux/")
        } else {
            greeting.append("kubectl reaches the cluster: try `kubectl get nodes`.")
        }
        self.greeting = greeting
    }

    /// Runs the shell on this terminal; returns its exit code.
    func run() -> Int32 { Foreground.run(program, environment: environment, directory: folder) }
}
