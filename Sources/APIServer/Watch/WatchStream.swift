import KubeModel
import NIOCore
import Synchronization

/// A watch over the network: lines of JSON for whoever writes them, at the pace of the reader, who slows only himself.
struct WatchStream: Sendable {
    private let cursor: WatchCursor
    private let resource: ResourceType
    private let presenter: Presenter
    private let sendsBookmarks: Bool
    private let timeout: Duration

    /// Quiet watches hear so often up to where they have seen everything, if they want.
    static let bookmarkInterval = Duration.seconds(60)
    /// So long before its end a watch gets the last bookmark.
    static let lastBookmarkLead = Duration.seconds(2)

    init(
        _ cursor: WatchCursor, resource: ResourceType, presenter: Presenter, sendsBookmarks: Bool, timeout: Duration
    ) {
        self.cursor = cursor
        self.resource = resource
        self.presenter = presenter
        self.sendsBookmarks = sendsBookmarks
        self.timeout = timeout
    }

    /// Gives `send` the lines of events as they happen, until the time is over or the watch cannot go on.
    func run(_ send: (ByteBuffer) async throws -> Void) async throws {
        let alarm = WatchAlarm(timeout: timeout, sendsBookmarks: sendsBookmarks)
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

/// The clock of one watch: when bookmarks are due, and when it ends.
private final class WatchAlarm: Sendable {
    struct Rings {
        var bookmark = false
        var end = false
    }

    private let start = ContinuousClock.now
    private let timeout: Duration
    private let sendsBookmarks: Bool
    private let rings = Mutex(Rings())

    init(timeout: Duration, sendsBookmarks: Bool) {
        self.timeout = timeout
        self.sendsBookmarks = sendsBookmarks
    }

    /// Rings, and wakes the watch each time, until its end.
    func run(_ wake: @Sendable () -> Void) async {
        for ring in schedule {
            do { try await ContinuousClock().sleep(until: start + ring.at) } catch { return }
            rings.withLock { rings in
                if ring.isEnd { rings.end = true }
                if ring.isBookmark { rings.bookmark = true }
            }
            wake()
        }
    }

    func takeRings() -> Rings {
        rings.withLock { rings in
            defer { rings = Rings() }
            return rings
        }
    }

    private typealias Ring = (at: Duration, isBookmark: Bool, isEnd: Bool)

    /// A ring each minute, one shortly before the end, and the end.
    private var schedule: some Sequence<Ring> {
        let last = timeout - WatchStream.lastBookmarkLead
        let isLastApart = sendsBookmarks && last > .zero
        let end: Ring = (timeout, sendsBookmarks && !isLastApart, true)
        return sequence(state: Optional(Duration.zero)) { [sendsBookmarks] moment -> Ring? in
            guard let before = moment else { return nil }
            let next = before + WatchStream.bookmarkInterval
            if sendsBookmarks, next < last {
                moment = next
                return (next, true, false)
            }
            if isLastApart, before < last {
                moment = last
                return (last, true, false)
            }
            moment = nil
            return end
        }
    }
}
