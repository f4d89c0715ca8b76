import Synchronization

/// A port that will be known later, for everybody who waits for it.
final class BoundPort: Sendable {
    private enum State {
        case waiting([CheckedContinuation<Int, any Error>])
        case known(Result<Int, ServerError>)
    }

    private let state = Mutex<State>(.waiting([]))

    /// The first result counts.
    func resolve(_ result: Result<Int, ServerError>) {
        let waiting = state.withLock { state -> [CheckedContinuation<Int, any Error>] in
            guard case .waiting(let continuations) = state else { return [] }
            state = .known(result)
            return continuations
        }
        for continuation in waiting { continuation.resume(with: result.mapError { $0 as any Error }) }
    }

    var value: Int {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let known = state.withLock { state -> Result<Int, ServerError>? in
                    switch state {
                    case .known(let result): return result
                    case .waiting(let continuations):
                        state = .waiting(continuations + [continuation])
                        return nil
                    }
                }
                if let known { continuation.resume(with: known.mapError { $0 as any Error }) }
            }
        }
    }
}
