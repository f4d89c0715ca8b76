import APIServer
import ClusterNetwork
import ContainerRuntime
import ControllerKit
import Glibc
import KubeClient
import KubeModel
import ServiceLifecycle

/// Tells the world when the cluster is there: the kubeconfig, the state file, and the process that waits for it.
struct Announcement: Service {
    let client: any ClusterClient
    let api: APIServer
    let network: ClusterNetwork
    let directory: ClusterDirectory
    let settings: ClusterSettings
    let nodes: [ClusterNode]
    let kubeconfig: String
    let level: RuntimeLevel
    let remarks: [String]
    let pipe: ReadinessPipe

    func run() async throws {
        let port = try await api.boundPort
        try Directory.write(Array(kubeconfig.utf8), to: directory.kubeconfigFile)
        await network.waitUntilReady()
        for node in nodes {
            let isReady = try await client.waitFor(
                .nodes, node.name, in: nil, timeout: .seconds(30)
            ) { node in Conditions(node?.value[["status", "conditions"]])["Ready"]?.isTrue ?? false }
            guard isReady else {
                throw ClusterError(
                    "Node '\(node.name)' is not Ready after 30 seconds.", hint: "Read the log: \(directory.logFile)")
            }
        }
        var kept = settings
        // A port that stood in for a taken one is not for ever.
        if settings.port == 0 { kept.port = port }
        try kept.save(directory)
        let state = ClusterProcess.State(
            processID: getpid(), level: level.rawValue, pace: settings.pace.rawValue, timeFactor: settings.timeFactor,
            port: port, node: ClusterServer.nodeName, startedAt: Timestamp.now.text, remarks: remarks)
        try Directory.write(state.value.encoded, to: directory.stateFile)
        pipe.reportReady()
        try? await gracefulShutdown()
    }
}
