import KubeModel
import ObjectStore

/// What a list request asks for.
struct ListQuery: Sendable {
    var selection: Selection = .everything
    var limit: Int?
    var continueToken: String?
    var resourceVersion: String?
    /// `NotOlderThan`, `Exact` or nil.
    var resourceVersionMatch: String?
}

extension ListQuery {
    init(_ parameters: ListParameters, _ selection: Selection) {
        self.init(
            selection: selection, limit: parameters.limit, continueToken: parameters.continueToken,
            resourceVersion: parameters.resourceVersion, resourceVersionMatch: parameters.match)
    }
}

/// The objects of one list answer.
struct ListPage: Sendable {
    var items: [StoredObject]
    var revision: Revision
    var continueToken: String?
    /// How many objects follow; nil when a selector makes that unknown.
    var remainingItemCount: Int?
}

extension Registry {
    func get(_ target: Target) async throws(Status) -> StoredObject {
        guard let stored = store.get(target.key) else { throw .notFound(target.resource, target.name) }
        return try await served(stored, as: target.kind)
    }

    /// The keys that a list or watch can be about.
    func range(_ kind: KindSchema, namespace: String?, selection: Selection) -> KeyRange {
        let resource = kind.storeName
        let namespace = kind.resource.isNamespaced ? namespace ?? selection.exactNamespace : nil
        if let name = selection.exactName, namespace != nil || !kind.resource.isNamespaced {
            return .one(StoreKey(resource: resource, namespace: namespace, name: name))
        }
        if let namespace { return .namespace(resource: resource, namespace: namespace) }
        return .all(resource: resource)
    }

    /// How long a reader waits for a revision that is still to come.
    static let freshnessTimeout = Duration.seconds(3)

    /// Waits, not for long, until a revision has come that a reader knows from elsewhere; 504 when it does not.
    func waitUntilFresh(_ resourceVersion: String?) async throws(Status) {
        guard let wanted = try Self.revision(resourceVersion ?? ""), wanted > store.revision else { return }
        let store = store
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await store.reach(wanted) }
            group.addTask { try? await ContinuousClock().sleep(for: Self.freshnessTimeout) }
            await group.next()
            group.cancelAll()
        }
        try checkFresh(wanted)
    }

    private func checkFresh(_ wanted: Revision) throws(Status) {
        let current = store.revision
        if wanted > current { throw .tooLargeRevision(wanted.rawValue, current: current) }
    }

    /// Lists as "Retrieving large results sets in chunks" and "Resource versions in LIST" of API concepts say.
    func list(_ kind: KindSchema, namespace: String?, _ query: ListQuery) async throws(Status) -> ListPage {
        let range = range(kind, namespace: namespace, selection: query.selection)
        let start = try listStart(range, query)
        // What may be old comes from a cache in Kubernetes, which knows no pages.
        let limit = query.resourceVersion == "0" ? nil : query.limit.flatMap { $0 > 0 ? $0 : nil }
        let isFiltered = !query.selection.isEverything
        let found: StoreList
        do throws(StoreError) {
            found = try store.list(range, limit: isFiltered ? nil : limit, after: start.after, at: start.revision)
        } catch {
            throw Self.answer(to: error, isContinuing: start.after != nil, range: range, after: start.after)
        }
        let served = try await served(found.items, as: kind)
        var page = ListPage(items: isFiltered ? [] : served, revision: found.revision)
        var last = found.items.last
        var hasMore = found.hasMore
        if isFiltered {
            for (index, item) in served.enumerated() {
                guard query.selection.matches(item) else { continue }
                page.items.append(item)
                if page.items.count == limit {
                    last = found.items[index]
                    hasMore = index < found.items.count - 1
                    break
                }
            }
        } else if hasMore {
            page.remainingItemCount = found.remaining
        }
        if hasMore, let last {
            page.continueToken = ContinueToken(revision: page.revision.rawValue, after: last.key, in: range).text
        }
        return page
    }

    /// The revision at which to read (nil: the latest) and the key after which to go on.
    private func listStart(
        _ range: KeyRange, _ query: ListQuery
    ) throws(Status) -> (revision: Revision?, after: StoreKey?) {
        let text = query.resourceVersion ?? ""
        if let token = query.continueToken, !token.isEmpty, range.name == nil {
            let token = try ContinueToken(parsing: token)
            guard text.isEmpty || text == "0" else {
                throw .badRequest("specifying resource version is not allowed when using continue")
            }
            return (token.revision.map { Revision($0) }, token.key(in: range))
        }
        let match = query.resourceVersionMatch ?? ""
        // A limit without a match means a page at exactly that revision.
        let isExact = match == "Exact" || match.isEmpty && query.limit ?? 0 > 0
        let wanted: Revision?
        do throws(Status) {
            wanted = try Self.revision(text)
        } catch {
            throw isExact ? .badRequest("invalid resource version: \(error.message)") : error
        }
        guard let wanted else { return (nil, nil) }
        if isExact { return (wanted, nil) }
        try checkFresh(wanted)
        return (nil, nil)
    }

    /// A revision in a request; nil for none and for `0`, which is any.
    static func revision(_ text: String) throws(Status) -> Revision? {
        if text.isEmpty || text == "0" { return nil }
        let isNumber = text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        if isNumber, let number = UInt64(text) { return number == 0 ? nil : Revision(Int64(clamping: number)) }
        throw Status(
            code: 500, reason: "",
            message: "resourceVersion: Invalid value: \(JSONValue.string(text).text): strconv.ParseUint: parsing "
                + "\(JSONValue.string(text).text): \(isNumber ? "value out of range" : "invalid syntax")")
    }

    private static func answer(
        to error: StoreError, isContinuing: Bool, range: KeyRange, after: StoreKey?
    ) -> Status {
        switch error {
        case .compacted:
            guard isContinuing, let after else {
                return .expired("The resourceVersion for the provided list is too old.")
            }
            var status = Status.expired(
                "The provided continue parameter is too old to display a consistent list result. You can start a new "
                    + "list without the continue parameter, or use the continue token in this response to retrieve the "
                    + "remainder of the results. Continuing with the provided token results in an inconsistent list - "
                    + "objects that were created, modified, or deleted between the time the first chunk was returned "
                    + "and now may show up in the list.")
            status.continueToken = ContinueToken(revision: nil, after: after, in: range).text
            return status
        case .future:
            return Status(
                code: 500, reason: "", message: "etcdserver: mvcc: required revision is a future revision")
        default: return .internalError("\(error)")
        }
    }
}
