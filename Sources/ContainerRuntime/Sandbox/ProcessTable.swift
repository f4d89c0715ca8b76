import Synchronization

/// The programs that were started, and who waits for their ends.
///
/// A program counts as ended when its process has, and its output too: whoever reads the log after the end then reads all of it.
final class ProcessTable: Sendable {
    private struct Entry {
        var exit: ContainerExit?
        var openPipes: Int
        var waiters: [Int: CheckedContinuation<ContainerExit?, Never>] = [:]
        var finished: (@Sendable () -> Void)?

        /// The end, when it is over in every respect.
        var over: ContainerExit? { openPipes <= 0 ? exit : nil }
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let waiterCount = Mutex(0)
    private static let unseen = ContainerExit(code: 137, reason: "Unknown")

    /// A program is about to start, with so many pipes; `finished` is called once, when all is over.
    func add(_ name: String, pipes: Int, finished: @escaping @Sendable () -> Void) {
        entries.withLock { $0[name] = Entry(openPipes: pipes, finished: finished) }
    }

    func pipeEnded(_ name: String) { update(name) { $0.openPipes -= 1 } }

    /// - Parameter status: As `waitpid` gives it.
    func exited(_ name: String, status: Int32, isOutOfMemory: Bool = false) {
        let code = status & 0x7F == 0 ? Int(status >> 8) & 0xFF : 128 + Int(status & 0x7F)
        update(name) { $0.exit = ContainerExit(code: code, reason: isOutOfMemory ? "OOMKilled" : nil) }
    }

    /// A child of the program may keep the pipe open: whoever removes the pod does not wait for that.
    func giveUpPipes(_ name: String) { update(name) { $0.openPipes = 0 } }

    /// Forgets a program that was never started, or that nobody asks for any more.
    func remove(_ name: String) {
        guard let entry = entries.withLock({ $0.removeValue(forKey: name) }) else { return }
        entry.finished?()
        for waiter in entry.waiters.values { waiter.resume(returning: Self.unseen) }
    }

    /// Nothing will be heard of any program any more.
    func removeAll() {
        for name in entries.withLock({ Array($0.keys) }) { remove(name) }
    }

    func isKnown(_ name: String) -> Bool { entries.withLock { $0[name] != nil } }

    func hasEnded(_ name: String) -> Bool { entries.withLock { $0[name]?.over != nil } }

    /// The end of a program; at once and every time after it has ended.
    ///
    /// One that is not known ended unseen.
    func wait(_ name: String) async -> ContainerExit {
        await withCheckedContinuation { enqueue($0, name, isCancellable: false) } ?? Self.unseen
    }

    /// The same; nil as soon as the waiting task is cancelled.
    func waitUnlessCancelled(_ name: String) async -> ContainerExit? {
        let id = nextWaiter()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { enqueue($0, name, id: id, isCancellable: true) }
        } onCancel: {
            entries.withLock { $0[name]?.waiters.removeValue(forKey: id) }?.resume(returning: nil)
        }
    }

    private func nextWaiter() -> Int {
        waiterCount.withLock { count in
            count += 1
            return count
        }
    }

    private func enqueue(
        _ continuation: CheckedContinuation<ContainerExit?, Never>, _ name: String, id: Int? = nil, isCancellable: Bool
    ) {
        let id = id ?? nextWaiter()
        let (isAnswered, exit) = entries.withLock { entries -> (Bool, ContainerExit?) in
            guard var entry = entries[name] else { return (true, Self.unseen) }
            if let exit = entry.over { return (true, exit) }
            // A cancellation that comes later finds the waiter.
            if isCancellable, Task.isCancelled { return (true, nil) }
            entry.waiters[id] = continuation
            entries[name] = entry
            return (false, nil)
        }
        if isAnswered { continuation.resume(returning: exit) }
    }

    private func update(_ name: String, _ change: (inout Entry) -> Void) {
        let (exit, waiters, finished) = entries.withLock { entries in
            guard var entry = entries[name] else {
                return (
                    ContainerExit?.none, [Int: CheckedContinuation<ContainerExit?, Never>](),
                    (@Sendable () -> Void)?.none
                )
            }
            change(&entry)
            defer { entries[name] = entry }
            guard let exit = entry.over else { return (nil, [:], nil) }
            defer {
                entry.waiters = [:]
                entry.finished = nil
            }
            return (exit, entry.waiters, entry.finished)
        }
        guard let exit else { return }
        finished?()
        for waiter in waiters.values { waiter.resume(returning: exit) }
    }
}
