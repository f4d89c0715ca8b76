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
    var pod: Pod
    var initStates: [ContainerState]
    var states: [ContainerState]
    var ephemeralStates: [ContainerState] = []
    /// What went wrong with the hooks of the runs that are on, by container.
    var hookFailures: [String: String] = [:]
    private(set) var facts: PodStatus.Facts
    var containerIDs: [String: ContainerID] = [:]
    /// The containers that the runtime is starting, and who waits until it has.
    var starting: [String: [CheckedContinuation<Void, Never>]] = [:]
    /// What asks them to stop, as their images say.
    var stopSignals: [String: Int32] = [:]
    /// Those who wait for an image to change.
    var imageWatchers: [Int: ImageWatcher] = [:]
    var watcherCount = 0
    /// The containers that were stopped because they are to run another image.
    var redefined: Set<String> = []
    /// Where the volumes are that were prepared while the sandbox was made.
    var volumesAhead: [String: String] = [:]
    /// The versions of the ConfigMaps and Secrets whose entries are in volumes.
    var mountedVersions: [Mounted: String] = [:]
    /// The status as it was written last, and whether it is being written or has to be.
    var written: JSONValue?
    var isWriting = false
    var mustWrite = false
    private(set) var isEnding = false
    /// The pod's object is gone: nothing is written any more, and nothing waits.
    private(set) var isForgotten = false
    /// The kubelet stops: the object and the files of the pod stay.
    private var isAbandoned = false
    private var endWaiter: CheckedContinuation<Void, Never>?
    /// All containers have ended for good; sidecars are not to start again.
    private(set) var isDone = false
    private var startWaiters: [CheckedContinuation<Void, Never>] = []
    /// Less time to stop than was said first: after so long everything is killed.
    let hurries: AsyncStream<Duration>
    private let hurry: AsyncStream<Duration>.Continuation
    private var graceSeconds: Int?
    /// How long the pod may be active: as its manifest said first, and each time that it says less.
    private let deadlines: AsyncStream<Int>
    private let deadline: AsyncStream<Int>.Continuation
    /// Fires when ephemeral containers have been added.
    let additions: AsyncStream<Void>
    let addition: AsyncStream<Void>.Continuation
    /// Fires when labels or annotations have changed, which volumes may show.
    let relabelings: AsyncStream<Void>
    private let relabeling: AsyncStream<Void>.Continuation
    /// Fires when the pod has come further, or a condition on which its readiness depends has changed: nothing waits until that
    /// is written.
    private let advances: AsyncStream<Void>
    private let advance: AsyncStream<Void>.Continuation

    /// - Parameter refusal: Why the node does not let the pod in; nil if it does.
    init(_ pod: Pod, refusal: PodStatus.Failure? = nil, node: NodeContext) {
        self.pod = pod
        self.node = node
        (hurries, hurry) = AsyncStream.makeStream()
        (relabelings, relabeling) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (advances, advance) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (deadlines, deadline) = AsyncStream.makeStream()
        (additions, addition) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        initStates = pod.initContainers.map { ContainerState($0, recordedIn: pod, "initContainerStatuses") }
        states = pod.containers.map { ContainerState($0, recordedIn: pod, "containerStatuses") }
        let started = pod.object.value[["status", "startTime"]]?.string.flatMap(Timestamp.init(parsing:))
        facts = PodStatus.Facts(
            address: nil, hostAddress: node.configuration.nodeAddress, started: started ?? .now, hasSandbox: false,
            hasStopped: false, failure: refusal)
        ephemeralStates = pod.ephemeralContainers.map(Self.ephemeralState(in: pod))
        addition.yield()
        if let seconds = pod.activeDeadlineSeconds { deadline.yield(seconds) }
    }

    /// The pod's own address; nil before its sandbox is there.
    var address: String? { facts.address }

    // MARK: Life

    func run() async {
        await withDiscardingTaskGroup { group in
            if pod.isTerminal {
                // It ended under an earlier kubelet; only its deletion is left to do.
                isEnding = pod.object.isBeingDeleted
            } else if let refusal = facts.failure {
                await record(.warning, refusal.reason, refusal.message.replacing("Pod was rejected: ", with: ""))
                end()
            } else {
                group.addTask { await self.live() }
                group.addTask { for await _ in self.advances { await self.write() } }
                group.addTask { await self.obeyDeadlines() }
                group.addTask { await self.obeyStorageLimits() }
            }
            await waitForEnd()
            group.cancelAll()
            await stopContainers()
        }
        let stopped = ContinuousClock.now
        await node.runtime.removePodSandbox(pod.uid)
        node.addresses.release(podUID: pod.uid)
        if facts.failure != nil, !isForgotten, !pod.object.isBeingDeleted {
            await write()
            // Only its deletion is left to do.
            isEnding = isForgotten || pod.object.isBeingDeleted
            await waitForEnd()
        }
        guard !isAbandoned, isForgotten || pod.object.isBeingDeleted else { return }
        // Whoever holds the object with a finalizer can read in it how the pod ended.
        facts.hasStopped = !pod.object.finalizers.isEmpty
        await write()
        // Terminating is a state, too, and stays in sight like any other; who gives no grace does not want to see it.
        if graceSeconds != 0 { await pause(node.configuration.visiblePause - (ContinuousClock.now - stopped)) }
        await node.removeFiles(of: pod)
        await removeObject()
    }

    /// Takes the pod's object away: the last thing that anybody does for a pod, so it is tried until it works.
    private func removeObject() async {
        var backoff = Backoff()
        while !isForgotten, !Task.isCancelled {
            do throws(Status) {
                let options = DeleteOptions(gracePeriodSeconds: 0, uid: pod.uid)
                return try await node.client.deleteIfPresent(.pods, pod.name, in: pod.namespace, options: options)
            } catch {
                await pause(backoff.next())
            }
        }
    }

    /// Takes in a newer version of the pod's object; nil says that the object is gone.
    func update(_ object: KubeObject?) {
        if let object {
            let before = pod
            pod.object = object
            takeEphemeralContainers()
            announceImages(otherThan: before)
            if let seconds = pod.activeDeadlineSeconds, seconds != before.activeDeadlineSeconds {
                deadline.yield(seconds)
            }
            if object.labels != before.object.labels || object.annotations != before.object.annotations {
                relabeling.yield()
            }
            if pod.readinessGates.contains(where: { pod.conditions[$0]?.status != before.conditions[$0]?.status }) {
                advance.yield()
            }
            guard object.isBeingDeleted else { return }
        } else {
            isForgotten = true
        }
        let seconds = isForgotten ? 0 : pod.object.deletionGracePeriodSeconds ?? pod.terminationGracePeriodSeconds
        if isEnding, seconds < graceSeconds ?? .max { hurry.yield(node.configuration.prescribed(seconds: seconds)) }
        graceSeconds = seconds
        end()
    }

    /// Ends a pod that has been on the node for longer than its manifest allows.
    private func obeyDeadlines() async {
        await withDiscardingTaskGroup { group in
            for await seconds in deadlines { group.addTask { await self.obeyDeadline(seconds) } }
            group.cancelAll()
        }
    }

    private func obeyDeadline(_ seconds: Int) async {
        await pause(node.configuration.prescribed(.seconds(seconds) - (Timestamp.now - facts.started)))
        // Another deadline may have come since.
        guard !isEnding, !isDone, !Task.isCancelled, pod.activeDeadlineSeconds == seconds else { return }
        let message = "Pod was active on the node longer than the specified deadline"
        facts.failure = PodStatus.Failure(reason: "DeadlineExceeded", message: message)
        await record(.normal, "DeadlineExceeded", message)
        end()
    }

    /// Ends a pod at once that keeps more on this node than it may.
    func evict(_ message: String) async {
        guard !isEnding, !isDone, !Task.isCancelled else { return }
        facts.failure = PodStatus.Failure(reason: "Evicted", message: message)
        hurry.yield(.zero)
        await record(.warning, "Evicted", message)
        end()
    }

    /// The kubelet stops: the pod's processes end, its object stays as it is.
    func abandon() {
        isAbandoned = true
        update(nil)
    }

    private func end() {
        isEnding = true
        endWaiter?.resume()
        endWaiter = nil
        wakeStartWaiters()
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
        if !pod.initContainers.isEmpty { waitForInitialization() }
        // Where nobody is to see it, it is over as soon as it is written.
        if node.configuration.visiblePause > .zero { advance.yield() }
        let namespace = pod.namespace
        let sources = Dictionary(
            uniqueKeysWithValues: volumeSources.map { ($0, node.mounted.hold($0, in: namespace)) })
        defer { for source in sources.keys { node.mounted.letGo(source, in: namespace) } }
        async let volumes: Void = prepareVolumes()
        let hasSandbox = await prepareSandbox()
        await volumes
        guard hasSandbox else { return }
        await withDiscardingTaskGroup { sidecars in
            sidecars.addTask { await self.runEphemeralContainers() }
            sidecars.addTask { await self.followVolumes(sources) }
            if await initialize(&sidecars) {
                await withDiscardingTaskGroup { group in
                    for index in pod.containers.indices {
                        group.addTask { await self.runContainer(.main(index)) }
                    }
                }
            }
            guard !isEnding else { return }
            // All containers have ended for good; the sidecars served them only.
            isDone = true
            let grace = node.configuration.prescribed(seconds: pod.terminationGracePeriodSeconds)
            await stopEphemeralContainers(grace: grace)
            await stopSidecars(grace: grace)
            sidecars.cancelAll()
        }
        guard !isEnding else { return }
        await write()
        await node.runtime.removePodSandbox(pod.uid)
    }

    /// Runs the init containers one after the other; false when the pod cannot go on.
    private func initialize(_ sidecars: inout DiscardingTaskGroup) async -> Bool {
        guard !pod.initContainers.isEmpty else { return true }
        for index in pod.initContainers.indices where !isEnding {
            if pod.initContainers[index].isSidecar {
                sidecars.addTask { await self.runContainer(.initial(index)) }
                await waitUntilStarted(index)
            } else {
                guard await runInitContainer(index) else { return false }
            }
        }
        for index in states.indices where states[index].termination == nil { states[index].wait("ContainerCreating") }
        return !isEnding
    }

    /// What is still to run says that it waits for the init containers.
    private func waitForInitialization() {
        for index in initStates.indices where initStates[index].termination == nil {
            initStates[index].wait("PodInitializing")
        }
        for index in states.indices where states[index].termination == nil { states[index].wait("PodInitializing") }
    }

    /// Returns when a sidecar has started, or the pod ends.
    private func waitUntilStarted(_ index: Int) async {
        while !isEnding, !initStates[index].isStarted {
            await withCheckedContinuation { startWaiters.append($0) }
        }
    }

    private func wakeStartWaiters() {
        for waiter in startWaiters { waiter.resume() }
        startWaiters = []
    }

    /// Makes the sandbox; tries again until it works or the pod ends.
    func prepareSandbox() async -> Bool {
        await pause(node.configuration.visiblePause)
        var backoff = Backoff()
        while !isEnding {
            do {
                let address =
                    isInNodeNetwork ? node.configuration.nodeAddress : try node.addresses.assign(podUID: pod.uid)
                if let obstacle = hostName.obstacle { throw RuntimeError.system(obstacle) }
                try await checkRuntimeClass()
                var configuration = PodSandboxConfiguration(
                    podUID: pod.uid, name: pod.name, namespace: pod.namespace, hostName: hostName.shown,
                    address: address,
                    resolverConfiguration: node.addresses.resolverConfiguration(for: pod),
                    hosts: HostsFile.text(pod, address: address, hostName: hostName, isNodes: isInNodeNetwork))
                configuration.isInNodeNetwork = isInNodeNetwork
                configuration.sysctls = PodSysctls.wanted(by: pod)
                configuration.resources = ResourceAmounts(pod)
                try await node.runtime.runPodSandbox(configuration)
                facts.address = address
                facts.hasSandbox = true
                advance.yield()
                return true
            } catch {
                advance.yield()
                await record(
                    .warning, "FailedCreatePodSandBox",
                    "Failed to create pod sandbox: \((error as? RuntimeError)?.sentence ?? "\(error)")")
                await pause(max(.seconds(1), backoff.next()))
            }
        }
        return false
    }

    /// Pods run in one way here, which other nodes call `runc`.
    private func checkRuntimeClass() async throws {
        guard let name = pod.spec["runtimeClassName"]?.string else { return }
        let handler = try await node.client.get(.runtimeClasses, name).value["handler"]?.string ?? ""
        guard handler.isEmpty || handler == "runc" else {
            throw RuntimeError.system("failed to get sandbox runtime: no runtime for \"\(handler)\" is configured")
        }
    }

    /// The pod lives at the node's address, among the node's ports; where pods are only addresses, it has its own all the same.
    private var isInNodeNetwork: Bool { pod.spec["hostNetwork"] == true && node.runtime.level != .plain }

    var hostName: PodHostName { PodHostName(pod, node: isInNodeNetwork ? node.configuration.nodeName : nil) }

    // MARK: Facts

    /// Changes what is known of a container, and writes the pod's status where that shows.
    func change(_ slot: Slot, _ body: (inout ContainerState) -> Void) async {
        switch slot {
        case .initial(let index):
            body(&initStates[index])
            wakeStartWaiters()
        case .main(let index): body(&states[index])
        case .ephemeral(let index): body(&ephemeralStates[index])
        }
        await write()
    }

    // MARK: Telling

    /// Sleeps; a pod that ends wakes it.
    func pause(_ duration: Duration) async {
        guard duration > .zero else { return }
        try? await ContinuousClock().sleep(for: duration)
    }

    func record(_ kind: EventRecorder.Kind, _ reason: String, _ message: String, _ container: Container? = nil) async {
        guard !isForgotten else { return }
        let field = container.map { "spec.\(listName(of: $0)){\($0.name)}" }
        node.podEvents.record(pod.object, kind, reason: reason, message: message, fieldPath: field)
    }
}
