import ContainerRuntime
import ControllerKit
import KubeModel

/// How one container runs: started, probed, and started again.
extension PodWorker {
    /// Runs an init container until it succeeds; false when the pod cannot go on.
    func runInitContainer(_ index: Int) async -> Bool {
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
    func runContainer(_ slot: Slot) async {
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
                if exit.code != 0 || !slot.isInitial { state.isStarted = false }
                if slot.isInitial, exit.code == 0 { state.isReady = true }
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

    private func shouldRestart(_ slot: Slot, after code: Int) -> Bool {
        switch pod.restartPolicy {
        case "Never": false
        case "OnFailure": code != 0
        default: slot.isInitial && !container(slot).isSidecar ? code != 0 : true
        }
    }

    private func backOff(_ slot: Slot, _ termination: ContainerState.Termination, _ delay: Duration) async {
        let container = container(slot)
        let shown = "\(max(1, delay.components.seconds))s"
        await change(slot) { state in
            state.lastTermination = termination
            state.phase = .waiting(
                reason: "CrashLoopBackOff",
                message:
                    "back-off \(shown) restarting failed container=\(container.name) pod=\(pod.name)_\(pod.namespace)(\(pod.uid))"
            )
        }
        await record(
            .warning, "BackOff",
            "Back-off restarting failed container \(container.name) in pod \(pod.name)_\(pod.namespace)(\(pod.uid))",
            container)
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
}
