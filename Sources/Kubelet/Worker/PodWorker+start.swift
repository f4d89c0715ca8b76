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
        let mounts = try await mounts(of: container, attempt: state(slot).attempt, environment) + message.mounts()
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
            resources: ResourceAmounts(container),
            logPath: node.logPath(pod, container.name, attempt: state.attempt))
        configuration.security = rights.security
        configuration.security.outOfMemoryScore = OutOfMemoryScore.of(container, pod, node.configuration.capacity)
        configuration.hasInput = container.hasInput
        configuration.isInputOnce = container.isInputOnce
        configuration.isTerminal = container.isTerminal
        return configuration
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
        case .invalidImageName(let reference):
            "couldn't parse image name \"\(reference)\": \(ImageReference.fault(in: reference))"
        case .programNotFound(let name):
            "failed to start the container: exec: \"\(name)\": \(Self.missing(name))"
        case .programRefused(let name, let reason): "failed to start the container: exec: \"\(name)\": \(reason)"
        case .notFound(let what): "\(what) not found"
        case .sandboxLost(let message), .system(let message): message
        }
    }
}
