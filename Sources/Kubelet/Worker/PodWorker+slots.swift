import KubeModel

/// The containers of a pod by their places.
extension PodWorker {
    /// A place in one of the three lists of containers.
    enum Slot: Sendable, Hashable {
        case initial(Int)
        case main(Int)
        case ephemeral(Int)

        /// It is one of the init containers.
        var isInitial: Bool { if case .initial = self { true } else { false } }
        var isMain: Bool { if case .main = self { true } else { false } }
        /// It was added while the pod ran, for somebody to look into it.
        var isEphemeral: Bool { if case .ephemeral = self { true } else { false } }
    }

    func container(_ slot: Slot) -> Container {
        switch slot {
        case .initial(let index): pod.initContainers[index]
        case .main(let index): pod.containers[index]
        case .ephemeral(let index): ephemeralContainer(index)
        }
    }

    func state(_ slot: Slot) -> ContainerState {
        switch slot {
        case .initial(let index): initStates[index]
        case .main(let index): states[index]
        case .ephemeral(let index): ephemeralStates[index]
        }
    }
}
