import Synchronization

/// A bounded queue between two tasks: the sender waits while it is full, the receiver while it is empty.
///
/// Either side leaves by `finish`, `close`, or by being cancelled; the other never waits for one that has left.
final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var elements: [(element: Element, cost: Int)] = []
        var cost = 0
        var isFinished = false
        var isClosed = false
        var sender: CheckedContinuation<Void, Never>?
        var receiver: CheckedContinuation<Element?, Never>?
    }

    private let costMax: Int
    private let state = Mutex(State())

    /// A mailbox in which elements with a cost of `costMax` together may wait.
    init(costMax: Int) { self.costMax = costMax }

    /// Puts an element in, and returns when there is room for more; drops it when the receiver has left.
    func send(_ element: Element, cost: Int = 1) async {
        if !offer(element, cost: cost) { await waitForRoom() }
    }

    /// Puts an element in; drops it when the receiver has left.
    ///
    /// - Returns: Whether there is room for more.
    func offer(_ element: Element, cost: Int = 1) -> Bool {
        let (receiver, hasRoom) = state.withLock { state -> (CheckedContinuation<Element?, Never>?, Bool) in
            guard !state.isFinished, !state.isClosed else { return (nil, true) }
            if let receiver = state.receiver.take() { return (receiver, true) }
            state.elements.append((element, cost))
            state.cost += cost
            return (nil, state.cost < costMax)
        }
        receiver?.resume(returning: element)
        return hasRoom
    }

    /// Returns when there is room, or when one of the two has left.
    func waitForRoom() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    guard state.cost >= costMax, !state.isFinished, !state.isClosed else { return true }
                    state.sender = continuation
                    return false
                }
                if isFree { continuation.resume() }
            }
        } onCancel: {
            finish()
        }
    }

    /// The next element; nil when no more will come.
    func next() async -> Element? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock {
                    state -> (element: Element?, sender: CheckedContinuation<Void, Never>?)? in
                    if state.elements.isEmpty {
                        if state.isFinished || state.isClosed { return (nil, nil) }
                        state.receiver = continuation
                        return nil
                    }
                    let (element, cost) = state.elements.removeFirst()
                    state.cost -= cost
                    return (element, state.cost < costMax ? state.sender.take() : nil)
                }
                guard let outcome else { return }
                outcome.sender?.resume()
                continuation.resume(returning: outcome.element)
            }
        } onCancel: {
            close()
        }
    }

    /// Nothing more will be sent; what is waiting is still handed out.
    func finish() { leave { $0.isFinished = true } }

    /// Nobody receives any more; what is waiting is dropped.
    func close() {
        leave {
            $0.isClosed = true
            $0.elements = []
            $0.cost = 0
        }
    }

    private func leave(_ change: (inout State) -> Void) {
        let (sender, receiver) = state.withLock { state in
            change(&state)
            return (state.sender.take(), state.receiver.take())
        }
        sender?.resume()
        receiver?.resume(returning: nil)
    }
}

/// Something that happens once.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}

/// A value that can be had once.
final class OnceOnly<Value: Sendable>: Sendable {
    private let value: Mutex<Value?>

    init(_ value: Value) { self.value = Mutex(value) }

    func take() -> Value? { value.withLock { $0.take() } }
}
