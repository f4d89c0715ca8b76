import Glibc

/// The images of this machine: references that resolve to recipes for running something that is here already.
///
/// An image that stands for real software runs the real software of the host, and says what to install when it is missing.
public struct ImageCatalog: Sendable {
    /// How an image is run.
    struct Recipe: Sendable {
        var image: Image
        /// Files and folders of the host that it needs besides the system's own.
        var mounts: [ContainerConfiguration.Mount] = []
        var files: [SystemFiles.File] = []
        /// Files in place of the host's that people change: a layer below what is built on the image.
        var defaults: [SystemFiles.File] = []
        /// What a user without an account is called, where its program runs for nobody who has no name.
        var account: String?
        /// What its program leaves behind, empty, when a step of a build tries it out: root's then, and in its way later.
        var litter: [String] = []
        /// Folders of the host's system that belong to the container's user: people change them with `kubectl exec`.
        var owned: [String] = []
        /// The layers of an image that was loaded or built; nil for the host's system alone.
        var layers: Layers?
    }

    /// What the root of a container is put together from.
    struct Layers: Sendable, Hashable {
        var store: ImageStore
        /// The lowest first.
        var digests: [Digest]
        /// The host's system is below them.
        var hasSystem: Bool
        var volumes: [String]
    }

    /// One line of `velocity image list`.
    public struct Entry: Sendable, Hashable, Encodable {
        public var repository: String
        public var tags: String
        /// `built in`, `loaded`, `built` or `pulled`.
        public var origin: String
        /// What answers when a container of it starts.
        public var runs: String
        /// What is missing on this machine, and how to get it; nil when the image works.
        public var missing: String?
        /// The bytes of its own files; nil for what is built in, which is on this machine anyway.
        public var bytes: Int64?
        /// The digest of the manifest; nil for what is built in.
        public var digest: String?
        /// When it got its name, RFC 3339; nil for what is built in.
        public var created: String?
        /// The whole name, `docker.io/library/web:1.0`; nil for what is built in, which may have many tags.
        public var reference: String?
    }

    /// An image that is built in.
    struct BuiltIn: Sendable {
        var repository: String
        /// Nil: any tag.
        var tags: [String]?
        /// The tags in few words, where there are many.
        var tagSummary: String?
        var runs: String
        /// The program of the host that it needs, and the Debian package that brings it.
        var needs: (program: String, package: String)?
        /// What is missing on this machine, where the name of one program does not tell.
        var lacks: (@Sendable () -> String?)?
        var make: @Sendable (_ reference: String, _ tag: String, _ catalog: ImageCatalog) -> Recipe
    }

    /// The program that holds the course's own services.
    let workloads: String
    /// The program that pods live in, and that of the image `pause`; it stands beside the other one.
    public var sandboxd: String {
        workloads.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/sandboxd"
    }
    /// What was loaded or built; nil where only what is built in counts.
    let store: ImageStore?
    /// What is not here is fetched from its registry.
    let pulls: Bool
    /// Who fetches what now.
    let turns = PullTurns()

    /// - Parameters:
    ///   - workloads: The path of the `Workloads` program; it stands beside this one.
    ///   - store: The images that were loaded or built.
    ///   - pulls: Whether registries are asked for what is not here; it takes a store.
    public init(workloads: String, store: ImageStore? = nil, pulls: Bool = false) {
        self.workloads = workloads
        self.store = store
        self.pulls = pulls
    }

    /// The catalogue of the running program.
    public static func ofThisProgram(store: ImageStore? = nil, pulls: Bool = false) -> ImageCatalog {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = max(0, readlink("/proc/self/exe", &buffer, buffer.count - 1))
        let path = String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        return ImageCatalog(workloads: "/\(folder)/Workloads", store: store, pulls: pulls)
    }

    /// All that can be run: what was loaded or built, then what is built in.
    public var entries: [Entry] {
        storedEntries
            + Self.builtIns.map { builtIn in
                Entry(
                    repository: builtIn.repository.replacing("docker.io/library/", with: "").replacing(
                        "docker.io/", with: ""),
                    tags: builtIn.tagSummary ?? builtIn.tags?.joined(separator: ", ") ?? "any", origin: "built in",
                    runs: builtIn.runs,
                    missing: missing(builtIn))
            }
    }

    /// What a built-in image lacks on this machine; nil when it works, or is none.
    public func missing(for reference: ImageReference) -> String? {
        Self.builtIns.first { $0.repository == reference.name }.flatMap(missing)
    }

    private func missing(_ builtIn: BuiltIn) -> String? {
        if let needs = builtIn.needs, Self.find(needs.program) == nil {
            return "\(needs.program) is not installed on this machine; sudo apt-get install \(needs.package)"
        }
        if let lacks = builtIn.lacks { return lacks() }
        if builtIn.needs == nil, access(workloads, X_OK) != 0 {
            return "the program '\(workloads)' is missing; build it: make build"
        }
        return nil
    }

    static func find(_ program: String) -> String? {
        // Where containers look, which see no other folders of the host.
        ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map { "\($0)/\(program)" }
            .first { access($0, X_OK) == 0 }
    }

    /// Whether an image has been brought here: loaded, or built.
    func isStored(_ text: String) -> Bool {
        ImageReference(parsing: text).flatMap { store?.find($0) } != nil
    }

    /// Finds the recipe of a reference: what was loaded or built under a name goes before what is built in.
    func resolve(_ text: String) throws(RuntimeError) -> Recipe {
        guard let reference = ImageReference(parsing: text) else { throw .invalidImageName(reference: text) }
        if let store, let stored = store.find(reference) { return try recipe(stored, in: store) }
        return try builtIn(reference, text)
    }

    /// Whether something built in answers to a reference.
    public func hasBuiltIn(_ reference: ImageReference) -> Bool {
        Self.builtIns.contains { $0.repository == reference.name && ($0.tags?.contains(reference.tag ?? "") ?? true) }
    }

    /// Finds what is built in.
    func builtIn(_ reference: ImageReference, _ text: String) throws(RuntimeError) -> Recipe {
        let full = reference.description
        let name = "\(reference.registry)/\(reference.repository)"
        let tag = reference.tag ?? ""
        guard
            let builtIn = Self.builtIns.first(where: {
                $0.repository == name && ($0.tags?.contains(tag) ?? !tag.isEmpty)
            })
        else {
            throw .imageNotFound(
                reference: text,
                because:
                    "rpc error: code = NotFound desc = failed to pull and unpack image \"\(full)\": failed to resolve reference"
                    + " \"\(full)\": \(full): not found (this machine's catalogue has no such image; `velocity image list` shows it)"
            )
        }
        if let missing = missing(builtIn) {
            throw .imageNotFound(
                reference: text,
                because: "rpc error: code = Unavailable desc = failed to pull and unpack image \"\(full)\": \(missing)")
        }
        return builtIn.make(full, tag, self)
    }

    // MARK: What is built in

    private static let builtIns: [BuiltIn] =
        courseImages + [
            nginxImage, postgresImage, redisImage,
            BuiltIn(
                repository: "docker.io/curlimages/curl", tags: nil, runs: "the host's curl", needs: ("curl", "curl"),
                make: curl),
            language("python", "the host's Python", "python3", "python3", aliases: ["python", "pip"]),
            language("node", "the host's Node.js", "node", "nodejs"),
            language("golang", "the host's Go", "go", "golang-go", command: ["bash"]),
            language("openjdk", "the host's Java", "java", "default-jre-headless", command: ["jshell"]),
            language("eclipse-temurin", "the host's Java", "java", "default-jre-headless", command: ["jshell"]),
        ] + systemImages

    /// A language's image: the host's system with its interpreter or compiler.
    ///
    /// - Parameter aliases: Names that the image has and Debian lacks; `python` is `python3` there.
    private static func language(
        _ name: String, _ runs: String, _ program: String, _ package: String, command: [String]? = nil,
        aliases: [String] = []
    ) -> BuiltIn {
        BuiltIn(repository: "docker.io/library/\(name)", tags: nil, runs: runs, needs: (program, package)) {
            reference, tag, _ in
            let mounts = aliases.compactMap { alias in
                find(alias + "3").map { path in
                    ContainerConfiguration.Mount(
                        hostPath: path, containerPath: "/opt/velocitylab/bin/\(alias)", isReadOnly: true)
                }
            }
            return Recipe(
                image: Image(reference: reference, digest: "builtin:\(name):\(tag)", command: command ?? [program]),
                mounts: mounts)
        }
    }

    /// As the real image's entry point does: arguments that are no command go to curl.
    private static let curl: @Sendable (String, String, ImageCatalog) -> Recipe = { reference, tag, _ in
        let script =
            #"case "$1" in -*|*://*) ;; *) if command -v "$1" >/dev/null 2>&1; then exec "$@"; fi ;; esac; exec curl "$@""#
        return Recipe(
            image: Image(
                reference: reference, digest: "builtin:curl:\(tag)", entrypoint: ["sh", "-c", script, "curl"],
                command: ["--help"]))
    }
}
