import ContainerRuntime
import ControllerKit
import Glibc
import KubeModel

/// The files of a pod's volumes: what the pod keeps lies under the kubelet's folder, what the kubelet writes for it in memory, if the
/// runtime has a folder there.
///
/// ConfigMaps and Secrets are written as Kubernetes does it: a dated folder behind the link `..data`, so that an update is one step.
struct PodVolumes: Sendable {
    let directory: String
    private let memory: MemoryFolder?
    private let podUID: String

    init(_ configuration: KubeletConfiguration, podUID: String, memory: MemoryFolder?) {
        directory = "\(configuration.podDirectory(podUID))/volumes"
        self.podUID = podUID
        self.memory = memory
    }

    /// Where the kubelet writes the files of a volume.
    private func files(_ volume: String) -> String {
        memory.map { "\($0.path)/\(podUID)/\(volume)" } ?? "\(directory)/\(volume)"
    }

    /// Removes what is in memory.
    func removeFiles() { if let memory { Folder.remove("\(memory.path)/\(podUID)") } }

    /// Writes a volume and returns its path on the host; nil for a kind that is not known here.
    ///
    /// - Parameters:
    ///   - token: Asks for a token of the pod's service account, by what a `TokenRequest` is to specify.
    ///   - keepsTokens: Tokens that are there stay.
    func prepare(
        _ volume: JSONValue, _ pod: Pod, facts: [String: String], capacity: [String: Quantity],
        lookup: (ResourceType, String) async throws(Status) -> KubeObject?,
        token: (JSONValue) async throws(Status) -> String, keepsTokens: Bool = false
    ) async throws(ConfigurationError) -> String? {
        guard let name = volume["name"]?.string else { return nil }
        let group = pod.spec[["securityContext", "fsGroup"]]?.int
        if volume["emptyDir"] != nil {
            let path = "\(directory)/\(name)"
            try makeDirectory(path)
            // What is made in it is the group's, too; where groups cannot be given, there is one user only.
            let isGiven = group.map { chown(path, .max, gid_t($0)) == 0 } ?? false
            chmod(path, isGiven ? 0o2777 : 0o777)
            return path
        }
        if let host = HostPath(volume["hostPath"]) { return try checked(host, volume: name) }
        if let claim = volume[["persistentVolumeClaim", "claimName"]]?.string {
            return try await mounted(claim, volume: name, group: group, lookup)
        }
        if volume["ephemeral"] != nil {
            return try await mounted("\(pod.name)-\(name)", volume: name, group: group, lookup)
        }
        let path = self.files(name)
        var files: [String: VolumeFile] = [:]
        let projected = volume["projected"]
        for source in projected.map({ $0["sources"]?.array ?? [] }) ?? [volume] {
            if let projection = source["serviceAccountToken"] {
                let file = projection["path"]?.string ?? "token"
                let present = keepsTokens ? contents(of: "\(path)/..data/\(file)") : nil
                let bytes = if let present { present } else { try await self.token(projection, name, token) }
                // Others than the pod's own user and group need not read it.
                let isPrivate = pod.onlyUser != nil || group != nil
                files[file] = VolumeFile(
                    bytes: bytes, mode: isPrivate ? 0o600 : projected?["defaultMode"]?.int, owner: pod.onlyUser)
                continue
            }
            guard let found = try await self.files(of: source, volume: name, pod, facts, capacity, lookup) else {
                return nil
            }
            for (name, file) in found {
                files[name] = VolumeFile(bytes: file.bytes, mode: file.mode ?? projected?["defaultMode"]?.int)
            }
        }
        try write(files, to: path, group: group)
        return memory.map { "\($0.mountPath)/\(podUID)/\(name)" } ?? path
    }

    /// How long the tokens of a volume are good for, the shortest of them; nil if it has none.
    static func tokenLifetime(of volume: JSONValue) -> Duration? {
        (volume[["projected", "sources"]]?.array ?? []).compactMap { source in
            source["serviceAccountToken"].map { .seconds($0["expirationSeconds"]?.int ?? 3600) }
        }.min()
    }

    /// Whether a volume shows what the pod's metadata say.
    static func showsPod(_ volume: JSONValue) -> Bool {
        let parts = volume["projected"].map { $0["sources"]?.array ?? [] } ?? [volume]
        return parts.contains { $0["downwardAPI"] != nil }
    }

    /// The ConfigMaps and Secrets in a volume.
    static func sources(of volume: JSONValue) -> [VolumeSource] {
        let parts = volume["projected"].map { $0["sources"]?.array ?? [] } ?? [volume]
        return parts.flatMap { part in
            let secret = part[["secret", "secretName"]]?.string ?? part[["secret", "name"]]?.string
            return [
                part[["configMap", "name"]]?.string.map { VolumeSource(resource: .configMaps, name: $0) },
                secret.map { VolumeSource(resource: .secrets, name: $0) },
            ].compactMap { $0 }
        }
    }

    /// A volume whose files have been written.
    func isPrepared(_ name: String) -> Bool { access("\(files(name))/..data", F_OK) == 0 }

    private func files(
        of source: JSONValue, volume: String, _ pod: Pod, _ facts: [String: String], _ capacity: [String: Quantity],
        _ lookup: (ResourceType, String) async throws(Status) -> KubeObject?
    ) async throws(ConfigurationError) -> [String: VolumeFile]? {
        if let reference = source["configMap"] {
            return try await entries(.configMaps, reference, name: reference["name"]?.string ?? "", volume, lookup)
        }
        if let reference = source["secret"] {
            let name = reference["secretName"]?.string ?? reference["name"]?.string ?? ""
            return try await entries(.secrets, reference, name: name, volume, lookup)
        }
        if let reference = source["downwardAPI"] {
            var files: [String: VolumeFile] = [:]
            for item in reference["items"]?.array ?? [] {
                guard let path = item["path"]?.string else { continue }
                let text = item[["fieldRef", "fieldPath"]]?.string.map { ContainerEnvironment.field($0, pod, facts) }
                let amount = item["resourceFieldRef"].flatMap { reference in
                    pod.containers.first { $0.name == reference["containerName"]?.string }
                        .flatMap { ContainerEnvironment.resourceField(reference, $0, pod, capacity) }
                }
                files[path] = VolumeFile(
                    bytes: Array((text ?? amount ?? "").utf8), mode: item["mode"]?.int ?? reference["defaultMode"]?.int)
            }
            return files
        }
        return nil
    }

    private func entries(
        _ resource: ResourceType, _ reference: JSONValue, name: String, _ volume: String,
        _ lookup: (ResourceType, String) async throws(Status) -> KubeObject?
    ) async throws(ConfigurationError) -> [String: VolumeFile] {
        let isOptional = reference["optional"]?.bool ?? false
        let object: KubeObject?
        do throws(Status) { object = try await lookup(resource, name) } catch {
            throw mountFailure(volume, error.message)
        }
        guard let object else {
            if isOptional { return [:] }
            throw mountFailure(volume, "\(resource == .secrets ? "secret" : "configmap") \"\(name)\" not found")
        }
        var all: [String: [UInt8]] = [:]
        for (key, value) in object.value["data"]?.object ?? [:] {
            let text = value.string ?? ""
            all[key] = resource == .secrets ? Base64.decode(text) ?? [] : Array(text.utf8)
        }
        for (key, value) in object.value["binaryData"]?.object ?? [:] {
            all[key] = Base64.decode(value.string ?? "") ?? []
        }
        let mode = reference["defaultMode"]?.int
        guard let items = reference["items"]?.array else {
            return all.mapValues { VolumeFile(bytes: $0, mode: mode) }
        }
        var chosen: [String: VolumeFile] = [:]
        for item in items {
            guard let key = item["key"]?.string, let path = item["path"]?.string else { continue }
            if let bytes = all[key] {
                chosen[path] = VolumeFile(bytes: bytes, mode: item["mode"]?.int ?? mode)
            } else if !isOptional {
                throw mountFailure(volume, "references non-existent config key: \(key)")
            }
        }
        return chosen
    }

    func checked(_ host: HostPath, volume: String) throws(ConfigurationError) -> String {
        if let obstacle = host.obstacle() { throw mountFailure(volume, obstacle) }
        return host.path
    }

    func mountFailure(_ volume: String, _ message: String) -> ConfigurationError {
        ConfigurationError(
            reason: "FailedMount", message: "MountVolume.SetUp failed for volume \"\(volume)\" : \(message)")
    }

    func makeDirectory(_ path: String) throws(ConfigurationError) {
        do throws(Folder.Failure) { try Folder.make(path) } catch {
            throw mountFailure(path, String(cString: strerror(error.number)))
        }
    }

    /// - Parameter group: The group that is to read the file, if the pod names one.
    func writeFile(_ content: VolumeFile, _ path: String, group: Int?) throws(ConfigurationError) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw mountFailure(path, String(cString: strerror(errno))) }
        defer { close(file) }
        // Whatever the umask; and where groups cannot be given, there is one user only.
        fchown(file, content.owner.map { uid_t($0) } ?? .max, group.map { gid_t($0) } ?? .max)
        fchmod(file, content.permissions(group: group))
        var rest = content.bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { throw mountFailure(path, String(cString: strerror(errno))) }
            rest = rest.dropFirst(count)
        }
    }
}
