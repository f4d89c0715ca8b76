import KubeClient
import KubeModel

/// A watch of the in-process client: pulled event by event, in the caller's task.
actor WatchFeed {
    private var cursor: WatchCursor
    private var batch: ArraySlice<WatchItem> = []

    private init(_ cursor: WatchCursor) { self.cursor = cursor }

    /// - Parameter owning: The request that ends with the stream.
    static func stream(
        _ cursor: WatchCursor, owning request: OpenRequest? = nil
    ) -> AsyncThrowingStream<WatchEvent, any Error> {
        let feed = WatchFeed(cursor)
        return AsyncThrowingStream {
            defer { withExtendedLifetime(request) {} }
            return try await feed.next()
        }
    }

    private func next() async throws -> WatchEvent? {
        while true {
            if let item = batch.popFirst() { return item.event }
            var cursor = cursor
            do throws(Status) {
                // Nobody wakes this watch, so there is always an event.
                batch = try await cursor.next()[...]
            } catch {
                guard error == .cancelled else { throw error }
                return nil
            }
            self.cursor = cursor
        }
    }
}

extension WatchItem {
    var event: WatchEvent {
        switch kind {
        case .added: .added(object)
        case .modified: .modified(object)
        case .deleted: .deleted(object)
        case .bookmark: .bookmark(resourceVersion: object.resourceVersion)
        }
    }
}
