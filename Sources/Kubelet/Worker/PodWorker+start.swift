import ContainerRuntime
import ControllerKit
import KubeClient
import KubeModel

/// What a container needs before it runs: its image, its configuration.
extension PodWorker {
    /// The runtime could not run the container's program.
    struct StartFailure: Error {
        var message: String
    }

    /// Brings a container up, with its image and its configuration; nil when the pod ends first.
    func startContainer(_ slot: Slot) async -> Result<ContainerID, StartFailure>? {
        guard let image = await pullImage(slot) else { return nil }
        let container = container(slot)
        var isReported = false
        var isRenewed = false
        while !isOver(slot) {
            do throws(ConfigurationError) {
                let configuration = try await makeConfiguration(slot, image)
                await record(.normal, "Created", "Created container: \(container.name)", container)
                guard !isOver(slot) else { return nil }
                let id: ContainerID
                starting[container.name] = []
                do throws(RuntimeError) { id = try await node.runtime.startContainer(configuration) } catch {
                    startIsOver(container)
                    if case .sandboxLost = error, !isRenewed {
                        isRenewed = true
                        await record(
                            .normal, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
                        guard await prepareSandbox() else { return nil }
                        continue
                    }
                    await record(.warning, "Failed", "Error: \(error.sentence)", container)
                    return .failure(StartFailure(message: error.sentence))
                }
                containerIDs[container.name] = id
                startIsOver(container)
                stopSignals[container.name] = image.stopSignal
                await record(.normal, "Started", "Started container \(container.name)", container)
                hookFailures[container.name] = await runPostStart(id, container)
                let hasReadiness = container.probe(.readiness) != nil
                let hasStartup = container.probe(.startup) != nil
                await change(slot) { state in
                    state.begin(at: .now)
                    state.containerID = "velocity://\(id.digits)"
                    state.imageID = image.digest
                    state.isStarted = !hasStartup
                    state.isReady = !hasStartup && !hasReadiness && (slot.isMain || container.isSidecar)
                }
                return .success(id)
            } catch {
                let isMount = error.reason == "FailedMount"
                if !isReported, isMount {
                    // A volume is the pod's, not the container's.
                    await record(.warning, "FailedMount", error.message)
                } else if !isReported {
                    await record(.warning, "Failed", "Error: \(error.message)", container)
                }
                isReported = true
                await change(slot) {
                    if isMount { $0.wait("ContainerCreating") } else { $0.wait(error.reason, error.message) }
                }
                await pause(node.configuration.prescribed(seconds: 2))
            }
        }
        return nil
    }

    private func startIsOver(_ container: Container) {
        for waiter in starting.removeValue(forKey: container.name) ?? [] { waiter.resume() }
    }

    private func makeConfiguration(_ slot: Slot, _ image: Image) async throws(ConfigurationError)
        -> ContainerConfiguration
    {
        let container = container(slot)
        let services = await node.services(in: pod.namespace, links: pod.spec["enableServiceLinks"]?.bool ?? true)
        let environment = try await ContainerEnvironment.build(
            container, pod, services: services, facts: downwardFacts, capacity: node.configuration.capacity,
            lookup: lookup)
        let message = TerminationMessage(container, pod, attempt: state(slot).attempt, node.configuration)
        let mounts = try await mounts(of: container, environment) + message.mounts()
        let state = state(slot)
        let command = container.command.isEmpty ? image.entrypoint : container.command.map(environment.expand)
        let rest: [String]
        if !container.arguments.isEmpty {
            rest = container.arguments.map(environment.expand)
        } else {
            rest = container.command.isEmpty ? image.command : []
        }
        var rights = try ContainerRights(container, pod, image)
        if let target = container.value["targetContainerName"]?.string, let neighbour = containerIDs[target] {
            rights.security.processes = .container(neighbour)
        }
        if state.attempt == 0, !rights.reductions.isEmpty {
            await record(.warning, "RightsReduced", rights.reductions.joined(separator: "; "), container)
        }
        let own = environment.variables.map { "\($0.name)=\($0.value)" }
        let names = Set(environment.variables.map(\.name))
        let fromImage = image.environment.filter { !names.contains(String($0.prefix { $0 != "=" })) }
        var configuration = ContainerConfiguration(
            podUID: pod.uid, name: container.name, attempt: state.attempt, image: image, arguments: command + rest,
            environment: fromImage + ["HOSTNAME=\(hostName.shown)"] + own,
            workingDirectory: container.workingDirectory ?? image.workingDirectory, runAsUser: rights.user,
            mounts: mounts,
            memoryLimitBytes: container.limits["memory"].map { Int($0.value) },
            cpuLimitMillicores: container.limits["cpu"].map { Int($0.milliValue) },
            logPath: node.logPath(pod, container.name, attempt: state.attempt))
        configuration.security = rights.security
        configuration.hasInput = container.hasInput
        configuration.isInputOnce = container.isInputOnce
        configuration.isTerminal = container.isTerminal
        return configuration
    }

    /// Finds the image, as often as it takes; nil when the pod ends first or the image is never to be found.
    private func pullImage(_ slot: Slot) async -> Image? {
        var backoff = PullBackoff()
        while !isOver(slot) {
            let container = container(slot)
            if container.image != state(slot).image {
                // Another image has failed nobody yet.
                backoff = PullBackoff()
                await change(slot) { $0.image = container.image }
            }
            let isPresent = node.isPresent(container.image)
            if container.imagePullPolicy == "Never", !isPresent {
                let message = "Container image \"\(container.image)\" is not present with pull policy of Never"
                await record(.warning, "ErrImageNeverPull", message, container)
                await change(slot) { $0.wait("ErrImageNeverPull", message) }
                await pause(node.configuration.prescribed(backoff.next()), slot, with: container.image)
                continue
            }
            let pulls = container.imagePullPolicy == "Always" || !isPresent
            if pulls { await record(.normal, "Pulling", "Pulling image \"\(container.image)\"", container) }
            let begun = ContinuousClock.now
            do throws(RuntimeError) {
                let image =
                    pulls
                    ? try await node.runtime.pullImage(container.image)
                    : try await node.runtime.findImage(container.image)
                let took = (ContinuousClock.now - begun).components
                let milliseconds = took.seconds * 1000 + took.attoseconds / 1_000_000_000_000_000
                await record(
                    .normal, "Pulled",
                    pulls
                        ? "Successfully pulled image \"\(container.image)\" in \(milliseconds)ms (\(milliseconds)ms including waiting)."
                            + " Image size: \(image.bytes) bytes."
                        : "Container image \"\(container.image)\" already present on machine", container)
                node.markPresent(container.image)
                return image
            } catch {
                await reportPullFailure(
                    slot, container, error, after: node.configuration.prescribed(backoff.next()))
            }
        }
        return nil
    }

    private func reportPullFailure(
        _ slot: Slot, _ container: Container, _ error: RuntimeError, after delay: Duration
    ) async {
        if case .invalidImageName = error {
            await record(
                .warning, "InspectFailed",
                "Failed to apply default image tag \"\(container.image)\": \(error.sentence)", container)
            await change(slot) { $0.wait("InvalidImageName", error.sentence) }
            return await pause(delay, slot, with: container.image)
        }
        await record(.warning, "Failed", "Failed to pull image \"\(container.image)\": \(error.sentence)", container)
        await record(.warning, "Failed", "Error: ErrImagePull", container)
        await change(slot) { $0.wait("ErrImagePull", error.sentence) }
        // The first state is there to be read; then comes the back-off.
        await pause(max(node.configuration.visiblePause, .milliseconds(200)))
        guard !isOver(slot) else { return }
        await record(.normal, "BackOff", "Back-off pulling image \"\(container.image)\"", container)
        await record(.warning, "Failed", "Error: ImagePullBackOff", container)
        await change(slot) {
            $0.phase = .waiting(
                reason: "ImagePullBackOff",
                message: "Back-off pulling image \"\(container.image)\": ErrImagePull: \(error.sentence)")
        }
        await pause(delay, slot, with: container.image)
    }
}

extension RuntimeError {
    /// Why a program is not there: names are looked up, paths are not.
    static func missing(_ name: String) -> String {
        name.contains("/") ? "stat \(name): no such file or directory" : "executable file not found in $PATH"
    }

    /// What the runtime said, as events show it.
    var sentence: String {
        switch self {
        case .imageNotFound(_, let because): because
        case .invalidImageName(let reference): "couldn't parse image name \"\(reference)\": invalid reference format"
        case .programNotFound(let name):
            "failed to start the container: exec: \"\(name)\": \(Self.missing(name))"
        case .programRefused(let name, let reason): "failed to start the container: exec: \"\(name)\": \(reason)"
        case .notFound(let what): "\(what) not found"
        case .sandboxLost(let message), .system(let message): message
        }
    }
}
