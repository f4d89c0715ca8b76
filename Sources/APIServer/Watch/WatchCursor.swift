import KubeModel
import ObjectStore

/// What a watch request asks for.
struct WatchQuery: Sendable {
    var selection: Selection = .everything
    /// Nil, empty and `0` begin with the present objects, unless `sendsInitialEvents` says otherwise.
    var resourceVersion: String?
    /// Says for itself whether the present objects are wanted; they end with a bookmark, if bookmarks are.
    var sendsInitialEvents: Bool?
    var allowsBookmarks = false
}

/// A place in the history of a range, as a value: it owns no queue, and whoever does not ask costs nothing.
struct WatchCursor: Sendable {
    private let registry: Registry
    private let kind: KindSchema
    private var store: ObjectStore { registry.store }
    let range: KeyRange
    /// What of the range is wanted.
    let selection: Selection
    private let ticket = WatchTicket()
    private var pending: ArraySlice<WatchItem> = []
    private var failure: Status?
    private(set) var revision: Revision

    static let batchMax = 256

    /// What is wrong with the revision is told by the first call of `next`, as an event, not here.
    init(_ registry: Registry, _ kind: KindSchema, namespace: String?, _ query: WatchQuery) async throws(Status) {
        self.registry = registry
        self.kind = kind
        range = registry.range(kind, namespace: namespace, selection: query.selection)
        selection = query.selection.within(range)
        let wanted = try Registry.revision(query.resourceVersion ?? "")
        revision = wanted ?? registry.store.revision
        guard query.sendsInitialEvents ?? (wanted == nil) else { return }
        do throws(Status) {
            let page = try await registry.list(
                kind, namespace: namespace,
                ListQuery(selection: query.selection, resourceVersion: query.resourceVersion))
            pending = page.items.map { WatchItem(.added, $0) }[...]
            revision = page.revision
            if query.allowsBookmarks {
                pending.append(.bookmark(kind.resource, revision, endsInitialEvents: true))
            }
        } catch {
            failure = error
        }
    }

    /// A watch that has only this to say.
    mutating func fail(_ status: Status) { failure = status }

    /// The next events; waits for them.
    ///
    /// Empty when `wake` was called.
    ///
    /// Throws `Status` 410 when the history no longer reaches back to here.
    mutating func next() async throws(Status) -> [WatchItem] {
        if let failure { throw failure }
        if !pending.isEmpty {
            defer { pending = [] }
            return Array(pending)
        }
        while true {
            let found: (events: [StoreEvent], upTo: Revision)
            do throws(StoreError) {
                found = try await store.events(after: revision, in: range, limit: Self.batchMax, ticket: ticket)
            } catch {
                throw answer(to: error)
            }
            revision = found.upTo
            if found.events.isEmpty { return [] }
            let items = try await registry.served(found.events, as: kind).compactMap { WatchItem($0, selection) }
            if !items.isEmpty { return items }
        }
    }

    /// The next events that are there already, and whether there may be more; does not wait.
    mutating func present() throws(Status) -> (items: [WatchItem], mayHaveMore: Bool) {
        if let failure { throw failure }
        if !pending.isEmpty {
            let items = Array(pending.prefix(Self.batchMax))
            pending.removeFirst(items.count)
            return (items, true)
        }
        do throws(StoreError) {
            let found = try store.presentEvents(after: revision, in: range, limit: Self.batchMax)
            revision = found.upTo
            return (items(found.events), found.events.count == Self.batchMax)
        } catch {
            throw answer(to: error)
        }
    }

    /// Goes on behind what somebody else has told.
    mutating func skip(to revision: Revision) { self.revision = max(self.revision, revision) }

    /// Whether the objects are converted by a webhook, for which `next` alone can wait.
    var needsConversion: Bool { kind.custom?.conversion != nil }

    /// What changes of the range are for this watch.
    func items(_ events: [StoreEvent]) -> [WatchItem] {
        events.compactMap { WatchItem(kind.served($0), selection) }
    }

    /// What ends the wait of `next` from outside, with everything up to now seen.
    var wake: @Sendable () -> Void { { [store, ticket] in store.wake(ticket) } }

    private func answer(to error: StoreError) -> Status {
        guard case .compacted(let oldest) = error else { return .answer(to: error, kind.resource) }
        return .expired("too old resource version: \(revision.rawValue) (\(oldest.rawValue))")
    }
}
