import Glibc
import KubeModel

/// One stage of a build while it is being built: what it is so far.
struct BuildStage: Sendable {
    let stage: BuildPlan.Stage
    let file: Dockerfile
    let plan: BuildPlan
    let order: ImageBuilder.Order
    let context: ContextView
    let builder: ImageBuilder
    /// The stages before it that are needed.
    let earlier: [BuildStage]

    var config = ImageConfig()
    /// All that what it is so far was made from.
    private(set) var key = ContentHash().digest
    /// `ARG`s that count here.
    var arguments: [String: String] = [:]
    var hasOwnCommand = false

    init(
        stage: BuildPlan.Stage, file: Dockerfile, plan: BuildPlan, order: ImageBuilder.Order, context: ContextView,
        builder: ImageBuilder, earlier: [BuildStage]
    ) {
        self.stage = stage
        self.file = file
        self.plan = plan
        self.order = order
        self.context = context
        self.builder = builder
        self.earlier = earlier
    }

    var store: ImageStore { builder.store }
    var view: LayerView { LayerView(config, in: store) }

    /// What variables stand for: the environment goes before arguments.
    ///
    /// An image that says nothing about it has the search path of every container: `ENV PATH=/app/bin:$PATH` adds to that.
    var words: DockerfileWords {
        var variables = arguments
        variables["PATH"] = SystemFiles.path
        for entry in config.environment {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        return DockerfileWords(variables: variables, escape: file.escape)
    }

    func failure(_ instruction: Dockerfile.Instruction, _ what: String, _ hint: String? = nil) -> ImageError {
        ImageError("\(file.name):\(instruction.line): \(instruction.keyword.rawValue): \(what)", hint: hint)
    }

    // MARK: Beginning

    /// Takes over what the stage begins from.
    mutating func begin() throws(ImageError) {
        if let index = BuildPlan.find(stage.base, in: earlier.map(\.stage)),
            let other = earlier.first(where: { $0.stage.number == index })
        {
            config = other.config
            key = other.key
            return
        }
        if stage.base == "scratch" {
            key = hash(["scratch"])
            return
        }
        let (base, identity) = try image(stage.base, stage.from)
        config = base
        key = hash(["image", identity])
    }

    /// The configuration of an image of this machine, and what tells it from others.
    func image(
        _ name: String, _ instruction: Dockerfile.Instruction
    ) throws(ImageError) -> (config: ImageConfig, identity: String) {
        guard let reference = ImageReference(parsing: name) else {
            throw failure(
                instruction, "'\(name)' is no name for an image.", "Names are in lower case: FROM python:3.12-slim")
        }
        if let stored = store.find(reference) { return (stored.config, stored.manifest.description) }
        guard builder.catalog.hasBuiltIn(reference) else {
            throw failure(
                instruction, "this machine has no image '\(name)'.",
                "`velocity image list` shows what there is; `velocity image load -i FILE` brings one in from an archive, `velocity image pull NAME` from its registry."
            )
        }
        let recipe: ImageCatalog.Recipe
        do throws(RuntimeError) { recipe = try builder.catalog.builtIn(reference, name) } catch {
            throw failure(
                instruction, "'\(name)' does not work here: \(builder.catalog.missing(for: reference) ?? "\(error)").")
        }
        var config = ImageConfig()
        config.base = reference.description
        config.entrypoint = recipe.image.entrypoint
        config.command = recipe.image.command
        config.environment = recipe.image.environment
        config["StopSignal"] = .string("\(recipe.image.stopSignal)")
        config.layers = try defaultLayer(recipe.defaults)
        return (config, ([reference.description] + config.layers.map(\.description)).joined(separator: " "))
    }

    /// The layer of the files that a built-in image has in place of the host's; none where there are none.
    private func defaultLayer(_ files: [SystemFiles.File]) throws(ImageError) -> [Digest] {
        guard !files.isEmpty else { return [] }
        let workshop = try ImageStore.Workshop(in: store)
        let tree = try Self.makeTree(in: workshop)
        let root = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { throw .system("'\(tree)' cannot be opened", errno) }
        defer { close(root) }
        let copy = TreeCopy(view: view, tree: FileTree(root: root))
        for file in files { try copy.write(file.content, to: file.path) }
        return [try keep(workshop)]
    }

    /// What the base wants to be done first of all in what is built on it; its own images do not want it again.
    mutating func takeTriggers() throws(ImageError) -> [Dockerfile.Instruction] {
        guard let texts = config["OnBuild"]?.array?.compactMap(\.string), !texts.isEmpty else { return [] }
        config["OnBuild"] = nil
        var triggers: [Dockerfile.Instruction] = []
        for text in texts { triggers.append(try trigger(text, stage.from)) }
        return triggers
    }

    func trigger(
        _ text: String, _ instruction: Dockerfile.Instruction
    ) throws(ImageError) -> Dockerfile.Instruction {
        var parser = DockerfileParser(text, name: file.name)
        guard var found = try parser.parse().first else {
            throw failure(instruction, "'\(text)' is no instruction.", "For example: ONBUILD COPY . /app/")
        }
        guard ![.from, .onbuild, .maintainer].contains(found.keyword) else {
            throw failure(instruction, "\(found.keyword.rawValue) cannot be for later.", "Leave ONBUILD out.")
        }
        found.line = instruction.line
        return found
    }

    // MARK: Steps

    mutating func perform(
        _ instruction: Dockerfile.Instruction, _ sandbox: BuildSandbox
    ) async throws(ImageError) {
        switch instruction.keyword {
        case .run: try await run(instruction, sandbox)
        case .copy, .add: try copy(instruction)
        case .workdir: try setWorkingDirectory(instruction)
        default:
            let before = config
            try describe(instruction)
            if config != before { advance([config.value["config"]?.text ?? ""]) }
        }
    }

    /// Whether a step with these facts was done before; then its layers are taken over.
    ///
    /// - Parameter facts: All that the step's layer is made from, besides what the stage is so far.
    mutating func takeFromBefore(_ facts: [String]) throws(ImageError) -> Bool {
        advance(facts)
        guard !order.isFresh, let cached = store.cached(key) else { return false }
        let layers = ImageConfig(cached).layers
        guard builder.holds.hold(layers, of: store) else { return false }
        config.layers = layers
        builder.report(.cached)
        return true
    }

    /// Puts the layer that was made in a workshop on top, unless it is empty, and remembers it.
    mutating func keepLayer(_ workshop: borrowing ImageStore.Workshop) throws(ImageError) {
        let folder = workshop.path + "/layer"
        let tree = open(folder + "/tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard tree >= 0 else { throw .system("'\(folder)' cannot be opened", errno) }
        let isEmpty = FileTree.names(in: tree).isEmpty && !LayerView.isOpaque(tree)
        close(tree)
        if !isEmpty { config.layers.append(try keep(workshop)) }
        try store.remember(config, under: key)
    }

    /// Takes the tree that was made in a workshop into the store.
    private func keep(_ workshop: borrowing ImageStore.Workshop) throws(ImageError) -> Digest {
        let folder = workshop.path + "/layer"
        let digest = try TreeDigest.of(folder + "/tree")
        try store.keep(folder, as: digest)
        guard builder.holds.hold([digest], of: store) else {
            throw ImageError("The layer \(digest.short) was removed while it was made.", hint: "Build again.")
        }
        return digest
    }

    /// Makes the folder of a new layer; returns its tree.
    static func makeTree(in workshop: borrowing ImageStore.Workshop) throws(ImageError) -> String {
        let folder = workshop.path + "/layer"
        try ImageStore.makeFolders([folder, folder + "/tree"])
        chmod(folder + "/tree", 0o755)
        return folder + "/tree"
    }

    mutating func advance(_ facts: [String]) { key = hash([key.hex] + facts) }

    private func hash(_ facts: [String]) -> Digest {
        var hash = ContentHash()
        for fact in facts { hash.update(field: fact) }
        return hash.digest
    }
}
