import ContainerRuntime
import NIOCore
import Synchronization

/// Where packets to a UDP port of the host go now: a new client reads it, a new plan replaces it.
///
/// Every client on the host has the same address, so a Service whose clients stay with their pod has one pod at a time here.
final class BackendChoice: Sendable {
    private struct State {
        var backends: [ServiceRule.Backend] = []
        var affinitySeconds = 0
        var kept: (backend: ServiceRule.Backend, until: ContinuousClock.Instant)?
    }
    private let state = Mutex(State())

    func update(_ backends: [ServiceRule.Backend], affinitySeconds: Int) {
        state.withLock { state in
            state.backends = backends
            state.affinitySeconds = affinitySeconds
        }
    }

    /// The backends in the order in which to try them.
    func candidates(now: ContinuousClock.Instant = .now) -> [ServiceRule.Backend] {
        let state = state.withLock { $0 }
        var backends = state.backends.shuffled()
        guard state.affinitySeconds > 0, let kept = state.kept, kept.until > now,
            let index = backends.firstIndex(of: kept.backend)
        else { return backends }
        backends.swapAt(0, index)
        return backends
    }

    /// Whether an address is that of a backend.
    func has(_ address: SocketAddress) -> Bool {
        state.withLock { state in
            state.backends.contains { $0.port == address.port && $0.address == address.ipAddress }
        }
    }

    /// A client went to this one.
    func chose(_ backend: ServiceRule.Backend, now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            guard state.affinitySeconds > 0 else { return }
            state.kept = (backend, now + .seconds(state.affinitySeconds))
        }
    }
}
