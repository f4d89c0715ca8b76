import ControllerKit
import Glibc
import KubeModel

/// The files of a pod's volumes, under the kubelet's folder.
///
/// ConfigMaps and Secrets are written as Kubernetes does it: a dated folder behind the link `..data`, so that an update is one step.
struct PodVolumes: Sendable {
    let directory: String

    init(rootDirectory: String, podUID: String) { directory = "\(rootDirectory)/pods/\(podUID)/volumes" }

    /// Writes a volume and returns its path on the host; nil for a kind that is not known here.
    ///
    /// - Parameter token: Asks for a token of the pod's service account, by what a `TokenRequest` is to specify.
    func prepare(
        _ volume: JSONValue, _ pod: Pod, facts: [String: String], capacity: [String: Quantity],
        lookup: (ResourceType, String) async throws(Status) -> KubeObject?,
        token: (JSONValue) async throws(Status) -> String
    ) async throws(ConfigurationError) -> String? {
        guard let name = volume["name"]?.string else { return nil }
        let path = "\(directory)/\(name)"
        if volume["emptyDir"] != nil {
            try makeDirectory(path)
            chmod(path, 0o777)
            return path
        }
        if let host = volume[["hostPath", "path"]]?.string { return host }
        if let claim = volume[["persistentVolumeClaim", "claimName"]]?.string {
            return try await mounted(claim, volume: name, lookup)
        }
        if volume["ephemeral"] != nil { return try await mounted("\(pod.name)-\(name)", volume: name, lookup) }
        var files: [String: [UInt8]] = [:]
        let sources = volume["projected"].map { $0["sources"]?.array ?? [] } ?? [volume]
        for source in sources {
            if let projection = source["serviceAccountToken"] {
                files[projection["path"]?.string ?? "token"] = try await self.token(projection, name, token)
                continue
            }
            guard let found = try await self.files(of: source, volume: name, pod, facts, capacity, lookup) else {
                return nil
            }
            files.merge(found) { _, last in last }
        }
        try write(files, to: path)
        return path
    }

    private func token(
        _ projection: JSONValue, _ volume: String, _ token: (JSONValue) async throws(Status) -> String
    ) async throws(ConfigurationError) -> [UInt8] {
        var spec: JSONValue = ["expirationSeconds": projection["expirationSeconds"] ?? 3600]
        if let audience = projection["audience"]?.string, !audience.isEmpty { spec["audiences"] = [.string(audience)] }
        do throws(Status) { return Array(try await token(spec).utf8) } catch {
            throw mountFailure(volume, "failed to fetch token: \(error.message)")
        }
    }

    /// The path behind a claim; nil for storage that is not on this machine.
    private func mounted(
        _ claim: String, volume: String, _ lookup: (ResourceType, String) async throws(Status) -> KubeObject?
    ) async throws(ConfigurationError) -> String? {
        func find(_ resource: ResourceType, _ name: String) async throws(ConfigurationError) -> KubeObject? {
            do throws(Status) { return try await lookup(resource, name) } catch {
                throw mountFailure(volume, error.message)
            }
        }
        guard let object = try await find(.persistentVolumeClaims, claim) else {
            throw mountFailure(volume, "persistentvolumeclaim \"\(claim)\" not found")
        }
        guard object.value[["status", "phase"]] == "Bound", let name = object.value[["spec", "volumeName"]]?.string,
            let storage = try await find(.persistentVolumes, name)
        else { throw mountFailure(volume, "PVC is not bound") }
        let spec = storage.value["spec"]
        return spec?[["hostPath", "path"]]?.string ?? spec?[["local", "path"]]?.string
    }

    private func files(
        of source: JSONValue, volume: String, _ pod: Pod, _ facts: [String: String], _ capacity: [String: Quantity],
        _ lookup: (ResourceType, String) async throws(Status) -> KubeObject?
    ) async throws(ConfigurationError) -> [String: [UInt8]]? {
        if let reference = source["configMap"] {
            return try await entries(.configMaps, reference, name: reference["name"]?.string ?? "", volume, lookup)
        }
        if let reference = source["secret"] {
            let name = reference["secretName"]?.string ?? reference["name"]?.string ?? ""
            return try await entries(.secrets, reference, name: name, volume, lookup)
        }
        if let reference = source["downwardAPI"] {
            var files: [String: [UInt8]] = [:]
            for item in reference["items"]?.array ?? [] {
                guard let path = item["path"]?.string else { continue }
                let text = item[["fieldRef", "fieldPath"]]?.string.map { ContainerEnvironment.field($0, pod, facts) }
                let amount = item["resourceFieldRef"].flatMap { reference in
                    pod.containers.first.flatMap { ContainerEnvironment.resourceField(reference, $0, pod, capacity) }
                }
                files[path] = Array((text ?? amount ?? "").utf8)
            }
            return files
        }
        return nil
    }

    private func entries(
        _ resource: ResourceType, _ reference: JSONValue, name: String, _ volume: String,
        _ lookup: (ResourceType, String) async throws(Status) -> KubeObject?
    ) async throws(ConfigurationError) -> [String: [UInt8]] {
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
            all[key] = resource == .secrets ? Base64Text.decode(text) ?? [] : Array(text.utf8)
        }
        for (key, value) in object.value["binaryData"]?.object ?? [:] {
            all[key] = Base64Text.decode(value.string ?? "") ?? []
        }
        guard let items = reference["items"]?.array else { return all }
        var chosen: [String: [UInt8]] = [:]
        for item in items {
            guard let key = item["key"]?.string, let path = item["path"]?.string else { continue }
            if let bytes = all[key] {
                chosen[path] = bytes
            } else if !isOptional {
                throw mountFailure(volume, "references non-existent config key: \(key)")
            }
        }
        return chosen
    }

    private func mountFailure(_ volume: String, _ message: String) -> ConfigurationError {
        ConfigurationError(
            reason: "FailedMount", message: "MountVolume.SetUp failed for volume \"\(volume)\" : \(message)")
    }

    private func write(_ files: [String: [UInt8]], to path: String) throws(ConfigurationError) {
        let version = "..\(Timestamp.now.nanoseconds)"
        try makeDirectory("\(path)/\(version)")
        for (name, bytes) in files {
            let parts = name.split(separator: "/").map(String.init)
            guard !parts.isEmpty, !parts.contains("..") else { continue }
            if parts.count > 1 { try makeDirectory("\(path)/\(version)/\(parts.dropLast().joined(separator: "/"))") }
            try writeFile(bytes, "\(path)/\(version)/\(name)")
            let link = "\(path)/\(parts[0])"
            unlink(link)
            symlink("..data/\(parts[0])", link)
        }
        unlink("\(path)/..data_tmp")
        symlink(version, "\(path)/..data_tmp")
        rename("\(path)/..data_tmp", "\(path)/..data")
    }

    private func makeDirectory(_ path: String) throws(ConfigurationError) {
        var prefix = ""
        for part in path.split(separator: "/") {
            prefix += "/\(part)"
            guard mkdir(prefix, 0o755) != 0, errno != EEXIST, access(prefix, F_OK) != 0 else { continue }
            throw mountFailure(path, String(cString: strerror(errno)))
        }
    }

    private func writeFile(_ bytes: [UInt8], _ path: String) throws(ConfigurationError) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw mountFailure(path, String(cString: strerror(errno))) }
        defer { close(file) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { throw mountFailure(path, String(cString: strerror(errno))) }
            rest = rest.dropFirst(count)
        }
    }
}
