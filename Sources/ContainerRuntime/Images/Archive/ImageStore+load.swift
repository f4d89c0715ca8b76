import Glibc

extension ImageStore {
    /// An image that has come in, as the command line tells it.
    public struct Loaded: Sendable, Hashable {
        /// The whole references it has now.
        public var references: [String]
        public var digest: String
    }

    /// Takes in the images of an archive: `docker save`, or an OCI image layout.
    ///
    /// - Parameters:
    ///   - descriptor: Where it is read from; a pipe is as good as a file.
    ///   - name: How messages call it.
    ///   - reference: A name for its one image, in place of those that it brings along.
    /// - Returns: What is there now, in the order of the archive.
    public func load(
        _ descriptor: Int32, name: String, as reference: String? = nil
    ) throws(ImageError) -> [Loaded] {
        let workshop = try Workshop(in: self)
        let archive = try ImageArchive(descriptor, name: name, workshop: workshop)
        let members = try archive.members()
        guard !members.isEmpty else {
            throw ImageError("'\(name)' holds no image.", hint: "Write one: docker save -o image.tar NAME")
        }
        if let reference, members.count > 1 {
            throw ImageError(
                "'\(name)' holds \(members.count) images, which cannot all be called '\(reference)'.",
                hint: "Leave --name out.")
        }
        var loaded: [Loaded] = []
        for member in members {
            let references = try Self.references(reference.map { [$0] } ?? member.names, of: name)
            let manifest = try load(member, from: archive, name: name)
            for reference in references { try add(reference, manifest: manifest, origin: .loaded) }
            loaded.append(Loaded(references: references.map(\.description), digest: manifest.description))
        }
        return loaded
    }

    private static func references(_ names: [String], of archive: String) throws(ImageError) -> [ImageReference] {
        guard !names.isEmpty else {
            throw ImageError("'\(archive)' does not say what its image is called.", hint: "Name it: --name web:1.0")
        }
        var references: [ImageReference] = []
        for name in names {
            guard let reference = ImageReference(parsing: name), reference.digest == nil else {
                throw ImageError("'\(name)' is no name for an image.", hint: "Name it: --name web:1.0")
            }
            references.append(reference)
        }
        return references
    }

    private func load(
        _ member: ImageArchive.Member, from archive: ImageArchive, name: String
    ) throws(ImageError) -> Digest {
        let layers = member.config.layers
        guard layers.count == member.layers.count else {
            throw ImageError(
                "'\(name)' has \(member.layers.count) layers for an image of \(layers.count).",
                hint: "Make or fetch it anew.")
        }
        let holds = LayerHolds()
        for (layer, source) in zip(layers, member.layers) {
            if !has(layer) {
                if let digest = source.digest { try archive.check(source.file, digest) }
                try addLayer(archive.open(layer: source.file), archive: "\(name): \(source.file)", expected: layer)
            }
            guard holds.hold([layer], of: self) else {
                throw ImageError("The layer \(layer.short) was removed while it was loaded.", hint: "Load it again.")
            }
        }
        guard let manifest = member.manifest else { return try addImage(member.config) }
        try addBlob(member.configBytes)
        return try addBlob(manifest)
    }
}
