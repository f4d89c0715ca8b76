import Synchronization

/// The programs that were started, and who waits for their ends.
///
/// A program counts as ended when its process has, and its output too: whoever reads the log after the end then reads all of it.
final class ProcessTable: Sendable {
    private struct Entry {
        var exit: ContainerExit?
        var openPipes: Int
        var waiters: [CheckedContinuation<ContainerExit, Never>] = []
        var finished: (@Sendable () -> Void)?
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// A program is about to start, with so many pipes; `finished` is called once, when all is over.
    func add(_ name: String, pipes: Int, finished: @escaping @Sendable () -> Void) {
        entries.withLock { $0[name] = Entry(openPipes: pipes, finished: finished) }
    }

    func pipeEnded(_ name: String) { update(name) { $0.openPipes -= 1 } }

    /// - Parameter status: As `waitpid` gives it.
    func exited(_ name: String, status: Int32) {
        let code = status & 0x7F == 0 ? Int(status >> 8) & 0xFF : 128 + Int(status & 0x7F)
        update(name) { $0.exit = ContainerExit(code: code) }
    }

    /// A child of the program may keep the pipe open: whoever removes the pod does not wait for that.
    func giveUpPipes(_ name: String) { update(name) { $0.openPipes = 0 } }

    /// Forgets a program that was never started.
    func remove(_ name: String) {
        entries.withLock { $0.removeValue(forKey: name) }?.finished?()
    }

    func isKnown(_ name: String) -> Bool { entries.withLock { $0[name] != nil } }

    /// The end of a program; at once and every time after it has ended.
    ///
    /// One that is not known ended unseen.
    func wait(_ name: String) async -> ContainerExit {
        await withCheckedContinuation { continuation in
            let exit = entries.withLock { entries -> ContainerExit? in
                guard var entry = entries[name] else { return ContainerExit(code: 137, reason: "Unknown") }
                if let exit = entry.exit, entry.openPipes <= 0 { return exit }
                entry.waiters.append(continuation)
                entries[name] = entry
                return nil
            }
            if let exit { continuation.resume(returning: exit) }
        }
    }

    private func update(_ name: String, _ change: (inout Entry) -> Void) {
        let (exit, waiters, finished) = entries.withLock { entries in
            guard var entry = entries[name] else {
                return (
                    ContainerExit?.none, [CheckedContinuation<ContainerExit, Never>](), (@Sendable () -> Void)?.none
                )
            }
            change(&entry)
            defer { entries[name] = entry }
            guard let exit = entry.exit, entry.openPipes <= 0 else { return (nil, [], nil) }
            defer {
                entry.waiters = []
                entry.finished = nil
            }
            return (exit, entry.waiters, entry.finished)
        }
        guard let exit else { return }
        finished?()
        for waiter in waiters { waiter.resume(returning: exit) }
    }
}
