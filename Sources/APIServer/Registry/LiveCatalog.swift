import KubeModel
import Synchronization

/// The kinds that are served at the moment; readers take a copy, which costs nothing.
final class LiveCatalog: Sendable {
    private struct State {
        var catalog: KindCatalog
        var generation = 0
    }

    private let state: Mutex<State>

    init(_ catalog: KindCatalog) { state = Mutex(State(catalog: catalog)) }

    var current: KindCatalog { state.withLock { $0.catalog } }

    /// The kinds, and a number that grows with each change: what was made from an older number is out of date.
    var snapshot: (catalog: KindCatalog, generation: Int) { state.withLock { ($0.catalog, $0.generation) } }

    /// Changes the kinds in one step; whoever asks sees those before or those after.
    ///
    /// `body` runs under the lock, so that of two changes the later one has seen what the earlier one did.
    func change(_ body: (inout KindCatalog) -> Void) {
        state.withLock { state in
            body(&state.catalog)
            state.generation += 1
        }
    }
}
