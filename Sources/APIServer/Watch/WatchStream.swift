import KubeModel
import NIOCore
import Synchronization

/// A watch over the network: lines of JSON for whoever writes them, at the pace of the reader, who slows only himself.
struct WatchStream: Sendable {
    let cursor: WatchCursor
    let resource: ResourceType
    let presenter: Presenter
    let schedule: WatchSchedule

    init(
        _ cursor: WatchCursor, resource: ResourceType, presenter: Presenter, sendsBookmarks: Bool, timeout: Duration
    ) {
        self.cursor = cursor
        self.resource = resource
        self.presenter = presenter
        schedule = WatchSchedule(timeout: timeout, sendsBookmarks: sendsBookmarks)
    }

    /// For a reader that needs a task of its own; those who read HTTP are served by `LoopWatchers`.
    ///
    /// Gives `send` the lines of events as they happen, until the time is over or the watch cannot go on.
    func run(_ send: (ByteBuffer) async throws -> Void) async throws {
        let alarm = WatchAlarm(schedule)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let wake = cursor.wake
            group.addTask { await alarm.run(wake) }
            defer { group.cancelAll() }
            try await pump(alarm, send)
        }
    }

    private func pump(_ alarm: WatchAlarm, _ send: (ByteBuffer) async throws -> Void) async throws {
        var cursor = cursor
        var isFirst = true
        while true {
            let items: [WatchItem]
            do throws(Status) {
                items = try await cursor.next()
            } catch {
                if error != .cancelled { try await send(ByteBuffer(bytes: Presenter.errorEvent(error))) }
                return
            }
            if !items.isEmpty {
                try await send(presenter.lines(items, isFirst: isFirst))
                isFirst = false
            }
            if Task.isCancelled { return }
            let rings = alarm.takeRings()
            if rings.bookmark {
                try await send(presenter.lines([.bookmark(resource, cursor.revision)], isFirst: isFirst))
                isFirst = false
            }
            if rings.end { return }
        }
    }
}

/// The clock of one watch, for one that has a task of its own.
private final class WatchAlarm: Sendable {
    private let start = ContinuousClock.now
    private let schedule: WatchSchedule
    private let rings = Mutex(WatchSchedule.Rings())

    init(_ schedule: WatchSchedule) { self.schedule = schedule }

    /// Rings, and wakes the watch each time, until its end.
    func run(_ wake: @Sendable () -> Void) async {
        var last = Duration.zero
        while let ring = schedule.next(after: last) {
            do { try await ContinuousClock().sleep(until: start + ring.at) } catch { return }
            rings.withLock { $0.add(ring) }
            wake()
            last = ring.at
        }
    }

    func takeRings() -> WatchSchedule.Rings {
        rings.withLock { rings in
            defer { rings = WatchSchedule.Rings() }
            return rings
        }
    }
}
