import ArgumentParser
import Cluster
import ContainerRuntime
import Foundation

extension Minikube {
    /// Flags that choose what a virtual machine or a container engine is given; there is neither here.
    private static let idleFlags = [
        "driver", "vm-driver", "cpus", "memory", "disk-size", "container-runtime", "cni", "kubernetes-version",
        "extra-config", "feature-gates", "wait", "wait-timeout", "base-image", "image-mirror-country", "mount-string",
        "insecure-registry", "registry-mirror", "apiserver-ips", "apiserver-names", "service-cluster-ip-range",
        "subnet",
        "static-ip", "namespace",
    ]

    mutating func start(_ words: [String]) async throws {
        let read = try read(
            words,
            Self.idleFlags.map { .value($0) } + [
                .value("nodes", "n"), .value("addons"), .toggle("force"), .toggle("mount"), .toggle("embed-certs"),
                .toggle("install-addons"), .toggle("interactive"), .toggle("download-only"),
                .toggle("delete-on-failure"),
                .toggle("keep-context"), .toggle("preload"), .toggle("dry-run"), .value("output", "o"),
            ], "start")
        let nodes = read["nodes"].map { Int($0) ?? 0 }
        if let nodes, !(1...NodeNetwork.nodesMax ~= nodes) {
            throw FrontEndFailure(
                "--nodes asks for \(read["nodes"] ?? "") nodes, and VelocityLab's cluster has 1 to \(NodeNetwork.nodesMax).",
                hint: "Leave --nodes out for one.", code: 14)
        }
        let idle = read.given(Self.idleFlags).map { "--\($0)" }
        if !idle.isEmpty {
            Output.remark(
                "Without effect here: \(idle.joined(separator: ", ")). Pods are processes of this machine, with all that it has."
            )
        }
        let directory = try directory()
        Output.line("😄  minikube \(FrontEnd.version) on \(Self.systemName)")
        let existed = ClusterProcess(directory).isRunning
        if existed { Output.line("✨  Using the cluster that runs already: '\(directory.name)'") }
        Output.line("👍  Starting \"\(profile)\" primary control-plane node in \"\(profile)\" cluster")
        if let nodes {
            try EmbeddedCluster.up(directory, nodes: nodes)
        } else {
            try EmbeddedCluster.up(directory, settings: nil)
        }
        var names = FrontEndNames.load(directory)
        names.minikube = true
        try names.save(directory)
        let summary = ClusterProcess(directory).state.map { ", \($0.summary)" } ?? ""
        Output.line("🐳  Kubernetes \(FrontEnd.kubernetesVersion) on VelocityLab\(summary)")
        Output.line(
            "🏄  Done! kubectl is now configured to use \"\(profile)\" cluster and \"default\" namespace by default")
        FrontEndNames.remarkUnlessWired(directory)
        for addon in read.all("addons").flatMap({ $0.split(separator: ",") }) {
            try await addons(["enable", String(addon)])
        }
    }

    private static var systemName: String {
        let text = (try? String(contentsOfFile: "/etc/os-release", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        return line.map { $0.dropFirst(12).filter { $0 != "\"" } } ?? "Linux"
    }

    mutating func stop(_ words: [String]) throws {
        _ = try read(words, [.toggle("all"), .toggle("keep-context-active"), .value("schedule")], "stop")
        let process = ClusterProcess(try directory())
        if !process.isRunning { _ = try running() }
        Output.line("✋  Stopping node \"\(profile)\"  ...")
        try process.stop()
        Output.line("🛑  \(ClusterSettings.load(try directory()).nodeWords) stopped.")
    }

    mutating func delete(_ words: [String]) throws {
        let read = try read(words, [.toggle("all"), .toggle("purge"), .value("output", "o")], "delete")
        if read.has("all") {
            for name in try Machine.home().clusterNames {
                profile = name == EmbeddedCluster.defaultName ? "minikube" : name
                try delete([])
            }
            return Output.line("🔥  Successfully deleted all profiles")
        }
        let directory = try directory()
        guard FileManager.default.fileExists(atPath: directory.storeFile) else {
            return Output.line("🙄  \"\(profile)\" profile does not exist, trying anyways.")
        }
        Output.line("🔥  Deleting \"\(profile)\" in VelocityLab ...")
        try ClusterProcess(directory).stop()
        try directory.delete()
        Output.line("💀  Removed all traces of the \"\(profile)\" cluster.")
    }

    mutating func status(_ words: [String]) throws {
        let read = try read(
            words, [.value("output", "o"), .value("format", "f"), .value("node", "n"), .value("layout", "l")], "status")
        let directory = try directory()
        if !FileManager.default.fileExists(atPath: directory.storeFile) { _ = try running() }
        let isRunning = ClusterProcess(directory).isRunning
        let state = isRunning ? "Running" : "Stopped"
        let kubeconfig = isRunning ? "Configured" : "Stopped"
        if let format = read["format"] {
            var text = format
            for (field, value) in [
                ("Name", profile), ("Host", state), ("Kubelet", state), ("APIServer", state),
                ("Kubeconfig", kubeconfig),
            ] { text = text.replacingOccurrences(of: "{{.\(field)}}", with: value) }
            Output.line(text)
        } else if read["output"] == "json" {
            Output.line(
                #"{"Name":"\#(profile)","Host":"\#(state)","Kubelet":"\#(state)","APIServer":"\#(state)","#
                    + #""Kubeconfig":"\#(kubeconfig)","Worker":false}"#)
        } else {
            Output.line(
                """
                \(profile)
                type: Control Plane
                host: \(state)
                kubelet: \(state)
                apiserver: \(state)
                kubeconfig: \(kubeconfig)

                """)
            for name in ClusterSettings.load(directory).nodeNames.dropFirst() {
                Output.line("\(name)\ntype: Worker\nhost: \(state)\nkubelet: \(state)\n")
            }
        }
        if !isRunning { throw ExitCode(7) }
    }

    mutating func dockerEnvironment(_ words: [String]) throws {
        let read = try read(
            words,
            [.value("shell"), .toggle("unset", "u"), .toggle("ssh-host"), .toggle("no-proxy"), .value("output", "o")],
            "docker-env")
        _ = try running()
        let folder = try FrontEnd.install(in: Machine.home())
        let name = "MINIKUBE_ACTIVE_DOCKERD"
        let shell = read["shell"] ?? Machine.environment["SHELL"]?.split(separator: "/").last.map(String.init) ?? "sh"
        let command = "minikube -p \(profile) docker-env"
        // `docker` is VelocityLab's as soon as its folder comes first; the real one's address is taken away.
        let isUnset = read.has("unset")
        switch shell {
        case "powershell", "pwsh":
            Output.line(isUnset ? "Remove-Item Env:\\\\\(name)" : "$Env:\(name) = \"\(profile)\"")
            Output.line("# To point your shell to VelocityLab's images, run:")
            Output.line("# & \(command) --shell powershell | Invoke-Expression")
        case "cmd":
            Output.line(isUnset ? "SET \(name)=" : "SET \(name)=\(profile)")
            Output.line("REM To point your shell to VelocityLab's images, run:")
            Output.line("REM @FOR /f \"tokens=*\" %i IN ('\(command) --shell cmd') DO @%i")
        case "fish":
            Output.line(
                isUnset ? "set -e \(name);" : "set -gx \(name) \"\(profile)\";\nset -gx PATH \"\(folder)\" $PATH;")
            Output.line("# To point your shell to VelocityLab's images, run:\n# \(command) | source")
        default:
            Output.line(
                isUnset
                    ? "unset \(name);"
                    : "export \(name)=\"\(profile)\"\nexport PATH=\"\(folder):$PATH\"\nunset DOCKER_HOST")
            Output.line("\n# To point your shell to VelocityLab's images, run:\n# eval $(\(command))")
        }
    }
}
