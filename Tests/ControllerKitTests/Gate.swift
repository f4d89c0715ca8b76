import Synchronization

/// A door that can be shut before somebody, and that says when somebody stands before it.
final class Gate: Sendable {
    private struct State {
        var isOpen = true
        var visitors: [CheckedContinuation<Void, Never>] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())

    /// Goes through, now or when it opens.
    func pass() async {
        await withCheckedContinuation { continuation in
            let (passes, watchers) = state.withLock { state in
                if state.isOpen { return (true, [CheckedContinuation<Void, Never>]()) }
                state.visitors.append(continuation)
                defer { state.watchers = [] }
                return (false, state.watchers)
            }
            if passes { continuation.resume() }
            for watcher in watchers { watcher.resume() }
        }
    }

    func close() { state.withLock { $0.isOpen = false } }

    func open() {
        let visitors = state.withLock { state in
            state.isOpen = true
            defer { state.visitors = [] }
            return state.visitors
        }
        for visitor in visitors { visitor.resume() }
    }

    /// Returns when somebody stands before the closed door.
    func waitForVisitor() async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.visitors.isEmpty { state.watchers.append(continuation) }
                return !state.visitors.isEmpty
            }
            if isThere { continuation.resume() }
        }
    }
}
