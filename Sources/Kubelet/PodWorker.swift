import ContainerRuntime
import ControllerKit
import KubeClient
import KubeModel

/// Runs one pod from its binding to its end.
///
/// The work is a straight line: sandbox, volumes, init containers, containers side by side, and at the end the orderly stop. The
/// actor keeps the facts; what the API shows is computed from them (`PodStatus`) and written when it differs from what was written
/// last.
actor PodWorker {
    let node: NodeContext
    private(set) var pod: Pod
    private(set) var initStates: [ContainerState]
    private(set) var states: [ContainerState]
    private var facts: PodStatus.Facts
    private var containerIDs: [String: ContainerID] = [:]
    private var written: JSONValue?
    private var isWriting = false
    private var mustWrite = false
    private var isEnding = false
    /// The pod's object is gone: nothing is written any more, and nothing waits.
    private var isForgotten = false
    private var endWaiter: CheckedContinuation<Void, Never>?

    init(_ pod: Pod, node: NodeContext) {
        self.pod = pod
        self.node = node
        func recorded(_ member: String, _ name: String) -> JSONValue? {
            pod.object.value[["status", member]]?.array?.first { $0["name"]?.string == name }
        }
        initStates = pod.initContainers.map { ContainerState($0, recorded: recorded("initContainerStatuses", $0.name)) }
        states = pod.containers.map { ContainerState($0, recorded: recorded("containerStatuses", $0.name)) }
        let started = pod.object.value[["status", "startTime"]]?.string.flatMap(Timestamp.init(parsing:))
        facts = PodStatus.Facts(
            address: nil, hostAddress: node.configuration.nodeAddress, started: started ?? .now, hasSandbox: false,
            isTerminating: false)
    }

    /// The pod's own address; nil before its sandbox is there.
    var address: String? { facts.address }

    // MARK: Life

    func run() async {
        await withDiscardingTaskGroup { group in
            if pod.isTerminal {
                // It ended under an earlier kubelet; only its deletion is left to do.
                isEnding = pod.object.isBeingDeleted
            } else {
                group.addTask { await self.live() }
            }
            await waitForEnd()
            group.cancelAll()
            await stopContainers()
        }
        await node.runtime.removePodSandbox(pod.uid)
        node.addresses.release(podUID: pod.uid)
        guard !isForgotten, pod.object.isBeingDeleted else { return }
        await write()
        try? await node.client.deleteIfPresent(
            .pods, pod.name, in: pod.namespace, options: DeleteOptions(gracePeriodSeconds: 0, uid: pod.uid))
    }

    /// Takes in a newer version of the pod's object; nil says that the object is gone.
    func update(_ object: KubeObject?) {
        if let object {
            pod.object = object
            guard object.isBeingDeleted else { return }
        } else {
            isForgotten = true
        }
        end()
    }

    /// The kubelet stops: the pod's processes end, its object stays as it is.
    func abandon() {
        isForgotten = true
        end()
    }

    private func end() {
        isEnding = true
        endWaiter?.resume()
        endWaiter = nil
    }

    private func waitForEnd() async {
        guard !isEnding else { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if isEnding || Task.isCancelled { continuation.resume() } else { endWaiter = continuation }
            }
        } onCancel: {
            // The actor's own task is not structured here: it only hands the cancellation in.
            Task { await self.abandon() }
        }
    }

    private func live() async {
        await write()
        guard await prepareSandbox() else { return }
        for index in pod.initContainers.indices where !isEnding {
            guard await runInitContainer(index) else { return }
        }
        await withDiscardingTaskGroup { group in
            for index in pod.containers.indices {
                group.addTask { await self.runContainer(.main(index)) }
            }
        }
        guard !isEnding else { return }
        // All containers have ended for good.
        await write()
        await node.runtime.removePodSandbox(pod.uid)
    }

    /// Makes the sandbox; tries again until it works or the pod ends.
    private func prepareSandbox() async -> Bool {
        await pause(node.configuration.visiblePause)
        var backoff = Backoff()
        while !isEnding {
            do {
                let address = try node.addresses.assign(podUID: pod.uid)
                let hostName = pod.spec["hostname"]?.string ?? pod.name
                try await node.runtime.runPodSandbox(
                    PodSandboxConfiguration(
                        podUID: pod.uid, name: pod.name, namespace: pod.namespace, hostName: hostName, address: address,
                        resolverConfiguration: node.addresses.resolverConfiguration(namespace: pod.namespace),
                        hosts: HostsFile.text(pod, address: address, hostName: hostName)))
                facts.address = address
                facts.hasSandbox = true
                await write()
                return true
            } catch {
                await record(
                    .warning, "FailedCreatePodSandBox", "Failed to create pod sandbox: \(error)")
                await pause(max(.seconds(1), backoff.next()))
            }
        }
        return false
    }

    // MARK: Containers

    /// A place in one of the two lists of containers.
    enum Slot: Sendable, Hashable {
        case initial(Int)
        case main(Int)
    }

    func container(_ slot: Slot) -> Container {
        switch slot {
        case .initial(let index): pod.initContainers[index]
        case .main(let index): pod.containers[index]
        }
    }

    func state(_ slot: Slot) -> ContainerState {
        switch slot {
        case .initial(let index): initStates[index]
        case .main(let index): states[index]
        }
    }

    /// Changes what is known of a container, and writes the pod's status where that shows.
    func change(_ slot: Slot, _ body: (inout ContainerState) -> Void) async {
        switch slot {
        case .initial(let index): body(&initStates[index])
        case .main(let index): body(&states[index])
        }
        await write()
    }

    /// Runs an init container until it succeeds; false when the pod cannot go on.
    private func runInitContainer(_ index: Int) async -> Bool {
        let slot = Slot.initial(index)
        if initStates[index].termination?.exit.code == 0 { return true }
        for main in states.indices { states[main].phase = .waiting(reason: "PodInitializing", message: "") }
        await runContainer(slot)
        let succeeded = initStates[index].termination?.exit.code == 0
        if succeeded, index == pod.initContainers.count - 1 {
            for main in states.indices { states[main].phase = .waiting(reason: "ContainerCreating", message: "") }
        }
        return succeeded && !isEnding
    }

    /// Starts a container, again and again as its restart policy says; returns when it will not start any more.
    private func runContainer(_ slot: Slot) async {
        let container = container(slot)
        if let ended = state(slot).termination {
            guard shouldRestart(slot, after: ended.exit.code) else { return }
        }
        var backoff = RestartBackoff()
        while !isEnding {
            guard let id = await startContainer(slot) else { return }
            let begun = ContinuousClock.now
            let exit = await watch(slot, id)
            containerIDs[container.name] = nil
            guard case .running(let since) = state(slot).phase else { return }
            let termination = ContainerState.Termination(
                exit: exit, started: since, finished: .now, containerID: state(slot).containerID)
            let restarts = !isEnding && shouldRestart(slot, after: exit.code)
            await change(slot) { state in
                state.phase = .terminated(termination)
                state.isReady = false
                if exit.code != 0 || !isInitial(slot) { state.isStarted = false }
                if isInitial(slot), exit.code == 0 { state.isReady = true }
            }
            guard restarts else { return }
            let delay = node.configuration.prescribed(backoff.next(ranFor: ContinuousClock.now - begun))
            if delay > .zero { await backOff(slot, termination, delay) }
            guard !isEnding else { return }
            await change(slot) { state in
                state.lastTermination = termination
                state.restartCount += 1
            }
        }
    }

    private func isInitial(_ slot: Slot) -> Bool { if case .initial = slot { true } else { false } }

    private func shouldRestart(_ slot: Slot, after code: Int) -> Bool {
        switch pod.restartPolicy {
        case "Never": false
        case "OnFailure": code != 0
        default: isInitial(slot) && !container(slot).isSidecar ? code != 0 : true
        }
    }

    private func backOff(_ slot: Slot, _ termination: ContainerState.Termination, _ delay: Duration) async {
        let container = container(slot)
        let shown = "\(max(1, delay.components.seconds))s"
        await change(slot) { state in
            state.lastTermination = termination
            state.phase = .waiting(
                reason: "CrashLoopBackOff",
                message: "back-off \(shown) restarting failed container=\(container.name) pod=\(pod.name)_\(pod.namespace)(\(pod.uid))")
        }
        await record(
            .warning, "BackOff",
            "Back-off restarting failed container \(container.name) in pod \(pod.name)_\(pod.namespace)(\(pod.uid))", container)
        await pause(delay)
    }

    /// Brings a container up, with its image and its configuration; nil when the pod ends first.
    private func startContainer(_ slot: Slot) async -> ContainerID? {
        let container = container(slot)
        guard let image = await pullImage(slot) else { return nil }
        var isReported = false
        while !isEnding {
            do throws(ConfigurationError) {
                let configuration = try await makeConfiguration(slot, image)
                await record(.normal, "Created", "Created container: \(container.name)", container)
                let id: ContainerID
                do throws(RuntimeError) { id = try await node.runtime.startContainer(configuration) } catch {
                    throw ConfigurationError(reason: "RunContainerError", message: error.sentence)
                }
                containerIDs[container.name] = id
                await record(.normal, "Started", "Started container \(container.name)", container)
                let hasReadiness = container.probe(.readiness) != nil
                let hasStartup = container.probe(.startup) != nil
                await change(slot) { state in
                    state.phase = .running(since: .now)
                    state.containerID = "velocity://\(id)"
                    state.imageID = image.digest
                    state.isStarted = !hasStartup
                    state.isReady = !hasStartup && !hasReadiness && !isInitial(slot)
                }
                return id
            } catch {
                if !isReported || error.reason == "RunContainerError" {
                    let reason = error.reason == "FailedMount" ? "FailedMount" : "Failed"
                    await record(.warning, reason, error.reason == "FailedMount" ? error.message : "Error: \(error.message)", container)
                    isReported = true
                }
                let shown = error.reason == "FailedMount" ? "ContainerCreating" : error.reason
                await change(slot) { $0.phase = .waiting(reason: shown, message: shown == "ContainerCreating" ? "" : error.message) }
                await pause(node.configuration.prescribed(seconds: error.reason == "RunContainerError" ? 10 : 2))
            }
        }
        return nil
    }

    private func makeConfiguration(_ slot: Slot, _ image: Image) async throws(ConfigurationError) -> ContainerConfiguration {
        let container = container(slot)
        let context = node
        let namespace = pod.namespace
        let lookup: (ResourceType, String) async throws(Status) -> KubeObject? = { resource, name async throws(Status) in
            try await context.find(resource, name, in: namespace)
        }
        let services = await node.services(in: namespace)
        let downward = [
            "status.podIP": facts.address ?? "", "status.hostIP": facts.hostAddress, "spec.nodeName": pod.nodeName,
            "spec.serviceAccountName": pod.spec["serviceAccountName"]?.string ?? "default",
        ]
        let environment = try await ContainerEnvironment.build(
            container, pod, services: services, facts: downward, lookup: lookup)
        let volumes = PodVolumes(rootDirectory: node.configuration.rootDirectory, podUID: pod.uid)
        var mounts: [ContainerConfiguration.Mount] = []
        for mount in container.value["volumeMounts"]?.array ?? [] {
            guard let name = mount["name"]?.string, let target = mount["mountPath"]?.string,
                let volume = pod.spec["volumes"]?.array?.first(where: { $0["name"]?.string == name })
            else { continue }
            guard let path = try await volumes.prepare(volume, pod, facts: downward, lookup: lookup) else {
                throw ConfigurationError(
                    reason: "FailedMount", message: "MountVolume.SetUp failed for volume \"\(name)\" : this kind of volume is not supported")
            }
            let source = mount["subPath"]?.string.map { "\(path)/\($0)" } ?? path
            mounts.append(.init(hostPath: source, containerPath: target, isReadOnly: mount["readOnly"]?.bool ?? false))
        }
        let state = state(slot)
        let command = container.command.isEmpty ? image.entrypoint : container.command.map(environment.expand)
        let rest: [String]
        if !container.arguments.isEmpty {
            rest = container.arguments.map(environment.expand)
        } else {
            rest = container.command.isEmpty ? image.command : []
        }
        let security = container.value["securityContext"]
        let user = security?["runAsUser"]?.int ?? pod.spec[["securityContext", "runAsUser"]]?.int ?? image.user
        let own = environment.variables.map { "\($0.name)=\($0.value)" }
        let names = Set(environment.variables.map(\.name))
        let fromImage = image.environment.filter { !names.contains(String($0.prefix { $0 != "=" })) }
        return ContainerConfiguration(
            podUID: pod.uid, name: container.name, attempt: state.restartCount, image: image, arguments: command + rest,
            environment: fromImage + ["HOSTNAME=\(pod.spec["hostname"]?.string ?? pod.name)"] + own,
            workingDirectory: container.workingDirectory ?? image.workingDirectory, runAsUser: user, mounts: mounts,
            memoryLimitBytes: container.limits["memory"].map { Int($0.value) },
            cpuLimitMillicores: container.limits["cpu"].map { Int($0.milliValue) },
            logPath: node.logPath(pod, container.name, attempt: state.restartCount))
    }

    /// Finds the image, as often as it takes; nil when the pod ends first or the image is never to be found.
    private func pullImage(_ slot: Slot) async -> Image? {
        let container = container(slot)
        var backoff = PullBackoff()
        while !isEnding {
            let isPresent = node.isPresent(container.image)
            if container.imagePullPolicy == "Never", !isPresent {
                let message = "Container image \"\(container.image)\" is not present with pull policy of Never"
                await record(.warning, "ErrImageNeverPull", message, container)
                await change(slot) { $0.phase = .waiting(reason: "ErrImageNeverPull", message: message) }
                await pause(node.configuration.prescribed(backoff.next()))
                continue
            }
            let pulls = container.imagePullPolicy == "Always" || !isPresent
            if pulls { await record(.normal, "Pulling", "Pulling image \"\(container.image)\"", container) }
            let begun = ContinuousClock.now
            do throws(RuntimeError) {
                let image = try await node.runtime.pullImage(container.image)
                let took = (ContinuousClock.now - begun).components
                let milliseconds = took.seconds * 1000 + took.attoseconds / 1_000_000_000_000_000
                await record(
                    .normal, "Pulled",
                    pulls
                        ? "Successfully pulled image \"\(container.image)\" in \(milliseconds)ms (\(milliseconds)ms including waiting)."
                            + " Image size: 0 bytes."
                        : "Container image \"\(container.image)\" already present on machine", container)
                node.markPresent(container.image)
                return image
            } catch {
                await reportPullFailure(slot, error, after: node.configuration.prescribed(backoff.next()))
            }
        }
        return nil
    }

    private func reportPullFailure(_ slot: Slot, _ error: RuntimeError, after delay: Duration) async {
        let container = container(slot)
        if case .invalidImageName = error {
            await record(.warning, "InspectFailed", "Failed to apply default image tag \"\(container.image)\": \(error.sentence)", container)
            await change(slot) { $0.phase = .waiting(reason: "InvalidImageName", message: error.sentence) }
            return await pause(delay)
        }
        await record(.warning, "Failed", "Failed to pull image \"\(container.image)\": \(error.sentence)", container)
        await record(.warning, "Failed", "Error: ErrImagePull", container)
        await change(slot) { $0.phase = .waiting(reason: "ErrImagePull", message: error.sentence) }
        // The first state is there to be read; then comes the back-off.
        await pause(max(node.configuration.visiblePause, .milliseconds(200)))
        guard !isEnding else { return }
        await record(.normal, "BackOff", "Back-off pulling image \"\(container.image)\"", container)
        await record(.warning, "Failed", "Error: ImagePullBackOff", container)
        await change(slot) {
            $0.phase = .waiting(
                reason: "ImagePullBackOff", message: "Back-off pulling image \"\(container.image)\": ErrImagePull: \(error.sentence)")
        }
        await pause(delay)
    }

    /// Waits for the container's end while its probes run.
    private func watch(_ slot: Slot, _ id: ContainerID) async -> ContainerExit {
        let runtime = node.runtime
        let probes = ProbeRunner(worker: self, node: node, slot: slot, id: id)
        return await withTaskGroup(of: ContainerExit?.self) { group in
            group.addTask { await runtime.waitForExit(id) }
            group.addTask {
                await probes.run()
                return nil
            }
            while let result = await group.next() {
                if let exit = result {
                    group.cancelAll()
                    return exit
                }
            }
            return ContainerExit(code: 137)
        }
    }

    // MARK: The end

    private func stopContainers() async {
        let running = (initStates + states).filter(\.isRunning).compactMap { state in
            containerIDs[state.name].map { (state.name, $0) }
        }
        let seconds = pod.object.deletionGracePeriodSeconds ?? pod.terminationGracePeriodSeconds
        let grace = isForgotten ? Duration.zero : node.configuration.prescribed(seconds: max(0, seconds))
        let all = pod.initContainers + pod.containers
        await withDiscardingTaskGroup { group in
            for (name, id) in running {
                let container = all.first { $0.name == name }
                group.addTask { await self.stop(id, container, grace: grace) }
            }
        }
    }

    /// Asks a container to stop, and kills it when the time is over.
    func stop(_ id: ContainerID, _ container: Container?, grace: Duration) async {
        let runtime = node.runtime
        if let container, !isForgotten {
            await record(.normal, "Killing", "Stopping container \(container.name)", container)
            if let command = container.value[["lifecycle", "preStop", "exec", "command"]]?.array?.compactMap(\.string) {
                _ = try? await runtime.execute(id, command: command, timeout: grace)
            } else if let seconds = container.value[["lifecycle", "preStop", "sleep", "seconds"]]?.int {
                await pause(min(grace, node.configuration.prescribed(seconds: seconds)))
            }
        }
        await runtime.signal(id, grace > .zero ? 15 : 9)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await runtime.waitForExit(id) }
            group.addTask {
                guard grace > .zero, (try? await ContinuousClock().sleep(for: grace)) != nil else { return }
                await runtime.signal(id, 9)
            }
            await group.next()
            group.cancelAll()
        }
    }

    // MARK: Telling

    /// Sleeps; a pod that ends wakes it.
    func pause(_ duration: Duration) async {
        guard duration > .zero else { return }
        try? await ContinuousClock().sleep(for: duration)
    }

    func record(_ kind: EventRecorder.Kind, _ reason: String, _ message: String, _ container: Container? = nil) async {
        guard !isForgotten else { return }
        let isInitial = container.map { wanted in pod.initContainers.contains { $0.name == wanted.name } } ?? false
        let field = container.map { "spec.\(isInitial ? "initContainers" : "containers"){\($0.name)}" }
        await node.events.record(pod.object, kind, reason: reason, message: message, fieldPath: field)
    }

    /// Writes the status if it differs from what was written last; never two writes at once, never an old one last.
    func write() async {
        mustWrite = true
        guard !isWriting else { return }
        isWriting = true
        defer { isWriting = false }
        while mustWrite, !isForgotten {
            mustWrite = false
            let status = PodStatus(pod: pod, initStates: initStates, states: states, facts: facts, now: .now)
            guard status.value != written else { continue }
            let patch: JSONValue = ["metadata": ["uid": .string(pod.uid)], "status": status.value]
            do throws(Status) {
                let object = try await node.client.patch(
                    .pods, namespace: pod.namespace, name: pod.name, .merge(patch), subresource: "status", options: WriteOptions())
                written = status.value
                // Conditions build on what is there; a deletion is the informer's to report.
                pod.object.value["status"] = object.value["status"]
            } catch {
                guard !error.isNotFound, !error.isConflict else { return }
                await pause(.milliseconds(200))
                mustWrite = !Task.isCancelled
            }
        }
    }
}

extension RuntimeError {
    /// What the runtime said, as events show it.
    var sentence: String {
        switch self {
        case .imageNotFound(_, let because): because
        case .invalidImageName(let reference): "couldn't parse image name \"\(reference)\": invalid reference format"
        case .programNotFound(let name):
            "failed to start the container: exec: \"\(name)\": executable file not found in $PATH"
        case .notFound(let what): "\(what) not found"
        case .system(let message): message
        }
    }
}
