import ContainerRuntime
import ControllerKit
import KubeModel

/// How one container runs: started, probed, and started again.
extension PodWorker {
    /// Runs an init container until it succeeds; false when the pod cannot go on.
    func runInitContainer(_ index: Int) async -> Bool {
        if initStates[index].termination?.exit.code == 0 { return true }
        await runContainer(.initial(index))
        return initStates[index].termination?.exit.code == 0 && !isEnding
    }

    /// Starts a container, again and again as its restart policy says; returns when it will not start any more.
    func runContainer(_ slot: Slot) async {
        if let ended = state(slot).termination {
            guard shouldRestart(slot, after: ended.exit.code) else { return }
        }
        var backoff = RestartBackoff()
        while !isOver(slot) {
            let begun = ContinuousClock.now
            guard let termination = await runOnce(slot) else { return }
            let code = termination.exit.code
            let isRedefined = redefined.remove(container(slot).name) != nil
            let restarts = !isOver(slot) && (isRedefined || shouldRestart(slot, after: code))
            let couldNotBegin = termination.exit.reason == "StartError"
            let hookFailure = hookFailures.removeValue(forKey: container(slot).name)
            await change(slot) { state in
                state.end(termination)
                if slot.isInitial, code == 0, !container(slot).isSidecar { state.isReady = true }
                // Even with the policy Never the pod goes on.
                if restarts, isRedefined { state.wait("ContainerCreating") }
                if restarts, couldNotBegin { state.wait("RunContainerError", termination.message) }
                if restarts, let hookFailure { state.wait("PostStartHookError", hookFailure) }
            }
            guard restarts else { return }
            // The failure is there to be read; then comes the back-off.
            if couldNotBegin || hookFailure != nil {
                await pause(max(node.configuration.visiblePause, .milliseconds(200)))
            }
            let image = state(slot).image
            func isReplaced() -> Bool { container(slot).image != image }
            // Another image has failed nobody yet.
            if isReplaced() { backoff = RestartBackoff() }
            let delay = node.configuration.prescribed(backoff.next(ranFor: ContinuousClock.now - begun))
            guard delay > .zero else { continue }
            await backOff(slot, delay, with: image)
            if isReplaced() {
                backoff = RestartBackoff()
                _ = backoff.next(ranFor: .zero)
            }
        }
    }

    /// One run of a container from its start to its end; nil when the pod ends before it has begun.
    private func runOnce(_ slot: Slot) async -> ContainerState.Termination? {
        switch await startContainer(slot) {
        case nil: return nil
        case .failure(let failure)?: return .startFailure(failure.message, at: .now)
        case .success(let id)?:
            if hookFailures[container(slot).name] != nil {
                let container = container(slot)
                await stop(id, container, grace: stopGrace, because: "FailedPostStartHook")
            }
            let exit = await watch(slot, id)
            containerIDs[container(slot).name] = nil
            guard case .running(let since) = state(slot).phase else { return nil }
            let attempt = state(slot).attempt
            let message = TerminationMessage(container(slot), pod, attempt: attempt, node.configuration).take(
                exitCode: exit.code, logPath: node.logPath(pod, container(slot).name, attempt: attempt))
            return ContainerState.Termination(
                exit: exit, started: since, finished: .now, containerID: state(slot).containerID, message: message)
        }
    }

    /// The container is not to start any more: the pod ends, or there is nobody left whom it could serve.
    func isOver(_ slot: Slot) -> Bool { isEnding || (isDone && !slot.isMain) }

    private func shouldRestart(_ slot: Slot, after code: Int) -> Bool {
        if slot.isEphemeral { return false }
        if slot.isInitial, container(slot).isSidecar { return true }
        return switch pod.restartPolicy {
        case "Never": false
        case "OnFailure": code != 0
        default: slot.isInitial ? code != 0 : true
        }
    }

    private func backOff(_ slot: Slot, _ delay: Duration, with image: String) async {
        let container = container(slot)
        let shown = "\(max(1, delay.components.seconds))s"
        let place = "container=\(container.name) pod=\(pod.name)_\(pod.namespace)(\(pod.uid))"
        await change(slot) { $0.wait("CrashLoopBackOff", "back-off \(shown) restarting failed \(place)") }
        await record(
            .warning, "BackOff",
            "Back-off restarting failed container \(container.name) in pod \(pod.name)_\(pod.namespace)(\(pod.uid))",
            container)
        await pause(delay, slot, with: image)
    }

    /// Waits for the container's end while its probes run.
    private func watch(_ slot: Slot, _ id: ContainerID) async -> ContainerExit {
        let runtime = node.runtime
        let image = state(slot).image
        let probes = ProbeRunner(worker: self, node: node, slot: slot, id: id)
        return await withTaskGroup(of: ContainerExit?.self) { group in
            group.addTask { await runtime.waitForExit(id) }
            group.addTask {
                await probes.run()
                return nil
            }
            group.addTask {
                await self.replace(slot, id, running: image)
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
