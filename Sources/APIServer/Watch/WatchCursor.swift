import KubeModel
import ObjectStore

/// What a watch request asks for.
struct WatchQuery: Sendable {
    var selection: Selection = .everything
    /// Nil, empty and `0` begin with the present objects.
    var resourceVersion: String?
    /// Says for itself whether the present objects are wanted (`sendInitialEvents`); they end with a bookmark then.
    var sendsInitialEvents: Bool?
    var allowsBookmarks = false
}

/// A place in the history of a range, as a value: it owns no queue, and whoever does not ask costs nothing.
struct WatchCursor: Sendable {
    private let store: ObjectStore
    private let kind: KindSchema
    private let range: KeyRange
    private let selection: Selection
    private var pending: [WatchItem]
    private(set) var revision: Revision

    static let batchMax = 256

    init(_ registry: Registry, _ kind: KindSchema, namespace: String?, _ query: WatchQuery) throws(Status) {
        store = registry.store
        self.kind = kind
        selection = query.selection
        range = registry.range(kind, namespace: namespace, selection: query.selection)
        let wanted = query.resourceVersion ?? ""
        let isFromPresent = wanted.isEmpty || wanted == "0"
        pending = []
        if query.sendsInitialEvents ?? isFromPresent {
            let page = try registry.list(
                kind, namespace: namespace, ListQuery(selection: query.selection, resourceVersion: wanted))
            pending = page.items.map { WatchItem(.added, $0) }
            revision = page.revision
            if query.sendsInitialEvents == true, query.allowsBookmarks {
                pending.append(.bookmark(kind.resource, revision, endsInitialEvents: true))
            }
        } else if isFromPresent {
            revision = registry.store.revision
        } else {
            revision = try registry.checkedRevision(wanted)
        }
    }

    /// The next events, at least one; waits for them.
    ///
    /// Throws `Status` 410 when the history no longer reaches back to here.
    mutating func next() async throws(Status) -> [WatchItem] {
        if !pending.isEmpty {
            defer { pending = [] }
            return pending
        }
        while true {
            let found: (events: [StoreEvent], upTo: Revision)
            do throws(StoreError) {
                found = try await store.events(after: revision, in: range, limit: Self.batchMax)
            } catch {
                throw answer(to: error)
            }
            revision = found.upTo
            let items = found.events.compactMap { WatchItem(kind.served($0), selection) }
            if !items.isEmpty { return items }
        }
    }

    /// What has happened up to now, without waiting for more; a quiet range is brought to the present.
    ///
    /// Otherwise the history would leave a watch behind that has nothing to tell while others are busy.
    mutating func catchUp() async throws(Status) -> [WatchItem] {
        guard pending.isEmpty else { return try await next() }
        let present = store.revision
        let start = self
        // A cancelled task looks, but does not wait; it looks after `present` was read, so nothing is passed over.
        let outcome = await withTaskGroup(of: Result<(items: [WatchItem], cursor: WatchCursor), Status>.self) { group in
            group.addTask {
                var cursor = start
                do throws(Status) {
                    return .success((try await cursor.next(), cursor))
                } catch {
                    return .failure(error)
                }
            }
            group.cancelAll()
            return await group.next() ?? .failure(.cancelled)
        }
        switch outcome {
        case .success(let found):
            self = found.cursor
            return found.items
        case .failure(.cancelled):
            revision = max(revision, present)
            return []
        case .failure(let status): throw status
        }
    }

    private func answer(to error: StoreError) -> Status {
        guard case .compacted(let oldest) = error else { return .answer(to: error, kind.resource) }
        return .expired("too old resource version: \(revision.rawValue) (\(oldest.rawValue))")
    }
}
