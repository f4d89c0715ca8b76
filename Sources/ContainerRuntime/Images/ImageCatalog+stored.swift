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
        if recipe.defaults.contains(where: { layers.find($0.path) != nil }) { recipe.defaults = [] }
        let name = ImageReference(parsing: stored.reference)?.name ?? stored.reference
        recipe.layers = layers
        // Steps of a build are root's, as with the real images; the program has the base's user, unless USER says another.
        let user = try Self.user(config.user, stored.reference, layers) ?? recipe.image.user
        recipe.image = Image(
            reference: stored.reference, digest: "\(name)@\(stored.published)", entrypoint: config.entrypoint,
            command: config.command, environment: config.environment, workingDirectory: config.workingDirectory,
            user: user, stopSignal: config.stopSignal)
        recipe.image.group = try Self.group(config.user, stored.reference, layers)
        recipe.image.bytes = config.layers.reduce(0) { $0 + store.layerSize($1) }
        let userName = String(config.user.prefix { $0 != ":" })
        if !userName.isEmpty, Int(userName) == nil { recipe.image.userName = userName }
        return recipe
    }

    /// What was loaded or built, in the order of names.
    var storedEntries: [Entry] {
        guard let store else { return [] }
        return store.all().map { image in
            let reference = ImageReference(parsing: image.reference)
            let base = image.config.base.flatMap(ImageReference.init(parsing:))
            let lost = image.config.layers.contains { !store.has($0) }
            let command = (image.config.entrypoint + image.config.command).joined(separator: " ")
            let program = command.count > 40 ? command.prefix(39) + "…" : command[...]
            return Entry(
                repository: reference?.repositoryName ?? image.reference, tags: reference?.tag ?? "<none>",
                origin: image.origin.rawValue,
                runs: program.isEmpty
                    ? "nothing of its own" : String(program) + (base.map { ", on \($0.familiar)" } ?? ""),
                missing: lost
                    ? "a layer of it is gone; load or build it again" : base.flatMap { missing(for: $0) },
                bytes: image.config.layers.reduce(0) { $0 + store.layerSize($1) },
                digest: image.manifest.description, created: image.created, reference: image.reference)
        }
    }

    /// The number behind `USER`: `1000`, `app`, `1000:1000` or `app:staff`; nil for none.
    static func user(_ text: String, _ image: String, _ layers: Layers) throws(RuntimeError) -> Int? {
        let name = String(text.prefix { $0 != ":" })
        if name.isEmpty { return nil }
        if let number = Int(name) { return number }
        let accounts = layers.accounts("/etc/passwd")
        if let account = accounts?.first(where: { $0[0] == name }) { return Int(account[2]) }
        if accounts == nil, let number = SystemFiles.user(name) { return number }
        throw .system("unable to find user \(name): the image '\(image)' has no such user in /etc/passwd")
    }

    /// The number of the group in `USER`; nil where it names none.
    static func group(_ text: String, _ image: String, _ layers: Layers) throws(RuntimeError) -> Int? {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        if let number = Int(parts[1]) { return number }
        let groups = layers.accounts("/etc/group")
        if let group = groups?.first(where: { $0[0] == parts[1] }) { return Int(group[2]) }
        if groups == nil, let number = SystemFiles.user(parts[1]) { return number }
        throw .system("unable to find group \(parts[1]): the image '\(image)' has no such group in /etc/group")
    }

    /// The groups of a container's user, as the image's own accounts give them: the first one is the primary one.
    ///
    /// A user without an account is in group 0, as with every container runtime.
    static func groups(of user: Int, _ layers: Layers?) -> [Int] {
        guard let layers, let accounts = layers.accounts("/etc/passwd") else {
            return [SystemFiles.hasUser(user) ? user : 0]
        }
        guard let account = accounts.first(where: { $0[2] == "\(user)" }), account.count > 3 else { return [0] }
        let members = (layers.accounts("/etc/group") ?? []).filter { group in
            group.count > 3 && group[3].split(separator: ",").contains { $0 == account[0] }
        }
        let primary = Int(account[3]) ?? 0
        return [primary] + members.compactMap { Int($0[2]) }.filter { $0 != primary }
    }
}

extension ImageCatalog.Layers {
    /// The lines of an image's list of users or groups; nil where the system below the layers has its own.
    fileprivate func accounts(_ path: String) -> [[String]]? {
        guard let text = text(path) else { return hasSystem ? nil : [] }
        return text.split(separator: "\n").map { line in
            line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        }.filter { $0.count > 2 }
    }
}
