import CSandbox
import Glibc
import KubeClient
import Synchronization

/// Starting programs: what a container is made of goes to `sandboxd`, its streams come back.
extension SandboxRuntime {
    static func name(_ configuration: ContainerConfiguration) -> String {
        "\(configuration.podUID)/\(configuration.name)/\(configuration.attempt)"
    }

    /// The sandbox of a pod that was made here.
    func pod(_ uid: String) throws(RuntimeError) -> PodSandboxConfiguration {
        guard let pod = pods.withLock({ $0[uid]?.configuration }) else { throw .notFound("pod \(uid)") }
        return pod
    }

    /// Starts what is ready to be started.
    ///
    /// - Parameters:
    ///   - output: Takes the output, and whether it is standard error.
    ///   - finished: Called once, when the program has ended and its output too, or when it does not start.
    func start(
        _ launch: Launch, _ configuration: ContainerConfiguration,
        output: @escaping @Sendable (_ bytes: [UInt8], _ isError: Bool) -> Void,
        finished: @escaping @Sendable () -> Void = {}
    ) async throws(RuntimeError) -> ContainerID {
        var launch = launch
        if configuration.isTerminal { launch.environment = Self.withTerminal(launch.environment) }
        let id = Self.name(configuration)
        let wish = ExecRequest(
            container: configuration.name, hasInput: configuration.hasInput, isTerminal: configuration.isTerminal)
        let layers = launch.layers
        if let layers, !holds.hold(layers.digests, of: layers.store) {
            throw .system("a layer of the image \"\(configuration.image.reference)\" has been removed")
        }
        let processes = processes
        processes.add(id, pipes: ProgramStreams.sourceCount(wish)) { [weak self] in
            finished()
            self?.running.withLock { $0.removeValue(forKey: id) }?.streams.close()
            self?.processIDs.withLock { _ = $0.removeValue(forKey: id) }
            if let layers { self?.holds.release(layers.digests) }
        }
        do throws(RuntimeError) {
            let hub = OutputHub(keepsEarly: configuration.isInputOnce, record: output)
            let (streams, ends) = try await ProgramStreams.make(wish, hub: hub) { processes.pipeEnded(id) }
            defer { for end in ends { close(end) } }
            let running = Running(configuration: configuration, launch: launch, streams: streams)
            self.running.withLock { $0[id] = running }
            let request = Self.request(launch, configuration, wish)
            let process = try await start(request, launch.arguments, streams, ends)
            if !processes.hasEnded(id) { processIDs.withLock { $0[id] = process } }
        } catch {
            processes.remove(id)
            throw error
        }
        pods.withLock { $0[configuration.podUID]?.programs.append(id) }
        return ContainerID(id)
    }

    private static func request(
        _ launch: Launch, _ configuration: ContainerConfiguration, _ wish: ExecRequest
    ) -> SandboxRequest {
        var request = SandboxRequest(VS_CONTAINER_START)
        request.add(launch.pod.podUID)
        request.add(launch.container)
        request.add(launch.workingDirectory)
        request.add(configuration.runAsUser ?? -1)
        request.add(wish.isTerminal ? 1 : 0)
        request.add(launch.arguments)
        request.add(launch.environment)
        request.add(configuration.resources)
        request.add(rights: configuration.security)
        request.add(launch.mounts.count)
        for mount in launch.mounts {
            request.add(mount.hostPath)
            request.add(mount.subPath)
            request.add(mount.containerPath)
            request.add(mount.isReadOnly ? 1 : 0)
            request.add(mount.memory == nil ? 0 : 1)
            // Rounded up to what the kernel counts in; 0 leaves it to the kernel.
            request.add(mount.memory?.bytesMax.map { max(1, ($0 + 1023) / 1024) } ?? 0)
        }
        request.add(launch.files.count)
        for file in launch.files {
            request.add(file.path)
            request.add(Array(file.content.utf8))
        }
        request.add(launch.owned)
        request.add(launch.layers == nil ? 0 : 1)
        request.add(launch.layers?.hasSystem ?? true ? 1 : 0)
        request.add(launch.changes.isEmpty ? "" : ImageStore.withoutLinks(launch.changes))
        let trees = launch.layers.map { layers in layers.digests.map(layers.store.tree) } ?? []
        request.add(trees.map(ImageStore.withoutLinks))
        if case .container(let neighbour) = configuration.security.processes {
            request.add(neighbour.rawValue)
        } else {
            request.add("")
        }
        return request
    }

    /// Has a program started, and takes over its terminal where it has one; returns its process.
    @discardableResult
    func start(
        _ request: SandboxRequest, _ arguments: [String], _ streams: ProgramStreams, _ ends: [Int32]
    ) async throws(RuntimeError) -> Int32 {
        let reply = try await channel.call(request, descriptors: ends)
        if reply.error == 0, streams.isTerminal { try await streams.adopt(terminal: reply.descriptor) }
        guard reply.error != 0 else { return Int32(reply.number) }
        let program = arguments.first ?? ""
        // The program's name alone says that all went well until it was to run.
        guard reply.sentence == program else {
            if reply.error == ESTALE { throw .sandboxLost(reply.sentence) }
            throw reply.error == ESRCH ? .notFound(reply.sentence) : .system(reply.sentence)
        }
        guard reply.error != ENOENT else { throw .programNotFound(name: program) }
        throw .programRefused(name: program, because: String(cString: strerror(reply.error)).lowercased())
    }

    static func withPath(_ environment: [String]) -> [String] {
        environment.contains { $0.hasPrefix("PATH=") } ? environment : environment + ["PATH=\(SystemFiles.path)"]
    }

    static func withTerminal(_ environment: [String]) -> [String] {
        environment.contains { $0.hasPrefix("TERM=") } ? environment : environment + ["TERM=xterm"]
    }
}
