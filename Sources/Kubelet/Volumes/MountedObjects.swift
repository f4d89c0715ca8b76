import ControllerKit
import KubeClient
import KubeModel
import Synchronization

/// The ConfigMaps and Secrets in the volumes of a node's pods: each is watched once, for as long as a pod has it.
///
/// Each has a watch of its own, as with the real kubelet: a node needs no right to see others.
final class MountedObjects: Sendable {
    private struct Key: Hashable {
        var namespace: String
        var source: VolumeSource
    }

    private struct Watched {
        let informer: Informer
        let task: Task<Void, Never>
        var users = 0
    }

    private let client: any ClusterClient
    private let watched = Mutex<[Key: Watched]>([:])

    init(client: any ClusterClient) { self.client = client }

    /// Watches an object until it is let go as often as it was held.
    func hold(_ source: VolumeSource, in namespace: String) -> Informer {
        watched.withLock { watched in
            let key = Key(namespace: namespace, source: source)
            var entry = watched[key] ?? watch(key)
            entry.users += 1
            watched[key] = entry
            return entry.informer
        }
    }

    func letGo(_ source: VolumeSource, in namespace: String) {
        watched.withLock { watched in
            let key = Key(namespace: namespace, source: source)
            guard var entry = watched[key] else { return }
            entry.users -= 1
            watched[key] = entry.users > 0 ? entry : nil
            if entry.users == 0 { entry.task.cancel() }
        }
    }

    /// The object as the node knows it; nil if there is none, or nobody holds it.
    func find(_ source: VolumeSource, in namespace: String) async throws(Status) -> KubeObject? {
        guard let informer = watched.withLock({ $0[Key(namespace: namespace, source: source)]?.informer }) else {
            return nil
        }
        await informer.waitUntilSynced()
        guard informer.isSynced else {
            let kind = source.resource.kind.lowercased()
            throw Status(
                code: 504, reason: "Timeout",
                message: "failed to sync \(kind) cache: timed out waiting for the condition")
        }
        return informer.get(ObjectKey(namespace: namespace, name: source.name))
    }

    private func watch(_ key: Key) -> Watched {
        let informer = Informer(
            client: client, resource: key.source.resource, namespace: key.namespace,
            fieldSelector: "metadata.name=\(key.source.name)")
        return Watched(informer: informer, task: Task { try? await informer.run() })
    }
}

/// A ConfigMap or Secret whose entries are files of a volume.
struct VolumeSource: Sendable, Hashable {
    var resource: ResourceType
    var name: String
}
