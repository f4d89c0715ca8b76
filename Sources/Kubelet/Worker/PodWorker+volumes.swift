import ContainerRuntime
import ControllerKit
import KubeClient
import KubeModel

/// The volumes of a pod: prepared for each container, and written anew when what is in them changes.
extension PodWorker {
    /// The values of `fieldRef`s that are not in the pod's object.
    var downwardFacts: [String: String] {
        [
            "status.podIP": facts.address ?? "", "status.podIPs": facts.address ?? "",
            "status.hostIP": facts.hostAddress, "status.hostIPs": facts.hostAddress, "spec.nodeName": pod.nodeName,
            "spec.serviceAccountName": pod.spec["serviceAccountName"]?.string ?? "default",
        ]
    }

    /// Finds an object of the pod's namespace.
    var lookup: @Sendable (ResourceType, String) async throws(Status) -> KubeObject? {
        { [node, namespace = pod.namespace] resource, name async throws(Status) in
            try await node.find(resource, name, in: namespace)
        }
    }

    private func prepare(_ volume: JSONValue, keepsTokens: Bool = false) async throws(ConfigurationError) -> String? {
        try await node.volumes(of: pod.uid).prepare(
            volume, pod, facts: downwardFacts, capacity: node.configuration.capacity, lookup: lookup,
            token: requestToken, keepsTokens: keepsTokens)
    }

    /// A token of the pod's service account, bound to the pod.
    private func requestToken(_ spec: JSONValue) async throws(Status) -> String {
        var spec = spec
        spec["boundObjectRef"] = [
            "kind": "Pod", "apiVersion": "v1", "name": .string(pod.name), "uid": .string(pod.uid),
        ]
        let answer = try await node.client.call(
            "POST", .serviceAccounts, namespace: pod.namespace,
            name: pod.spec["serviceAccountName"]?.string ?? "default", subresource: "token",
            body: ["kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": spec])
        return answer[["status", "token"]]?.string ?? ""
    }

    /// What a container sees of the pod's volumes.
    func mounts(
        of container: Container, _ environment: ContainerEnvironment
    ) async throws(ConfigurationError) -> [ContainerConfiguration.Mount] {
        var mounts: [ContainerConfiguration.Mount] = []
        for mount in container.value["volumeMounts"]?.array ?? [] {
            guard let name = mount["name"]?.string, let target = mount["mountPath"]?.string,
                let volume = pod.spec["volumes"]?.array?.first(where: { $0["name"]?.string == name })
            else { continue }
            guard let path = try await prepare(volume) else {
                throw ConfigurationError(
                    reason: "FailedMount",
                    message: "MountVolume.SetUp failed for volume \"\(name)\" : this kind of volume is not supported")
            }
            var seen = ContainerConfiguration.Mount(
                hostPath: path, containerPath: target, isReadOnly: mount["readOnly"]?.bool ?? false)
            seen.subPath = try SubPath.path(of: mount, environment)
            if !seen.subPath.isEmpty {
                let place = "volumeMount \"\(name)\" of container \"\(container.name)\""
                try SubPath.check(seen.subPath, in: path, place: place)
            }
            if volume[["emptyDir", "medium"]]?.string == "Memory" {
                let limit = volume[["emptyDir", "sizeLimit"]]?.string.flatMap(Quantity.init(parsing:))
                seen.memory = .init(bytesMax: limit.map { Int($0.value) })
            }
            mounts.append(seen)
        }
        return mounts
    }

    // MARK: Changes

    /// Writes volumes anew whenever a ConfigMap or Secret in them changes, or the pod's labels, until cancelled.
    ///
    /// Each object has a watch of its own, as with the real kubelet: a node needs no right to see others.
    func followVolumes() async {
        let all = pod.spec["volumes"]?.array ?? []
        var users: [VolumeSource: [JSONValue]] = [:]
        for volume in all {
            for source in Set(PodVolumes.sources(of: volume)) { users[source, default: []].append(volume) }
        }
        await withDiscardingTaskGroup { group in
            for (source, volumes) in users {
                group.addTask { await self.follow(source, in: volumes) }
            }
            for volume in all {
                guard let lifetime = PodVolumes.tokenLifetime(of: volume) else { continue }
                group.addTask { await self.renewTokens(in: volume, every: lifetime * 4 / 5) }
            }
            let labeled = all.filter(PodVolumes.showsPod)
            guard !labeled.isEmpty else { return }
            group.addTask {
                for await _ in self.relabelings {
                    for volume in labeled { await self.refresh(volume) }
                }
            }
        }
    }

    private func follow(_ source: VolumeSource, in volumes: [JSONValue]) async {
        let informer = Informer(
            client: node.client, resource: source.resource, namespace: pod.namespace,
            fieldSelector: "metadata.name=\(source.name)")
        await withDiscardingTaskGroup { group in
            group.addTask { try? await informer.run() }
            for await _ in informer.changes() {
                for volume in volumes { await refresh(volume) }
            }
            group.cancelAll()
        }
    }

    /// Writes new tokens before the old ones expire, as the kubelet does after 80 % of their time.
    private func renewTokens(in volume: JSONValue, every period: Duration) async {
        while true {
            do { try await ContinuousClock().sleep(for: period) } catch { return }
            await refresh(volume, keepsTokens: false)
        }
    }

    private func refresh(_ volume: JSONValue, keepsTokens: Bool = true) async {
        // Nobody uses it yet: the container that will prepares it.
        guard let name = volume["name"]?.string, await node.volumes(of: pod.uid).isPrepared(name) else { return }
        // A version that cannot be had leaves the last one in place; what is optional and gone is taken away.
        _ = try? await prepare(volume, keepsTokens: keepsTokens)
    }
}

/// A ConfigMap or Secret whose entries are files of a volume.
struct VolumeSource: Sendable, Hashable {
    var resource: ResourceType
    var name: String
}
