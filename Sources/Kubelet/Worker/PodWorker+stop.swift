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
            let others = pod.containers + pod.initContainers.filter { !$0.isSidecar } + pod.ephemeralContainers
            await withDiscardingTaskGroup { stops in
                for container in others {
                    stops.addTask { await self.stop(container, grace: grace) }
                }
                stops.addTask { await self.stopSidecars(grace: grace, after: others) }
            }
            group.cancelAll()
        }
    }

    /// The time that containers have to stop.
    var stopGrace: Duration {
        let seconds = pod.object.deletionGracePeriodSeconds ?? pod.terminationGracePeriodSeconds
        return isForgotten ? .zero : node.configuration.prescribed(seconds: max(0, seconds))
    }

    /// Stops the sidecars, each when those that it serves have ended: the others, and the sidecars that came after it.
    ///
    /// Their hooks do not wait for that; they run at once, as everybody's (Kubernetes docs, "Termination with sidecar containers").
    func stopSidecars(grace: Duration, after others: [Container] = []) async {
        let sidecars = pod.initContainers.filter(\.isSidecar)
        await withDiscardingTaskGroup { stops in
            for (index, sidecar) in sidecars.enumerated() {
                let served = others + sidecars[(index + 1)...]
                stops.addTask { await self.stop(sidecar, grace: grace, after: served) }
            }
        }
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
    func stop(_ container: Container, grace: Duration, after others: [Container] = []) async {
        await waitForStart(of: container)
        guard let id = containerIDs[container.name] else { return }
        await stop(id, container, grace: grace, because: "Stopping container \(container.name)", after: others)
    }

    /// Asks a container to stop, and kills it when the time is over; its hook, and the wait for others, are part of that time.
    func stop(
        _ id: ContainerID, _ container: Container, grace: Duration, because message: String,
        after others: [Container] = []
    ) async {
        let runtime = node.runtime
        let begun = ContinuousClock.now
        await record(.normal, "Killing", message, container)
        if grace > .zero {
            await runPreStop(id, container, timeout: grace)
            await waitForEnd(of: others, atMost: grace - (ContinuousClock.now - begun))
        }
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

    /// Returns when it is known whether a container that is on its way runs.
    private func waitForStart(of container: Container) async {
        guard starting[container.name] != nil else { return }
        await withCheckedContinuation { starting[container.name]?.append($0) }
    }

    /// Returns when none of the containers runs any more, or the time is over.
    private func waitForEnd(of containers: [Container], atMost limit: Duration) async {
        guard limit > .zero else { return }
        let runtime = node.runtime
        for container in containers { await waitForStart(of: container) }
        let ids = containers.compactMap { containerIDs[$0.name] }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for id in ids { _ = await runtime.waitForExit(id) } }
            group.addTask { try? await ContinuousClock().sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }
}
