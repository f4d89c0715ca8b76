import Glibc
import KubeModel

extension ImageStore {
    /// Fetches an image from its registry, under the name by which it was asked for; layers that are here are not fetched again.
    ///
    /// - Returns: The digest by which the registry gives it: of its index, or of its manifest where it has none.
    @discardableResult
    func pull(
        _ reference: ImageReference, login: RegistryLogin? = nil
    ) async throws(Registry.Failure) -> Digest {
        let registry = Registry(of: reference, login: login)
        let (bytes, manifest, published) = try await manifest(of: reference, registry)
        guard let digest = manifest[["config", "digest"]]?.string.flatMap(Digest.init) else {
            throw .other("its manifest has no 'config'")
        }
        let configBytes = try await registry.configuration(digest)
        guard let value = try? JSONValue(parsing: configBytes) else { throw .other("its configuration is no JSON") }
        let config = ImageConfig(value)
        let blobs = (manifest["layers"]?.array ?? []).map { $0["digest"]?.string.flatMap(Digest.init) }
        guard blobs.count == config.layers.count else {
            throw .other("it has \(blobs.count) layers for an image of \(config.layers.count)")
        }
        let holds = LayerHolds()
        for (layer, blob) in zip(config.layers, blobs) {
            guard let blob else { throw .other("a layer has no SHA-256 digest") }
            if !has(layer) { try await fetch(blob, of: registry, as: layer, name: reference.familiar) }
            guard holds.hold([layer], of: self) else { throw .other("the layer \(layer.short) was removed meanwhile") }
        }
        do throws(ImageError) {
            try addBlob(configBytes)
            let digest = try addBlob(bytes)
            try add(reference, manifest: digest, origin: .pulled, index: published)
            return published
        } catch {
            throw .other(error.message)
        }
    }

    /// The manifest for this machine: of an index, the one in it.
    private func manifest(
        of reference: ImageReference, _ registry: Registry
    ) async throws(Registry.Failure) -> (bytes: [UInt8], value: JSONValue, published: Digest) {
        var published: Digest?
        var name = reference.digest ?? reference.tag ?? "latest"
        for _ in 0..<3 {
            let bytes = try await registry.manifest(name)
            guard let value = try? JSONValue(parsing: bytes) else { throw .other("its manifest is no JSON") }
            published = published ?? Digest(of: bytes)
            guard let choices = value["manifests"]?.array else { return (bytes, value, published ?? Digest(of: bytes)) }
            let choice = choices.first {
                $0[["platform", "os"]]?.string == "linux"
                    && $0[["platform", "architecture"]]?.string == ImageConfig.machine
            }
            guard let digest = choice?["digest"]?.string else {
                throw .other("no match for platform in manifest: it has no image for linux/\(ImageConfig.machine)")
            }
            name = digest
        }
        throw .other("its manifests lead in circles")
    }

    private func fetch(
        _ blob: Digest, of registry: Registry, as layer: Digest, name: String
    ) async throws(Registry.Failure) {
        let path: String
        do throws(ImageError) {
            try prepare()
            path = "\(self.path)/new/blob-\(blob.hex)-\(getpid())"
        } catch { throw .other(error.message) }
        let file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .other(ImageError.system("'\(path)' cannot be written", errno).message) }
        // Nobody else needs its name, and nothing is left of it whatever happens.
        unlink(path)
        defer { close(file) }
        try await registry.download(blob, to: file)
        do throws(ImageError) {
            try addLayer(Packing.open(file, name: "\(name): \(blob)"), archive: "\(name): \(blob)", expected: layer)
        } catch {
            throw .other(error.message)
        }
    }
}

extension ImageStore {
    /// Fetches an image, as a person asks for it.
    ///
    /// - Parameter keyring: The person's logins, of which the most special one counts.
    /// - Returns: Its whole name and the digest by which the registry gives it.
    public func pull(
        named text: String, with keyring: RegistryKeyring = RegistryKeyring()
    ) async throws(ImageError) -> (name: String, digest: String) {
        guard let reference = ImageReference(parsing: text) else {
            throw ImageError("'\(text)' is no name for an image.", hint: "For example: nginx:1.27")
        }
        let login = keyring.logins(for: reference).first
        do throws(Registry.Failure) {
            let digest = try await pull(reference, login: login)
            return (reference.familiar, digest.description)
        } catch {
            switch error {
            case .notFound:
                throw ImageError(
                    "The registry '\(reference.registry)' has no image '\(reference.familiar)'.",
                    hint: "See that name and tag are right.")
            case .denied where login == nil:
                throw ImageError(
                    "The registry '\(reference.registry)' gives '\(reference.familiar)' to nobody without a login, or has none of that name.",
                    hint: "See that the name is right; a login is taken from where `docker login` keeps it.")
            case .denied(let because):
                throw ImageError(
                    "The registry '\(reference.registry)' refuses '\(reference.familiar)' to your login: \(because).",
                    hint: "See that the name is right, or log in anew: docker login \(reference.registry)")
            case .other(let because):
                throw ImageError(
                    "'\(reference.familiar)' cannot be fetched: \(because).",
                    hint: "See that this machine reaches '\(reference.registry)'.")
            }
        }
    }
}
