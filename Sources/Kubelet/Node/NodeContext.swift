import ContainerRuntime
import ControllerKit
import KubeClient
import KubeModel
import Synchronization

/// What the workers of all pods of a node share.
final class NodeContext: Sendable {
    let client: any ClusterClient
    let runtime: any ContainerRuntime
    let addresses: any PodAddressing
    let configuration: KubeletConfiguration
    let events: EventRecorder
    /// Writes the events of pods while those go on.
    let podEvents: EventQueue
    let mounted: MountedObjects
    /// For the environment of containers.
    let services: Informer
    /// Images that were pulled before.
    private let images = Mutex<Set<String>>([])

    init(
        client: any ClusterClient, runtime: any ContainerRuntime, addresses: any PodAddressing,
        configuration: KubeletConfiguration
    ) {
        self.client = client
        self.runtime = runtime
        self.addresses = addresses
        self.configuration = configuration
        events = EventRecorder(client: client, component: "kubelet", host: configuration.nodeName)
        podEvents = EventQueue(events)
        mounted = MountedObjects(client: client)
        services = Informer(client: client, resource: .services)
    }

    /// Pulled before, or brought here by hand.
    func isPresent(_ image: String) -> Bool { images.withLock { $0.contains(image) } || runtime.hasImage(image) }

    func markPresent(_ image: String) { images.withLock { _ = $0.insert(image) } }

    func find(_ resource: ResourceType, _ name: String, in namespace: String) async throws(Status) -> KubeObject? {
        do { return try await client.get(resource, namespace: namespace, name: name) } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    /// Services that a pod's environment names: those of its namespace, and `kubernetes`.
    ///
    /// Without `links` only the latter is named: a pod always finds its API server.
    func services(in namespace: String, links: Bool) async -> [KubeService] {
        await services.waitUntilSynced()
        let own = links ? services.list(namespace: namespace).map(KubeService.init) : []
        guard !links || namespace != "default",
            let api = services.get(ObjectKey(namespace: "default", name: "kubernetes"))
        else { return own }
        return own + [KubeService(api)]
    }

    func volumes(of podUID: String) async -> PodVolumes {
        let memory = await runtime.memoryFolder(over: "\(configuration.rootDirectory)/memory")
        return PodVolumes(configuration, podUID: podUID, memory: memory)
    }

    /// Removes what the node keeps of a pod that is gone: its volumes, and its logs.
    func removeFiles(of pod: Pod) async {
        await volumes(of: pod.uid).removeFiles()
        let folder = configuration.podDirectory(pod.uid)
        Folder.remove(folder)
        if Folder.exists(folder) { UserRanges.removeFolder(folder) }
        Folder.remove(logDirectory(pod))
    }

    private func logDirectory(_ pod: Pod) -> String {
        "\(configuration.rootDirectory)/logs/\(pod.namespace)_\(pod.name)_\(pod.uid)"
    }

    func logPath(_ pod: Pod, _ container: String, attempt: Int) -> String {
        "\(logDirectory(pod))/\(container)/\(attempt).log"
    }
}

/// `/etc/hosts` of a pod.
enum HostsFile {
    /// - Parameter isNodes: The pod is in the node's network, and sees the node's file.
    static func text(_ pod: Pod, address: String, hostName: PodHostName, isNodes: Bool) -> String {
        var lines = [
            // Programs know by this line that the file is not the image's own.
            "# Kubernetes-managed hosts file\(isNodes ? " (host network)" : "").",
            "127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", "fe00::0\tip6-localnet",
            "fe00::0\tip6-mcastprefix", "fe00::1\tip6-allnodes", "fe00::2\tip6-allrouters",
        ]
        lines.append(([address] + [hostName.full, hostName.short].compactMap { $0 }).joined(separator: "\t"))
        for alias in pod.spec["hostAliases"]?.array ?? [] {
            let names = alias["hostnames"]?.array?.compactMap(\.string) ?? []
            if let address = alias["ip"]?.string { lines.append(([address] + names).joined(separator: "\t")) }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
