import ContainerRuntime
import ControllerKit
import KubeClient
import KubeModel

/// The orderly end of a pod's containers.
extension PodWorker {
    /// Stops what still runs: the containers side by side, then the sidecars from the last to the first.
    func stopContainers() async {
        let grace = stopGrace
        await withDiscardingTaskGroup { group in
            group.addTask { await self.obeyHurries() }
            let begun = ContinuousClock.now
            await withDiscardingTaskGroup { stops in
                let all = pod.containers + pod.initContainers.filter { !$0.isSidecar } + pod.ephemeralContainers
                for container in all {
                    stops.addTask { await self.stop(container, grace: grace) }
                }
            }
            let left = max(.zero, grace - (ContinuousClock.now - begun))
            await stopSidecars(grace: grace > .zero ? max(left, shortestGrace) : .zero)
            group.cancelAll()
        }
    }

    /// The time that containers have to stop.
    var stopGrace: Duration {
        let seconds = pod.object.deletionGracePeriodSeconds ?? pod.terminationGracePeriodSeconds
        return isForgotten ? .zero : node.configuration.prescribed(seconds: max(0, seconds))
    }

    func stopSidecars(grace: Duration) async {
        for sidecar in pod.initContainers.reversed() where sidecar.isSidecar { await stop(sidecar, grace: grace) }
    }

    /// Time that a container has at least, unless it is killed at once: a hook may have used its own up.
    private var shortestGrace: Duration { node.configuration.prescribed(seconds: 2) }

    /// Kills what still runs when a later deletion gives less time than the first, or the object is gone.
    private func obeyHurries() async {
        await withDiscardingTaskGroup { group in
            for await delay in hurries {
                group.addTask {
                    await self.pause(delay)
                    if !Task.isCancelled { await self.killAll() }
                }
            }
        }
    }

    private func killAll() async {
        for id in containerIDs.values { await node.runtime.signal(id, 9) }
    }

    /// Stops a container, also one that is on its way.
    ///
    /// Its own task cannot do that: it is cancelled with the pod, and would not wait until it is time to kill.
    func stop(_ container: Container, grace: Duration) async {
        if starting[container.name] != nil {
            await withCheckedContinuation { starting[container.name]?.append($0) }
        }
        guard let id = containerIDs[container.name] else { return }
        await stop(id, container, grace: grace, because: "Stopping container \(container.name)")
    }

    /// Asks a container to stop, and kills it when the time is over; its hook is part of that time.
    func stop(_ id: ContainerID, _ container: Container, grace: Duration, because message: String) async {
        let runtime = node.runtime
        let begun = ContinuousClock.now
        await record(.normal, "Killing", message, container)
        if grace > .zero { await runPreStop(id, container, timeout: grace) }
        await runtime.signal(id, grace > .zero ? stopSignals[container.name] ?? 15 : 9)
        let left = max(grace - (ContinuousClock.now - begun), shortestGrace)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await runtime.waitForExit(id) }
            group.addTask {
                guard grace > .zero, (try? await ContinuousClock().sleep(for: left)) != nil else { return }
                await runtime.signal(id, 9)
            }
            await group.next()
            group.cancelAll()
        }
    }
}
