public import KubeModel

extension ImageStore {
    /// What an image is made of and how it runs, in the form of `docker image inspect`; nil where there is no such image.
    public func describe(_ name: String) -> JSONValue? {
        guard let reference = ImageReference(parsing: name), let image = find(reference) else { return nil }
        let names = all().filter { $0.manifest == image.manifest }.compactMap { ImageReference(parsing: $0.reference) }
        let digests = Set(names.map { "\($0.repositoryName)@\(image.published)" }).sorted()
        let config = image.config
        return [
            "Id": .string(image.manifest.description),
            "RepoTags": .array(names.filter { $0.tag != nil }.map { .string($0.familiar) }),
            "RepoDigests": .array(digests.map { .string($0) }), "Created": .string(image.created),
            "Config": config.value["config"] ?? [:], "Architecture": config.value["architecture"] ?? "",
            "Os": config.value["os"] ?? "",
            "Size": JSONValue(Int(config.layers.reduce(0) { $0 + layerSize($1) })),
            "RootFS": ["Type": "layers", "Layers": .array(config.layers.map { .string($0.description) })],
        ]
    }
}
