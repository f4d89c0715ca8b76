import ContainerRuntime
import KubeModel

/// Ephemeral containers: added to a running pod, started at once, never started again.
///
/// Source: Kubernetes docs, "Ephemeral Containers".
extension PodWorker {
    /// What is known of an ephemeral container; one that an earlier kubelet ran has ended with it.
    static func ephemeralState(in pod: Pod) -> (Container) -> ContainerState {
        { container in
            var state = ContainerState(container, recordedIn: pod, "ephemeralContainerStatuses")
            if state.termination == nil, let lost = state.lastTermination {
                state.phase = .terminated(lost)
                state.lastTermination = nil
            }
            return state
        }
    }

    func ephemeralContainer(_ index: Int) -> Container {
        let name = ephemeralStates[index].name
        return pod.ephemeralContainers.first { $0.name == name } ?? Container([:])
    }

    /// The member of the pod's spec that lists a container.
    func listName(of container: Container) -> String {
        if pod.initContainers.contains(where: { $0.name == container.name }) { return "initContainers" }
        return ephemeralStates.contains { $0.name == container.name } ? "ephemeralContainers" : "containers"
    }

    /// Takes in those that were added to the pod's object.
    func takeEphemeralContainers() {
        let known = Set(ephemeralStates.map(\.name))
        let added = pod.ephemeralContainers.filter { !known.contains($0.name) }
        guard !added.isEmpty else { return }
        ephemeralStates += added.map(Self.ephemeralState(in: pod))
        addition.yield()
    }

    /// Runs them as they come, until the pod ends.
    func runEphemeralContainers() async {
        await withDiscardingTaskGroup { group in
            var begun = 0
            for await _ in additions {
                while begun < ephemeralStates.count {
                    let slot = Slot.ephemeral(begun)
                    group.addTask { await self.runContainer(slot) }
                    begun += 1
                }
            }
        }
    }

    func stopEphemeralContainers(grace: Duration) async {
        addition.finish()
        await withDiscardingTaskGroup { stops in
            for container in pod.ephemeralContainers {
                stops.addTask { await self.stop(container, grace: grace) }
            }
        }
    }
}
