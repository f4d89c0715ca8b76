import ArgumentParser
import Cluster
import ContainerRuntime
import Foundation
import KubeClient
import Yams

/// `kind`, for the embedded cluster: each name is one more context for it.
struct KindCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kind", abstract: "What `kind` calls in the lab shell: its commands, for the embedded cluster.")
    @Argument(parsing: .captureForPassthrough) var words: [String] = []

    private static let flags: [FrontEndWords.Flag] = [
        .value("name", "n"), .value("config"), .value("image"), .value("wait"), .value("kubeconfig"), .toggle("retain"),
        .toggle("internal"), .toggle("quiet", "q"), .value("verbosity", "v"), .toggle("all", "A"), .toggle("help", "h"),
        .toggle("version"),
    ]

    private static let help = """
        kind, as VelocityLab answers it:

        kind create cluster [--name NAME], kind delete cluster [--name NAME]
        kind get clusters | nodes | kubeconfig, kind export kubeconfig | logs [DIR]
        kind load docker-image IMAGE…, kind load image-archive FILE
        kind version

        """

    func run() async throws {
        try await FrontEnd.kind.run(words) { words in
            let read = try FrontEndWords(words, Self.flags, usage: "kind")
            if read.has("version") { return Output.line("kind version \(FrontEnd.version)") }
            if read.has("help") || read.operands.isEmpty { return Output.text(Self.help) }
            let directory = try Machine.home().cluster(EmbeddedCluster.defaultName)
            let kind = Kind(read: read, directory: directory)
            switch (read.operand(0) ?? "", read.operand(1) ?? "") {
            case ("create", "cluster"): try kind.create()
            case ("delete", "cluster"): try kind.delete(kind.name)
            case ("delete", "clusters"):
                let names = read.has("all") ? kind.names.kind : Array(read.operands.dropFirst(2))
                for name in names { try kind.delete(name) }
            case ("export", "logs"): try kind.exportLogs(to: read.operand(2))
            case ("get", "clusters"):
                if kind.names.kind.isEmpty { Output.remark("No kind clusters found.") }
                kind.names.kind.forEach(Output.line)
            case ("get", "nodes"):
                try kind.require()
                ClusterSettings.load(directory).nodeNames.forEach(Output.line)
            case ("get", "kubeconfig"), ("export", "kubeconfig"):
                try kind.kubeconfig(isExport: read.operand(0) == "export")
            case ("load", "docker-image"), ("load", "image-archive"): try kind.load(read.operands.dropFirst(2))
            case ("version", ""): Output.line("kind \(FrontEnd.version) \(FrontEnd.platform)")
            default:
                throw FrontEndFailure(
                    lines: [
                        "ERROR: unknown command \"\(read.operands.joined(separator: " "))\" for \"kind\", or one that VelocityLab"
                            + " does not answer.", "hint: `kind --help` lists those that it does.",
                    ])
            }
        }
    }
}

/// One command of kind.
private struct Kind {
    let read: FrontEndWords
    let directory: ClusterDirectory

    var name: String { read["name"] ?? Machine.environment["KIND_CLUSTER_NAME"] ?? "kind" }
    var names: FrontEndNames { .load(directory) }

    func require() throws {
        guard names.kind.contains(name) else {
            throw FrontEndFailure(
                lines: [
                    "ERROR: no nodes found for cluster \"\(name)\"",
                    "hint: Make it: kind create cluster --name \(name)",
                ])
        }
    }

    func create() throws {
        guard !name.isEmpty, name.count <= 40,
            name.allSatisfy({ $0.isASCII && ($0.isLowercase || $0.isNumber || ".-".contains($0)) })
        else {
            throw FrontEndFailure(
                lines: [
                    "ERROR: failed to create cluster: '\(name)' is not a valid cluster name, cluster names must match `^[a-z0-9.-]+$`"
                ])
        }
        if names.kind.contains(name) {
            throw FrontEndFailure(
                lines: [
                    "ERROR: failed to create cluster: node(s) already exist for a cluster with the name \"\(name)\""
                ])
        }
        let nodes = try read["config"].map(nodeCount)
        Output.remark("Creating cluster \"\(name)\" ...")
        if ClusterProcess(directory).isRunning {
            Output.remark("The cluster '\(directory.name)' runs already; \"\(name)\" is another name for it.")
        }
        if let nodes {
            try EmbeddedCluster.up(directory, nodes: nodes)
        } else {
            try EmbeddedCluster.up(directory, settings: nil)
        }
        Output.remark(" ✓ Starting control-plane 🕹️")
        var names = names
        names.kind.append(name)
        try names.save(directory)
        Output.remark("Set kubectl context to \"kind-\(name)\"")
        Output.remark("You can now use your cluster with:\n\nkubectl cluster-info --context kind-\(name)\n")
        FrontEndNames.remarkUnlessWired(directory)
    }

    /// How many nodes a configuration of kind's lists; nothing else in it has an effect here, and that is said.
    private func nodeCount(_ path: String) throws -> Int {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw FrontEndFailure(
                lines: ["ERROR: failed to create cluster: error reading file: open \(path): no such file or directory"])
        }
        guard let config = try? Yams.load(yaml: text) as? [String: Any] else {
            throw FrontEndFailure(lines: ["ERROR: failed to create cluster: \(path) is no configuration of a cluster"])
        }
        let ofNodes = (config["nodes"] as? [[String: Any]] ?? []).flatMap(\.keys)
        let idle = Set(config.keys).union(ofNodes)
            .subtracting(["kind", "apiVersion", "nodes", "name", "role"]).sorted()
        if !idle.isEmpty {
            Output.remark("Without effect here: \(idle.joined(separator: ", ")) in \(path).")
        }
        let count = (config["nodes"] as? [Any])?.count ?? 1
        guard 1...NodeNetwork.nodesMax ~= count else {
            throw FrontEndFailure(
                lines: [
                    "ERROR: failed to create cluster: \(path) lists \(count) nodes, and VelocityLab has 1 to "
                        + "\(NodeNetwork.nodesMax)."
                ])
        }
        return count
    }

    /// The cluster goes with its last name.
    func delete(_ name: String) throws {
        Output.remark("Deleting cluster \"\(name)\" ...")
        var names = names
        guard let index = names.kind.firstIndex(of: name) else { return }
        names.kind.remove(at: index)
        if names.kind.isEmpty, !names.minikube {
            try ClusterProcess(directory).stop()
            try directory.delete()
            Output.remark("Deleted nodes: [\"\(name)-control-plane\"]")
        } else {
            try names.save(directory)
            Output.remark(
                "The name is gone. The cluster stays: it is also called \(names.contexts(directory).joined(separator: ", "))."
            )
        }
    }

    func kubeconfig(isExport: Bool) throws {
        try require()
        if isExport {
            try names.save(directory)
            Output.remark("Set kubectl context to \"kind-\(name)\"")
            return FrontEndNames.remarkUnlessWired(directory)
        }
        // Its context has the name that kind gives it.
        let text = try String(contentsOfFile: directory.kubeconfigFile, encoding: .utf8)
        let own = try Kubeconfig.load(path: directory.kubeconfigFile, environment: [:]).currentContext
        Output.text(
            text.replacingOccurrences(of: "- name: \(own)\n  context:", with: "- name: kind-\(name)\n  context:")
                .replacingOccurrences(of: "current-context: \(own)\n", with: "current-context: kind-\(name)\n"))
    }

    func exportLogs(to folder: String?) throws {
        try require()
        let target = folder ?? NSTemporaryDirectory() + "/\(name)-logs-\(getpid())"
        do {
            try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
            let source = directory.path + "/logs"
            for item in try FileManager.default.contentsOfDirectory(atPath: source) {
                try FileManager.default.copyItem(atPath: "\(source)/\(item)", toPath: "\(target)/\(item)")
            }
        } catch {
            throw FrontEndFailure(lines: ["ERROR: the logs cannot be written: \(error.localizedDescription)"])
        }
        Output.remark("Exported logs for cluster \"\(name)\" to:")
        Output.line(target)
    }

    func load(_ images: ArraySlice<String>) throws {
        guard !images.isEmpty else { throw FrontEndFailure(lines: ["ERROR: a list of image names is required"]) }
        try require()
        let local = try LocalImages.open()
        for image in images {
            let isArchive = read.operand(1) == "image-archive"
            guard isArchive || local.isHere(image) else {
                throw FrontEndFailure(
                    lines: [
                        "ERROR: image: \"\(image)\" not present locally",
                        "hint: Build it first: docker build -t \(image) .",
                    ])
            }
            if isArchive {
                try local.load(image)
            } else {
                Output.remark("Image: \"\(image)\" is on this machine, so it is in the cluster already.")
            }
        }
    }
}
