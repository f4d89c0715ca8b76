import KubeModel

/// What a volume gets from elsewhere: tokens of the pod's account, and the places behind claims.
extension PodVolumes {
    func token(
        _ projection: JSONValue, _ volume: String, _ token: (JSONValue) async throws(Status) -> String
    ) async throws(ConfigurationError) -> [UInt8] {
        var spec: JSONValue = ["expirationSeconds": projection["expirationSeconds"] ?? 3600]
        if let audience = projection["audience"]?.string, !audience.isEmpty { spec["audiences"] = [.string(audience)] }
        do throws(Status) { return Array(try await token(spec).utf8) } catch {
            throw mountFailure(volume, "failed to fetch token: \(error.message)")
        }
    }

    /// The path behind a claim; nil for storage that is not on this machine.
    ///
    /// - Parameter group: The group that local storage is to belong to; that behind a `hostPath` stays as it is.
    func mounted(
        _ claim: String, volume: String, group: Int?,
        _ lookup: (ResourceType, String) async throws(Status) -> KubeObject?
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
        if let host = HostPath(spec?["hostPath"]) { return try checked(host, volume: name) }
        guard let path = spec?[["local", "path"]]?.string else { return nil }
        if let group { VolumeOwnership.give(path, to: group) }
        return path
    }
}
