import APIServer
import ClusterNetwork
import ContainerRuntime
import Controllers
import Glibc
import KubeClient
import KubeModel
import Kubelet
import Logging
import ObjectStore
import Scheduler
import ServiceLifecycle
import UnixSignals

/// A whole cluster in this process: store, API server, controllers, scheduler, network and nodes.
public struct ClusterServer {
    /// Of the first node.
    public static let nodeName = "velocity"

    private let directory: ClusterDirectory
    private let settings: ClusterSettings
    private let pipe: ReadinessPipe

    /// Serves a cluster until SIGTERM or SIGINT.
    ///
    /// - Parameter reportsTo: The writing end of the pipe on which the process that started this one is told when the node
    ///   is Ready, or why it will not be.
    public static func serve(
        _ directory: ClusterDirectory, settings: ClusterSettings, reportsTo descriptor: Int32? = nil
    ) async throws {
        let pipe = ReadinessPipe(descriptor)
        do {
            try directory.prepare()
            guard try ClusterProcess.lock(directory) else {
                throw ClusterError(
                    "The cluster '\(directory.name)' runs already.",
                    hint: "Stop it: velocity cluster down \(directory.name)")
            }
            try await ClusterServer(directory: directory, settings: settings, pipe: pipe).run()
        } catch {
            let failure = error as? ClusterError ?? ClusterError("The cluster '\(directory.name)' stopped: \(error)")
            pipe.reportFailure(failure)
            throw failure
        }
    }

    private func run() async throws {
        var remarks: [String] = []
        let level = try chooseLevel(&remarks)
        guard settings.nodes == 1 || level == .sandbox else {
            throw ClusterError(
                "Several nodes need level 'sandbox', and this cluster runs at level '\(level.rawValue)'.",
                hint: "Start it with --nodes 1. `velocity doctor` says what the full level needs.")
        }
        let port = try choosePort(&remarks)
        if settings.pullsImages { remarks.append("Images that are not here are fetched from their registries.") }
        if level == .sandbox, let way = settings.egress.sentence { remarks.append(way) }
        let store = try openStore()
        let credentials: PKI
        do { credentials = try PKI.load(orMakeIn: directory.pkiDirectory) } catch {
            throw ClusterError(error.message, hint: error.hint)
        }
        let logs = ContainerLogs()
        let runtime = try makeRuntime(level, logs)
        do {
            try await serve(store, credentials, runtime, logs, port: port, remarks: remarks)
        } catch {
            await tearDown(runtime, store)
            throw error
        }
        await tearDown(runtime, store)
    }

    private func tearDown(_ runtime: any ContainerRuntime, _ store: ObjectStore) async {
        await runtime.shutDown()
        await store.close()
        unlink(directory.stateFile)
    }

    private var nodes: [ClusterNode] { ClusterNode.all(settings.nodes) }

    private func serve(
        _ store: ObjectStore, _ credentials: PKI, _ runtime: any ContainerRuntime, _ logs: ContainerLogs, port: Int,
        remarks: [String]
    ) async throws {
        var apiConfiguration = APIServerConfiguration(port: port, credentials: credentials)
        apiConfiguration.auditFile = directory.auditFile
        let api = APIServer(store: store, configuration: apiConfiguration)
        func client(_ user: String) -> any ClusterClient { api.client(user: user) }
        // Before anybody could bind a pod to one of them.
        try await ClusterNode.removeOthers(than: nodes, client("system:velocity"))
        let signer = try CertificateSigner(credentials)
        let manager = ControllerManager(
            client: client("system:kube-controller-manager"), rootCertificate: credentials.authorityCertificate,
            namespacedKinds: { api.namespacedResources }, resources: { api.resource(apiVersion: $0, kind: $1) },
            volumes: VolumeFolders(directory: directory.path + "/volumes") { UserRanges.removeFolder($0) },
            issue: { try signer.sign($0) },
            timeFactor: settings.timeFactor)
        let scheduler = Scheduler(
            client: client("system:kube-scheduler"), pods: manager.informers.pods, nodes: manager.informers.nodes,
            claims: manager.informers.persistentVolumeClaims, budgets: manager.informers.podDisruptionBudgets,
            namespaces: manager.informers.namespaces)
        var networkConfiguration = ClusterNetworkConfiguration(nodeNames: nodes.map(\.name), apiHostPort: port)
        networkConfiguration.egress = settings.egress
        let network = ClusterNetwork(
            client: client("system:kube-proxy"), datapath: runtime, level: runtime.level,
            configuration: networkConfiguration,
            informers: NetworkInformers(
                client: client("system:kube-proxy"), services: manager.informers.services,
                endpointSlices: manager.informers.endpointSlices, pods: manager.informers.pods,
                namespaces: manager.informers.namespaces, secrets: manager.informers.secrets))
        let kubelets = nodes.map { node in
            let kubelet = Kubelet(
                client: client("system:node:\(node.name)"), runtime: runtime,
                addresses: NetworkAddresses(network: network, node: node.number), logs: logs,
                configuration: node.configuration(directory, settings))
            api.setNodeAgent(kubelet, node: node.name)
            return kubelet
        }
        let announcement = Announcement(
            client: client("system:velocity"), api: api, network: network, directory: directory, settings: settings,
            nodes: nodes, kubeconfig: credentials.kubeconfig(server: "https://127.0.0.1:\(port)"), level: runtime.level,
            remarks: remarks, pipe: pipe)
        var logger = Logger(label: "cluster") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        // Stopped in reverse: the nodes first, the API that everything talks to last.
        var configuration = ServiceGroupConfiguration(
            services: [api] + manager.services + [scheduler, network] + kubelets
                + [announcement, RuntimeGuard(runtime: runtime, name: directory.name)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        configuration.maximumCancellationDuration = .seconds(5)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as ServerError {
            throw ClusterError("\(error)")
        }
    }

    // MARK: Choices

    private func chooseLevel(_ remarks: inout [String]) throws(ClusterError) -> RuntimeLevel {
        if let level = settings.level, level != .sandbox { return level }
        let probe = RuntimeProbe.run()
        if let obstacle = probe.obstacle {
            guard settings.level == nil else {
                throw ClusterError(
                    obstacle, hint: probe.fix.map { "Allow it: \($0)" } ?? "Use another level: --runtime plain")
            }
            let way = probe.fix.map { " For the full level: \($0)" } ?? ""
            remarks.append("\(obstacle) The cluster runs at level 'plain'.\(way)")
        }
        return probe.level
    }

    private func choosePort(_ remarks: inout [String]) throws(ClusterError) -> Int {
        if settings.port != 0, LoopbackPort.isFree(settings.port) { return settings.port }
        guard let port = LoopbackPort.anyFree() else {
            throw ClusterError("No port on 127.0.0.1 is free.", hint: "See what listens: ss -ltn")
        }
        if settings.port != 0 {
            remarks.append(
                "Port \(settings.port) is taken, so the API answers on port \(port); the kubeconfig says so.")
        }
        return port
    }

    private func openStore() throws(ClusterError) -> ObjectStore {
        do { return try ObjectStore(.file(directory.storeFile)) } catch {
            guard case .io(let sentence) = error else { throw ClusterError("\(error)") }
            throw ClusterError(
                sentence,
                hint: sentence.contains("damaged")
                    ? "Start anew (what the cluster held is lost): velocity cluster delete \(directory.name)"
                    : "Free some space, or set VELOCITY_HOME to a folder that you can write to.")
        }
    }

    private func makeRuntime(_ level: RuntimeLevel, _ logs: ContainerLogs) throws(ClusterError) -> any ContainerRuntime
    {
        let images = ImageCatalog.ofThisProgram(store: directory.home.images, pulls: settings.pullsImages)
        guard access(images.sandboxd, X_OK) == 0 else {
            throw ClusterError(
                "The program '\(images.sandboxd)', which pods live in, is missing.",
                hint: "It is built with this one, and has to stand beside it: make build")
        }
        do {
            switch level {
            case .sandbox: return try SandboxRuntime(images: images, logs: logs)
            case .plain: return try PlainRuntime(images: images, logs: logs)
            case .simulated:
                throw ClusterError("Level 'simulated' is not there yet.", hint: "Use --runtime sandbox or plain.")
            }
        } catch let error as ClusterError {
            throw error
        } catch RuntimeError.system(let sentence) {
            throw ClusterError("The runtime does not start: \(sentence).")
        } catch {
            throw ClusterError("The runtime does not start: \(error)")
        }
    }
}

/// The network's addresses as the kubelet asks for them.
private struct NetworkAddresses: PodAddressing {
    let network: ClusterNetwork
    let node: Int

    func assign(podUID: String) throws -> String { try network.addresses[node].assign(podUID) }
    func release(podUID: String) { network.addresses[node].release(podUID) }
    func resolverConfiguration(for pod: Pod) -> String { network.resolverConfiguration(for: pod) }
}
