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

/// The objects of one list answer.
struct ListPage: Sendable {
    var items: [StoredObject]
    var revision: Revision
    var continueToken: String?
    /// How many objects follow; nil when a selector makes that unknown.
    var remainingItemCount: Int?
}

extension Registry {
    func get(_ target: Target) throws(Status) -> StoredObject {
        guard let stored = store.get(target.key) else { throw .notFound(target.resource, target.name) }
        return target.kind.served(stored)
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

    /// Lists as "Retrieving large results sets in chunks" and "Resource versions in LIST" of API concepts say.
    func list(_ kind: KindSchema, namespace: String?, _ query: ListQuery) throws(Status) -> ListPage {
        let range = range(kind, namespace: namespace, selection: query.selection)
        let start = try listStart(kind, query)
        let limit = query.limit.flatMap { $0 > 0 ? $0 : nil }
        var page = ListPage(items: [], revision: start.revision ?? store.revision)
        var after = start.after
        var revision = start.revision
        var hasMore = true
        while hasMore {
            let found: (items: [StoredObject], revision: Revision, hasMore: Bool)
            do throws(StoreError) {
                // With a selector a page of the store may hold few matches, so it is read until enough are found.
                found = try store.list(range, limit: limit, after: after, at: revision)
            } catch {
                throw query.continueToken == nil ? .answer(to: error, kind.resource) : Self.tokenAnswer(to: error)
            }
            revision = found.revision
            page.revision = found.revision
            hasMore = found.hasMore
            for item in found.items {
                let item = kind.served(item)
                guard query.selection.matches(item.object) else { continue }
                page.items.append(item)
                after = item.key
                if let limit, page.items.count == limit {
                    let isLast = item.key == found.items.last?.key && !found.hasMore
                    if !isLast { try close(&page, kind, range, query) }
                    return page
                }
            }
            after = found.items.last?.key ?? after
            if limit == nil { hasMore = false }
        }
        return page
    }

    private func close(
        _ page: inout ListPage, _ kind: KindSchema, _ range: KeyRange, _ query: ListQuery
    ) throws(Status) {
        guard let last = page.items.last else { return }
        page.continueToken =
            ContinueToken(
                revision: page.revision.rawValue, namespace: last.object.namespace, name: last.object.name
            ).text
        guard query.selection.isEverything else { return }
        do throws(StoreError) {
            page.remainingItemCount =
                try store.list(range, limit: nil, after: last.key, at: page.revision).items.count
        } catch {
            throw .answer(to: error, kind.resource)
        }
    }

    /// The revision at which to read (nil: the latest) and the key after which to go on.
    private func listStart(
        _ kind: KindSchema, _ query: ListQuery
    ) throws(Status) -> (revision: Revision?, after: StoreKey?) {
        let wanted = query.resourceVersion ?? ""
        if let text = query.continueToken, !text.isEmpty {
            guard wanted.isEmpty || wanted == "0" else {
                throw .badRequest("specifying resource version is not allowed when using continue")
            }
            guard let token = ContinueToken(parsing: text) else {
                throw .badRequest("continue key is not valid: the token was not given by this server")
            }
            let key = StoreKey(
                resource: kind.storeName, namespace: token.namespace, name: token.name)
            return (Revision(token.revision), key)
        }
        if let match = query.resourceVersionMatch, !["NotOlderThan", "Exact"].contains(match) {
            throw .badRequest("resourceVersionMatch: Unsupported value: \"\(match)\"")
        }
        guard !wanted.isEmpty, wanted != "0" else { return (nil, nil) }
        let revision = try checkedRevision(wanted)
        return query.resourceVersionMatch == "Exact" ? (revision, nil) : (nil, nil)
    }

    /// A revision that the server has reached; 400 for other text, 504 for the future.
    func checkedRevision(_ text: String) throws(Status) -> Revision {
        guard let number = Int64(text), number >= 0 else {
            throw .badRequest("invalid resource version: strconv.ParseUint: parsing \"\(text)\": invalid syntax")
        }
        let current = store.revision
        guard number <= current.rawValue else { throw .tooLargeRevision(number, current: current) }
        return Revision(number)
    }

    private static func tokenAnswer(to error: StoreError) -> Status {
        if case .compacted = error {
            return .expired(
                "The provided continue parameter is too old to display a consistent list result. "
                    + "You must start a new list without the continue parameter.")
        }
        return .internalError("\(error)")
    }
}
