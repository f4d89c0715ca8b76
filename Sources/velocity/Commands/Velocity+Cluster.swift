public import ArgumentParser
public import Cluster
public import ContainerRuntime
import Foundation
import KubeClient
import KubeModel

extension RuntimeLevel: ExpressibleByArgument {}
extension Egress: ExpressibleByArgument {}
extension ClusterSettings.Pace: ExpressibleByArgument {}

struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "The embedded cluster: a background process of yours.",
        subcommands: [
            Up.self, Down.self, Status.self, View.self, Delete.self, List.self, PrintKubeconfig.self, Serve.self,
        ])

    struct Name: ParsableArguments {
        @Argument(help: "The cluster's name.")
        var name = EmbeddedCluster.defaultName

        func validate() throws {
            guard !name.isEmpty, name.count <= 40,
                name.allSatisfy({ $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") })
            else { throw ValidationError("A cluster's name has lower-case letters, digits and '-' only, 40 at most.") }
        }

        func directory() throws -> ClusterDirectory { try Machine.home().cluster(name) }
    }

    /// How to run it; what is not given stays as it was.
    struct Settings: ParsableArguments {
        @Option(help: "sandbox, plain or simulated; the best that works when not given.")
        var runtime: RuntimeLevel?

        @Option(help: "lesson (states stay long enough to be seen) or instant.")
        var pace: ClusterSettings.Pace?

        @Option(help: "Divides the waits that Kubernetes prescribes: probe delays, grace periods, back-off.")
        var timeFactor: Double?

        @Option(help: "The API's port on 127.0.0.1.")
        var port: Int?

        @Option(help: "How many nodes, 1 to \(NodeNetwork.nodesMax); all of them are this machine.")
        var nodes: Int?

        @Flag(inversion: .prefixedNo, help: "Fetch images that are not here from their registries.")
        var pull: Bool?

        @Option(help: "Where pods may connect to besides the cluster: none, host (this machine) or outside.")
        var allowEgress: Egress?

        func validate() throws {
            if let timeFactor, !(timeFactor >= 1 && timeFactor <= 1000) {
                throw ValidationError("--time-factor is from 1 to 1000.")
            }
            if let nodes, !(1...NodeNetwork.nodesMax ~= nodes) {
                throw ValidationError("--nodes is from 1 to \(NodeNetwork.nodesMax).")
            }
            if let port, !(0...65_535 ~= port) {
                throw ValidationError("--port is from 0 to 65535; 0 takes any free one.")
            }
        }

        func applied(to settings: ClusterSettings) -> ClusterSettings {
            var settings = settings
            if let runtime { settings.level = runtime }
            if let pace { settings.pace = pace }
            if let timeFactor { settings.timeFactor = timeFactor }
            if let port { settings.port = port }
            if let nodes { settings.nodes = nodes }
            if let allowEgress { settings.egress = allowEgress }
            if let pull { settings.pullsImages = pull }
            return settings
        }
    }

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Start a cluster; returns when its node is Ready.")
        @OptionGroup var name: Name
        @OptionGroup var settings: Settings
        @Flag(help: "Wait until the node is Ready (it always does; for scripts that say so).")
        var wait = false

        func run() async throws {
            let directory = try name.directory()
            let process = ClusterProcess(directory)
            if process.isRunning {
                Output.remark("The cluster '\(directory.name)' runs already. `velocity cluster down` stops it.")
            } else {
                try EmbeddedCluster.up(directory, settings: settings.applied(to: ClusterSettings.load(directory)))
            }
            guard let state = process.state else { return }
            Output.line("The cluster '\(directory.name)' is ready: node \(state.node), \(state.summary).")
            Output.remark("hint: `velocity shell` opens a shell where kubectl reaches it.")
        }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Stop a cluster; what it holds is kept.")
        @OptionGroup var name: Name

        func run() async throws {
            let process = ClusterProcess(try name.directory())
            guard process.isRunning else { return Output.remark("The cluster '\(name.name)' does not run.") }
            try process.stop()
            Output.line("The cluster '\(name.name)' is stopped. Its objects are kept; `velocity cluster up` goes on.")
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say whether a cluster runs, and how. Exit 1 if not.")
        @OptionGroup var name: Name
        @Flag(help: "As JSON.") var json = false

        func run() async throws {
            let directory = try name.directory()
            let state = ClusterProcess(directory).state
            if json {
                Output.line(state?.value.text ?? "null")
            } else if let state {
                Output.line(
                    "The cluster '\(directory.name)' runs: node \(state.node), \(state.summary), since \(state.startedAt)."
                )
                for remark in state.remarks { Output.line(remark) }
            } else {
                Output.line("The cluster '\(directory.name)' does not run.")
            }
            if state == nil { throw ExitCode(1) }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Stop a cluster and remove all it holds.")
        @OptionGroup var name: Name

        func run() async throws {
            let directory = try name.directory()
            try ClusterProcess(directory).stop()
            try directory.delete()
            Output.line("The cluster '\(directory.name)' is deleted.")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the clusters.")

        func run() async throws {
            let home = try Machine.home()
            let rows = home.clusterNames.map { name in
                let state = ClusterProcess(home.cluster(name)).state
                return [
                    name, state == nil ? "stopped" : "running", state?.level ?? "-", state.map { "\($0.port)" } ?? "-",
                ]
            }
            Output.table(["NAME", "STATE", "RUNTIME", "PORT"], rows)
        }
    }

    struct PrintKubeconfig: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "kubeconfig", abstract: "Print the cluster's kubeconfig (YAML).")
        @OptionGroup var name: Name
        @Flag(help: "Write it into your own kubeconfig instead ($KUBECONFIG or ~/.kube/config).")
        var merge = false

        func run() async throws {
            let directory = try name.directory()
            guard let text = try? String(contentsOfFile: directory.kubeconfigFile, encoding: .utf8) else {
                throw ClusterError(
                    "The cluster '\(directory.name)' has never been started, so it has no kubeconfig.",
                    hint: "Run: velocity cluster up \(directory.name)")
            }
            guard merge else { return Output.text(text) }
            let own = Machine.environment["KUBECONFIG"].flatMap { $0.split(separator: ":").first.map(String.init) }
            let path = own ?? Machine.userHome + "/.kube/config"
            try Kubeconfig.merge(file: directory.kubeconfigFile, into: path)
            Output.line("The context 'velocitylab' is in '\(path)' now.")
        }
    }

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run a cluster in the foreground; `up` starts this in the background.", shouldDisplay: false)
        @OptionGroup var name: Name
        @OptionGroup var settings: Settings
        @Option(help: .hidden) var reportsTo: Int32?

        func run() async throws {
            let directory = try name.directory()
            try await ClusterServer.serve(
                directory, settings: settings.applied(to: ClusterSettings.load(directory)), reportsTo: reportsTo)
        }
    }
}

extension ClusterProcess.State {
    var summary: String {
        let factor = timeFactor == 1 ? "" : ", waits divided by \(timeFactor)"
        return "runtime \(level), pace \(pace)\(factor), https://127.0.0.1:\(port)"
    }
}
