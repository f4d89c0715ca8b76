import Glibc
import NIOCore
import Synchronization

/// Gives back to the system what was needed for a while only.
///
/// The C library keeps freed memory for the next time. After a burst of work that is most of what the process has, so the
/// library is asked to let go, once, a while after so much has been used; an idle server asks nothing.
final class SpareMemory: Sendable {
    private let loop: any EventLoop
    private let used = Atomic(0)
    private let isWaiting = Atomic(false)

    /// So much must have been used since the last time.
    private static let bytesMin = 32 * 1024 * 1024
    /// So long nothing more must be used; or else it is done after so many times as long.
    private static let quietTime = TimeAmount.seconds(2)
    private static let roundsMax = 10

    /// `malloc_trim` of the C library, which Swift's view of it leaves out; nil where there is none.
    private static let trim: (@convention(c) (Int) -> CInt)? = dlsym(nil, "malloc_trim").map {
        unsafeBitCast($0, to: (@convention(c) (Int) -> CInt).self)
    }

    init(_ loop: any EventLoop) { self.loop = loop }

    /// Takes note of memory that is no longer needed, or soon will be; roughly.
    func note(_ byteCount: Int) {
        let now = used.add(byteCount, ordering: .relaxed).newValue
        guard now >= Self.bytesMin,
            isWaiting.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
        else { return }
        wait(seen: now, round: 1)
    }

    private func wait(seen: Int, round: Int) {
        loop.scheduleTask(in: Self.quietTime) { [self] in
            let now = used.load(ordering: .relaxed)
            guard now == seen || round == Self.roundsMax else {
                wait(seen: now, round: round + 1)
                return
            }
            used.store(0, ordering: .relaxed)
            isWaiting.store(false, ordering: .relaxed)
            _ = Self.trim?(0)
        }
    }
}
