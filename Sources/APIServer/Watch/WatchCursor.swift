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

/// A place in the history of a range. A value: it owns no queue, and whoever does not ask costs nothing.
struct WatchCursor: Sendable {
    private let store: ObjectStore
    private let resource: ResourceType
    private let range: KeyRange
    private let selection: Selection
    private var pending: [WatchItem]
    private(set) var revision: Revision

    static let batchMax = 256

    init(_ registry: Registry, _ kind: KindSchema, namespace: String?, _ query: WatchQuery) throws(Status) {
        store = registry.store
        resource = kind.resource
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
                pending.append(.bookmark(resource, revision, endsInitialEvents: true))
            }
        } else if isFromPresent {
            revision = registry.store.revision
        } else {
            revision = try registry.checkedRevision(wanted)
        }
    }

    /// The next events, at least one; waits for them. Throws `Status` 410 when the history no longer reaches back to here.
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
            let items = found.events.compactMap { WatchItem($0, selection) }
            if !items.isEmpty { return items }
        }
    }

    private func answer(to error: StoreError) -> Status {
        guard case .compacted(let oldest) = error else { return .answer(to: error, resource) }
        return .expired("too old resource version: \(revision.rawValue) (\(oldest.rawValue))")
    }
}
