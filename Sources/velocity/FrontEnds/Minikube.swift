import ArgumentParser
import Cluster
import ContainerRuntime
import Foundation

/// `minikube`, for the embedded cluster.
struct MinikubeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "minikube",
        abstract: "What `minikube` calls in the lab shell: its commands, for the embedded cluster.")
    @Argument(parsing: .captureForPassthrough) var words: [String] = []

    func run() async throws {
        try await FrontEnd.minikube.run(words) { words in
            // Flags of all commands may stand before the command.
            let head = try FrontEndWords(words, Self.common, usage: "minikube", stopsAtOperand: true)
            var rest = head.rest[...]
            guard let verb = rest.popFirst() else { return Output.text(Self.help) }
            var minikube = Minikube()
            minikube.profile = head["profile"] ?? "minikube"
            try await minikube.perform(verb, Array(rest))
        }
    }

    static let common: [FrontEndWords.Flag] = [
        .value("profile", "p"), .toggle("help", "h"), .toggle("alsologtostderr"), .value("v", "v"), .value("user"),
    ]

    static let help = """
        minikube, as VelocityLab answers it:

        minikube start | stop | delete | status | ip | version | profile [list]
        minikube service NAME [--url] [-n NAMESPACE], minikube service list
        minikube node list
        minikube image ls | load FILE-OR-NAME | build -t NAME DIR | pull NAME | tag SOURCE TARGET | rm NAME
        minikube docker-env [--shell bash|fish|powershell|cmd] [-u]
        minikube addons list | enable NAME | disable NAME
        minikube kubectl -- …, minikube dashboard, minikube tunnel, minikube logs

        """
}

/// One command of minikube.
struct Minikube {
    var profile = "minikube"

    /// The cluster of the profile: `minikube` is the labs' own.
    func directory() throws -> ClusterDirectory {
        if profile == "minikube" { return try Machine.home().cluster(EmbeddedCluster.defaultName) }
        guard !profile.isEmpty, profile.count <= 40,
            profile.allSatisfy({ $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") })
        else {
            throw FrontEndFailure(
                lines: ["❌  Exiting due to MK_USAGE: '\(profile)' is not a valid profile name"], code: 14)
        }
        return try Machine.home().cluster(profile)
    }

    mutating func perform(_ verb: String, _ words: [String]) async throws {
        switch verb {
        case "start": try await start(words)
        case "stop": try stop(words)
        case "delete": try delete(words)
        case "status": try status(words)
        case "service": try await service(words)
        case "ip":
            _ = try read(words, [], "ip")
            _ = try running()
            Output.line("127.0.0.1")
        case "docker-env", "podman-env": try dockerEnvironment(words)
        case "image", "cache": try await image(words)
        case "addons": try await addons(words)
        case "dashboard":
            let read = try read(words, [.toggle("url"), .value("port")], "dashboard")
            _ = try running()
            if Machine.canShowScreens, !read.has("url") { return try await ClusterCommand.View.show(try directory()) }
            throw FrontEndFailure(
                "VelocityLab has its own view of the cluster instead of a page in the browser.",
                hint: "Open it in a terminal: velocity cluster view")
        case "version": try version(words)
        case "profile": try profiles(words)
        case "kubectl": try kubectl(words)
        case "tunnel":
            _ = try read(words, [.toggle("cleanup", "c")], "tunnel")
            Output.line(
                "✅  Nothing to do: Services of type LoadBalancer are reached from this machine without a tunnel.")
        case "logs":
            _ = try read(
                words, [.toggle("follow", "f"), .value("length", "n"), .toggle("problems"), .value("file")], "logs")
            let path = try directory().logFile
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            Output.text(text)
            if text.isEmpty { Output.remark("The cluster has had nothing to complain of: '\(path)' is empty.") }
        case "update-check": Output.line("CurrentVersion: \(FrontEnd.version)\nLatestVersion: \(FrontEnd.version)")
        case "node": try node(words)
        case "config": try config(words)
        case "help", "--help", "-h": Output.text(MinikubeCommand.help)
        default:
            if let refusal = Self.refusals[verb] { throw refusal }
            throw FrontEndFailure(
                lines: [
                    "Error: unknown command \"\(verb)\" for \"minikube\", or one that VelocityLab does not answer.",
                    "hint: `minikube help` lists those that it does.",
                ])
        }
    }

    /// Reads the words after the verb; `-p` counts there as well.
    mutating func read(
        _ words: [String], _ flags: [FrontEndWords.Flag], _ verb: String
    ) throws -> FrontEndWords {
        // A command's own flag goes before a common one of the same letter.
        let own = Set(flags.compactMap(\.short))
        let common = MinikubeCommand.common.map { flag in
            FrontEndWords.Flag(
                name: flag.name, short: flag.short.flatMap { own.contains($0) ? nil : $0 }, takesValue: flag.takesValue)
        }
        let read = try FrontEndWords(words, flags + common, usage: "minikube \(verb)")
        if let name = read["profile"] { profile = name }
        if read.has("help") {
            Output.text(MinikubeCommand.help)
            throw ExitCode.success
        }
        return read
    }

    /// What a cluster that runs says of itself; refuses as minikube does when there is none.
    func running() throws -> ClusterProcess.State {
        let directory = try directory()
        if let state = ClusterProcess(directory).state { return state }
        if FileManager.default.fileExists(atPath: directory.storeFile) {
            throw FrontEndFailure(
                lines: [
                    "🤷  The control-plane node \(profile) host is not running: state=Stopped",
                    "👉  To start a cluster, run: \"\(startCommand)\"",
                ], code: 83)
        }
        throw FrontEndFailure(
            lines: [
                "🤷  Profile \"\(profile)\" not found. Run \"minikube profile list\" to view all profiles.",
                "👉  To start a cluster, run: \"\(startCommand)\"",
            ], code: 85)
    }

    var startCommand: String { profile == "minikube" ? "minikube start" : "minikube start -p \(profile)" }

    private mutating func version(_ words: [String]) throws {
        let read = try read(words, [.toggle("short"), .value("output", "o"), .toggle("components")], "version")
        if read.has("short") { return Output.line(FrontEnd.version) }
        if read["output"] == "json" { return Output.line(#"{"minikubeVersion":"\#(FrontEnd.version)"}"#) }
        Output.line("minikube version: \(FrontEnd.version)")
    }

    private mutating func profiles(_ words: [String]) throws {
        let read = try read(words, [.value("output", "o"), .toggle("light", "l")], "profile")
        guard let word = read.operand(0) else { return Output.line(profile) }
        if word == profile { return Output.line("✅  minikube profile was successfully set to \(word)") }
        guard word == "list" else {
            throw FrontEndFailure(
                "VelocityLab's commands work on the profile 'minikube'; a default cannot be set here.",
                hint: "Name it each time: minikube -p \(word) status")
        }
        let home = try Machine.home()
        let rows = home.clusterNames.map { name in
            let state = ClusterProcess(home.cluster(name)).state
            return [
                name == EmbeddedCluster.defaultName ? "minikube" : name, "velocitylab", state?.level ?? "-",
                "127.0.0.1", state.map { "\($0.port)" } ?? "-", FrontEnd.kubernetesVersion,
                state == nil ? "Stopped" : "Running",
                "\(ClusterSettings.load(home.cluster(name)).nodeNames.count)",
            ]
        }
        if read["output"] == "json" {
            let valid = rows.map { #"{"Name":"\#($0[0])","Status":"\#($0[6])"}"# }
            return Output.line(#"{"invalid":[],"valid":[\#(valid.joined(separator: ","))]}"#)
        }
        Output.text(
            BorderedTable.text(
                ["Profile", "VM Driver", "Runtime", "IP", "Port", "Version", "Status", "Nodes"], rows))
    }

    private mutating func kubectl(_ words: [String]) throws {
        let split = words.firstIndex(of: "--")
        _ = try read(Array(words[..<(split ?? 0)]), [.toggle("ssh")], "kubectl")
        _ = try running()
        guard let program = Machine.find("kubectl") else {
            throw FrontEndFailure(
                "kubectl is not installed.", hint: "https://kubernetes.io/docs/tasks/tools/install-kubectl-linux/")
        }
        setenv("KUBECONFIG", FrontEndNames.path(try directory()), 1)
        try FrontEnd.become(program, split.map { Array(words[($0 + 1)...]) } ?? words)
    }
}
