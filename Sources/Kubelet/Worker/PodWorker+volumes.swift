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
            volume, pod, facts: downwardFacts, capacity: node.configuration.capacity,
            lookup: { resource, name async throws(Status) in
                guard [.configMaps, .secrets].contains(resource) else { return try await lookup(resource, name) }
                let source = VolumeSource(resource: resource, name: name)
                let found = try await node.mounted.find(source, in: pod.namespace)
                mountedVersions[Mounted(volume: volume, source: source)] = found?.resourceVersion
                return found
            }, token: requestToken, keepsTokens: keepsTokens)
    }

    /// What is in a volume of what an object says.
    struct Mounted: Hashable {
        var volume: JSONValue
        var source: VolumeSource
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

    /// Prepares the volumes that containers mount, as far as they can be; who mounts another one hears why not.
    func prepareVolumes() async {
        let containers = pod.initContainers + pod.containers
        let mounts = containers.flatMap { $0.value["volumeMounts"]?.array ?? [] }
        let mounted = Set(mounts.compactMap { $0["name"]?.string })
        for volume in pod.spec["volumes"]?.array ?? [] {
            guard let name = volume["name"]?.string, mounted.contains(name) else { continue }
            volumesAhead[name] = try? await prepare(volume)
        }
    }

    /// What a container sees of the pod's volumes.
    func mounts(
        of container: Container, attempt: Int, _ environment: ContainerEnvironment
    ) async throws(ConfigurationError) -> [ContainerConfiguration.Mount] {
        var mounts: [ContainerConfiguration.Mount] = []
        for mount in container.value["volumeMounts"]?.array ?? [] {
            guard let name = mount["name"]?.string, let target = mount["mountPath"]?.string,
                let volume = pod.spec["volumes"]?.array?.first(where: { $0["name"]?.string == name })
            else { continue }
            var path = attempt == 0 ? volumesAhead[name] : nil
            if path == nil { path = try await prepare(volume) }
            guard let path else {
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

    /// The ConfigMaps and Secrets in the pod's volumes.
    var volumeSources: Set<VolumeSource> {
        Set((pod.spec["volumes"]?.array ?? []).flatMap(PodVolumes.sources))
    }

    /// Writes volumes anew whenever a ConfigMap or Secret in them changes, or the pod's labels, until cancelled.
    func followVolumes(_ sources: [VolumeSource: Informer]) async {
        let all = pod.spec["volumes"]?.array ?? []
        await withDiscardingTaskGroup { group in
            for (source, informer) in sources {
                let volumes = all.filter { PodVolumes.sources(of: $0).contains(source) }
                group.addTask { await self.follow(source, informer, in: volumes) }
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

    private func follow(_ source: VolumeSource, _ informer: Informer, in volumes: [JSONValue]) async {
        for await change in informer.changes() {
            for volume in volumes {
                let known = mountedVersions[Mounted(volume: volume, source: source)]
                if known == nil || known != change.new?.resourceVersion { await refresh(volume) }
            }
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
