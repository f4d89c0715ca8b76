import KubeModel

/// Images that were loaded or built.
extension ImageCatalog {
    /// How a stored image is run.
    func recipe(_ stored: ImageStore.Stored, in store: ImageStore) throws(RuntimeError) -> Recipe {
        let config = stored.config
        var recipe: Recipe
        if let base = config.base {
            guard let reference = ImageReference(parsing: base) else { throw .invalidImageName(reference: base) }
            recipe = try builtIn(reference, base)
        } else {
            recipe = Recipe(image: Image(reference: stored.reference, digest: ""))
        }
        let layers = Layers(
            store: store, digests: config.layers, hasSystem: config.base != nil, volumes: config.volumes)
        let name = ImageReference(parsing: stored.reference)?.name ?? stored.reference
        recipe.layers = layers
        recipe.image = Image(
            reference: stored.reference, digest: "\(name)@\(stored.manifest)", entrypoint: config.entrypoint,
            command: config.command, environment: config.environment, workingDirectory: config.workingDirectory,
            user: try Self.user(config.user, stored.reference, layers), stopSignal: config.stopSignal)
        return recipe
    }

    /// The number behind `USER`: `1000`, `app`, `1000:1000` or `app:staff`; nil for none.
    ///
    /// The group is the user's: a container here has one of each.
    static func user(_ text: String, _ image: String, _ layers: Layers) throws(RuntimeError) -> Int? {
        let name = text.split(separator: ":").first.map(String.init) ?? ""
        if name.isEmpty { return nil }
        if let number = Int(name) { return number }
        let accounts = layers.text("/etc/passwd") ?? ""
        for line in accounts.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 2, fields[0] == name, let number = Int(fields[2]) { return number }
        }
        if layers.hasSystem, accounts.isEmpty, let number = SystemFiles.user(name) { return number }
        throw .system("unable to find user \(name): the image '\(image)' has no such user in /etc/passwd")
    }
}
