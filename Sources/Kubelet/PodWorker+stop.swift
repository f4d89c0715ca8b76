import ContainerRuntime
import ControllerKit
import KubeClient
import KubeModel

/// The orderly end of a pod's containers.
extension PodWorker {
    func stopContainers() async {
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
}
