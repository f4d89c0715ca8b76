import Cluster
import Foundation
import KubeClient

/// The names under which minikube and kind know the embedded cluster.
///
/// There is one cluster, so that the course's checks find what the learner makes, whatever tool the learner called: a name is
/// another context for it. The names go with the cluster.
struct FrontEndNames: Codable {
    var minikube = false
    /// The names that `kind create cluster` was given, the first one first.
    var kind: [String] = []

    private static func file(_ directory: ClusterDirectory) -> String { directory.path + "/front-ends.json" }
    /// Stands beside the cluster's own kubeconfig, which each start writes anew.
    static func kubeconfig(_ directory: ClusterDirectory) -> String { directory.path + "/front-ends.kubeconfig" }

    static func load(_ directory: ClusterDirectory) -> FrontEndNames {
        guard let data = FileManager.default.contents(atPath: file(directory)),
            let names = try? JSONDecoder().decode(FrontEndNames.self, from: data)
        else { return FrontEndNames() }
        return names
    }

    /// The context of a minikube profile has the profile's name.
    func contexts(_ directory: ClusterDirectory) -> [String] {
        let profile = directory.name == EmbeddedCluster.defaultName ? "minikube" : directory.name
        return (minikube ? [profile] : []) + kind.map { "kind-\($0)" }
    }

    /// Remembers the names, and gives each its context.
    func save(_ directory: ClusterDirectory) throws {
        do {
            try JSONEncoder().encode(self).write(to: URL(fileURLWithPath: Self.file(directory)), options: .atomic)
            try writeContexts(directory)
        } catch {
            throw ClusterError(
                "The names of the cluster '\(directory.name)' cannot be kept: \(error.localizedDescription)")
        }
    }

    /// Clusters and users are those of the cluster's own kubeconfig, which kubectl reads with this one.
    func writeContexts(_ directory: ClusterDirectory) throws {
        let kubeconfig = try Kubeconfig.load(path: directory.kubeconfigFile, environment: [:])
        guard let own = kubeconfig.contexts[kubeconfig.currentContext] ?? kubeconfig.contexts.values.first else {
            return
        }
        let contexts = contexts(directory)
        var text = "apiVersion: v1\nkind: Config\ncontexts:\(contexts.isEmpty ? " []" : "")\n"
        for name in contexts {
            text += "- name: \(name)\n  context: {cluster: \(own.cluster), user: \(own.user)}\n"
        }
        let path = Self.kubeconfig(directory)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    /// What the lab shell sets KUBECONFIG to.
    static func path(_ directory: ClusterDirectory) -> String {
        "\(directory.kubeconfigFile):\(kubeconfig(directory))"
    }

    /// Says how kubectl gets there, unless it does already.
    static func remarkUnlessWired(_ directory: ClusterDirectory) {
        let wired = Machine.environment["KUBECONFIG"]?.split(separator: ":").contains { $0 == directory.kubeconfigFile }
        if wired ?? false { return }
        Output.remark("hint: kubectl reaches it in `velocity shell`, or after: export KUBECONFIG=\(path(directory))")
    }
}
