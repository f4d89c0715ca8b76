import KubeModel
import ObjectStore

/// A watch over the network: lines of JSON, pulled by whoever writes them, so that a slow reader slows only itself.
actor WatchStream {
    private var cursor: WatchCursor
    private let resource: ResourceType
    private let presenter: Presenter
    private let sendsBookmarks: Bool
    private let deadline: ContinuousClock.Instant
    private var nextTick: ContinuousClock.Instant
    private var isFirst = true
    private var isOver = false

    /// Quiet watches are brought to the present this often, and hear of it if they want.
    static let tickInterval = Duration.seconds(60)

    init(
        _ cursor: WatchCursor, resource: ResourceType, presenter: Presenter, sendsBookmarks: Bool, timeout: Duration
    ) {
        self.cursor = cursor
        self.resource = resource
        self.presenter = presenter
        self.sendsBookmarks = sendsBookmarks
        deadline = .now + timeout
        nextTick = .now + Self.tickInterval
    }

    static func bytes(_ watch: WatchStream) -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { await watch.next() }
    }

    /// The lines of the next events, a bookmark, or the end (nil).
    private func next() async -> [UInt8]? {
        guard !isOver else { return nil }
        switch await wait() {
        case .events(let items, let cursor):
            self.cursor = cursor
            return encode(items)
        case .failed(let status):
            isOver = true
            return status == .cancelled ? nil : Presenter.errorEvent(status)
        case .time:
            isOver = deadline <= .now
            nextTick = .now + Self.tickInterval
            return await tick()
        }
    }

    private func tick() async -> [UInt8]? {
        var cursor = cursor
        let items: [WatchItem]
        do throws(Status) {
            items = try await cursor.catchUp()
        } catch {
            isOver = true
            return Presenter.errorEvent(error)
        }
        self.cursor = cursor
        if !items.isEmpty { return encode(items) }
        if sendsBookmarks { return encode([.bookmark(resource, cursor.revision)]) }
        return isOver ? nil : await next()
    }

    private enum Outcome {
        case events([WatchItem], WatchCursor)
        case failed(Status)
        case time
    }

    /// Events or the clock, whichever comes first.
    ///
    /// A cursor that loses the race is dropped, and nothing with it.
    private func wait() async -> Outcome {
        let start = cursor
        let wake = min(deadline, nextTick)
        return await withTaskGroup(of: Outcome.self) { group in
            group.addTask {
                var cursor = start
                do throws(Status) {
                    let items = try await cursor.next()
                    return .events(items, cursor)
                } catch {
                    return .failed(error)
                }
            }
            group.addTask {
                try? await ContinuousClock().sleep(until: wake)
                return Task.isCancelled ? .failed(.cancelled) : .time
            }
            let outcome = await group.next() ?? .failed(.cancelled)
            group.cancelAll()
            return outcome
        }
    }

    private func encode(_ items: [WatchItem]) -> [UInt8] {
        var lines: [UInt8] = []
        for item in items {
            lines.append(contentsOf: presenter.event(item, isFirst: isFirst))
            isFirst = false
        }
        return lines
    }
}
