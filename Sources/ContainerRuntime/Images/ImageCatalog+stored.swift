import KubeModel

/// Images that were loaded or built.
extension ImageCatalog {
    /// How a stored image is run.
    func recipe(_ stored: ImageStore.Stored, in store: ImageStore) throws(RuntimeError) -> Recipe {
        var config = stored.config
        var recipe: Recipe
        if let base = config.base {
            guard let reference = ImageReference(parsing: base) else { throw .invalidImageName(reference: base) }
            recipe = try builtIn(reference, base)
        } else {
            recipe = Recipe(image: Image(reference: stored.reference, digest: ""))
        }
        let layers = Layers(
            store: store, digests: config.layers, hasSystem: config.base != nil, volumes: config.volumes)
        Self.useOwnSettings(of: layers, &recipe, entrypoint: &config.entrypoint)
        let name = ImageReference(parsing: stored.reference)?.name ?? stored.reference
        recipe.layers = layers
        recipe.image = Image(
            reference: stored.reference, digest: "\(name)@\(stored.manifest)", entrypoint: config.entrypoint,
            command: config.command, environment: config.environment, workingDirectory: config.workingDirectory,
            user: try Self.user(config.user, stored.reference, layers), stopSignal: config.stopSignal)
        return recipe
    }

    /// An image on nginx may bring the whole of its settings; servers in `conf.d` are found when it starts.
    private static func useOwnSettings(of layers: Layers, _ recipe: inout Recipe, entrypoint: inout [String]) {
        guard recipe.files.contains(where: { $0.path == nginxSettings }), layers.find("/etc/nginx/nginx.conf") != nil
        else { return }
        entrypoint = entrypoint.map { $0 == nginxSettings ? "/etc/nginx/nginx.conf" : $0 }
    }

    /// What was loaded or built, in the order of names.
    var storedEntries: [Entry] {
        guard let store else { return [] }
        return store.all().map { image in
            let reference = ImageReference(parsing: image.reference)
            let tag = reference?.tag ?? ""
            let familiar = reference?.familiar ?? image.reference
            let base = image.config.base.flatMap(ImageReference.init(parsing:))
            let lost = image.config.layers.contains { !store.has($0) }
            let command = (image.config.entrypoint + image.config.command).joined(separator: " ")
            let program = command.count > 40 ? command.prefix(39) + "…" : command[...]
            return Entry(
                repository: familiar.hasSuffix(":" + tag) ? String(familiar.dropLast(tag.count + 1)) : familiar,
                tags: tag, origin: image.origin.rawValue,
                runs: program.isEmpty
                    ? "nothing of its own" : String(program) + (base.map { ", on \($0.familiar)" } ?? ""),
                missing: lost
                    ? "a layer of it is gone; load or build it again" : base.flatMap { missing(for: $0) },
                bytes: image.config.layers.reduce(0) { $0 + store.layerSize($1) },
                digest: image.manifest.description, created: image.created)
        }
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
