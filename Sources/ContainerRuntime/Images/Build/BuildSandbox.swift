import Glibc
import Synchronization

/// Where the steps of a build run: a pod without a network beyond itself, made when the first step needs it.
final class BuildSandbox: Sendable {
    /// A program that changes files.
    struct Step: Sendable {
        var layers: ImageCatalog.Layers
        /// The built-in image below the layers.
        var base: String?
        var command: [String]
        var environment: [String]
        var workingDirectory: String
        var user: Int?
        /// Nil: that of the user.
        var group: Int?
    }

    private let store: ImageStore
    private let catalog: ImageCatalog
    private let runtime = Mutex<SandboxRuntime?>(nil)
    private let count = Mutex(0)
    private static let pod = "build"

    init(store: ImageStore, catalog: ImageCatalog) {
        self.store = store
        self.catalog = catalog
    }

    func shutDown() async { await runtime.withLock { $0 }?.shutDown() }

    private func ready() async throws(RuntimeError) -> SandboxRuntime {
        if let runtime = runtime.withLock({ $0 }) { return runtime }
        let probe = RuntimeProbe.run()
        if let obstacle = probe.obstacle {
            throw .system("RUN needs a sandbox: \(obstacle)\(probe.fix.map { " Allow it: \($0)" } ?? "")")
        }
        let runtime = try SandboxRuntime(images: catalog, logs: ContainerLogs(), role: "build", adapt: nil)
        self.runtime.withLock { $0 = runtime }
        // Nobody answers at the name server, and nobody is waited for.
        try await runtime.runPodSandbox(
            PodSandboxConfiguration(
                podUID: Self.pod, name: Self.pod, namespace: "default", hostName: "build", address: "10.244.0.2",
                resolverConfiguration: "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n",
                hosts: "127.0.0.1\tlocalhost build\n::1\tlocalhost\n"))
        return runtime
    }

    /// Runs a step; on return with 0, the workshop holds the new layer's tree.
    ///
    /// - Returns: The code that the program ended with.
    func run(
        _ step: Step, in workshop: borrowing ImageStore.Workshop, output: @escaping @Sendable ([UInt8]) -> Void
    ) async throws(RuntimeError) -> Int {
        let runtime = try await ready()
        let changes = BuildChanges(path: workshop.path + "/changes", system: step.layers.hasSystem)
        do throws(ImageError) { try changes.prepare(step.layers) } catch { throw .system(error.message) }
        var recipe = ImageCatalog.Recipe(image: Image(reference: step.base ?? "scratch", digest: ""))
        if let base = step.base, let reference = ImageReference(parsing: base) {
            recipe = try catalog.builtIn(reference, base)
        }
        let name = count.withLock { count in
            count += 1
            return "step\(count)"
        }
        let mounts = recipe.mounts + changes.tools
        // An ordinary user has one id to give: a program that leaves root's rights behind, as nginx does, has no other to go to.
        let user = step.user ?? (geteuid() == 0 ? nil : recipe.image.user)
        var configuration = ContainerConfiguration(
            podUID: Self.pod, name: name, image: recipe.image, arguments: step.command,
            workingDirectory: step.workingDirectory, runAsUser: user, logPath: "")
        configuration.security.group = step.group ?? ImageCatalog.groups(of: user ?? 0, step.layers).first
        var launch = SandboxRuntime.Launch(
            pod: try runtime.pod(Self.pod), container: SandboxRuntime.name(configuration), arguments: step.command,
            environment: changes.environment(step.environment), workingDirectory: step.workingDirectory, mounts: mounts,
            files: [], layers: step.layers, changes: changes.path)
        launch.files =
            SystemFiles.files(for: launch.pod).filter { SystemFiles.ofPod.contains($0.path) }
            + recipe.files.filter { step.layers.find($0.path) == nil }
        let id = try await runtime.start(launch, configuration) { bytes, _ in output(bytes) }
        let exit = await runtime.waitForExit(id)
        guard exit.code == 0 else { return exit.code }
        do throws(ImageError) {
            let placed = launch.files.map(\.path) + recipe.litter
            try changes.collect(into: BuildStage.makeTree(in: workshop), placed: placed)
        } catch {
            throw .system(error.message)
        }
        return 0
    }
}
