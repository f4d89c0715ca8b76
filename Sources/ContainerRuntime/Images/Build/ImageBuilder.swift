import Glibc

/// Builds an image from a Dockerfile and a folder: each instruction is a step, whose result is remembered by what it was made from.
public struct ImageBuilder: Sendable {
    /// What is to be built.
    public struct Order: Sendable {
        /// The folder whose files `COPY` takes.
        public var context: String
        /// The Dockerfile; nil for that of the context.
        public var file: String?
        /// What the image is to be called.
        public var names: [String] = []
        public var arguments: [String: String] = [:]
        public var target: String?
        /// Do every step, whatever is remembered.
        public var isFresh = false

        public init(context: String) { self.context = context }
    }

    /// What a build says while it goes on.
    public enum Report: Sendable, Hashable {
        /// A step begins: `[2/5] COPY . .`
        case step(String)
        /// The step that began last has its result from before.
        case cached
        /// Output of a `RUN`.
        case output([UInt8])
        case warning(String)
    }

    let store: ImageStore
    let catalog: ImageCatalog
    let report: @Sendable (Report) -> Void
    /// The layers that the build has made or taken over, which nobody may collect meanwhile.
    let holds = LayerHolds()

    public init(
        store: ImageStore, catalog: ImageCatalog, report: @escaping @Sendable (Report) -> Void = { _ in }
    ) {
        self.store = store
        self.catalog = catalog
        self.report = report
    }

    /// Builds, and gives the image its names.
    ///
    /// - Returns: The digest of its manifest.
    public func build(_ order: Order) async throws(ImageError) -> String {
        let references = try Self.references(order.names)
        guard let context = realpath(order.context, nil) else {
            throw ImageError(
                "The folder '\(order.context)' cannot be opened: \(String(cString: strerror(errno))).",
                hint: "Name the folder with the Dockerfile: velocity image build -t web:1.0 .")
        }
        defer { free(context) }
        let root = String(cString: context)
        let path = order.file ?? root + "/Dockerfile"
        let name = order.file ?? "Dockerfile"
        guard let bytes = ImageStore.contents(path) else {
            throw ImageError(
                "'\(path)' cannot be read: \(String(cString: strerror(errno))).",
                hint: "Name it: velocity image build -f FILE -t web:1.0 \(order.context)")
        }
        let file = try Dockerfile(parsing: String(decoding: bytes, as: UTF8.self), name: name)
        let plan = try BuildPlan(file, arguments: order.arguments, target: order.target)
        let ignored = ImageStore.contents(path + ".dockerignore") ?? ImageStore.contents(root + "/.dockerignore") ?? []
        let view = ContextView(root: root, ignore: IgnoreList(String(decoding: ignored, as: UTF8.self)))
        try store.prepare()
        warnOfUnused(order.arguments, in: file)
        let sandbox = BuildSandbox(store: store, catalog: catalog)
        let outcome: Result<Digest, ImageError>
        do throws(ImageError) {
            outcome = .success(try await build(plan, file, order, view, sandbox, references))
        } catch {
            outcome = .failure(error)
        }
        await sandbox.shutDown()
        return try outcome.get().description
    }

    private func build(
        _ plan: BuildPlan, _ file: Dockerfile, _ order: Order, _ context: ContextView, _ sandbox: BuildSandbox,
        _ references: [ImageReference]
    ) async throws(ImageError) -> Digest {
        let steps = plan.stages.reduce(0) { $0 + 1 + $1.instructions.count }
        var done: [BuildStage] = []
        var count = 0
        for stage in plan.stages {
            var work = BuildStage(
                stage: stage, file: file, plan: plan, order: order, context: context, builder: self, earlier: done)
            count += 1
            report(.step("[\(count)/\(steps)] \(stage.from.text)"))
            try work.begin()
            for trigger in try work.takeTriggers() {
                report(.step("[\(count)/\(steps)] ONBUILD \(trigger.text)"))
                try await work.perform(trigger, sandbox)
            }
            for instruction in stage.instructions {
                count += 1
                report(.step("[\(count)/\(steps)] \(instruction.text)"))
                try await work.perform(instruction, sandbox)
            }
            done.append(work)
        }
        guard let last = done.last else { throw ImageError("There is nothing to build.") }
        // Without the time, so that what is alike is the same image.
        let manifest = try store.addImage(last.config)
        for reference in references { try store.add(reference, manifest: manifest, origin: .built) }
        return manifest
    }

    private static func references(_ names: [String]) throws(ImageError) -> [ImageReference] {
        var references: [ImageReference] = []
        for name in names {
            guard let reference = ImageReference(parsing: name), reference.digest == nil else {
                throw ImageError(
                    "'\(name)' is no name for an image: lower-case letters, digits and '.', '_', '-', '/', then a tag after ':'.",
                    hint: "For example: -t task-tracker:v1")
            }
            references.append(reference)
        }
        return references
    }

    private func warnOfUnused(_ arguments: [String: String], in file: Dockerfile) {
        for name in arguments.keys.sorted() {
            let isTaken = file.instructions.contains { instruction in
                instruction.keyword == .arg
                    && DockerfileWords(variables: [:]).split(instruction.rest).contains {
                        $0 == name || $0.hasPrefix(name + "=")
                    }
            }
            if !isTaken { report(.warning("--build-arg \(name) is not used: no ARG of '\(file.name)' has that name.")) }
        }
    }
}
