import KubeModel
import ObjectStore
import Synchronization

/// Role-based access control over the roles and bindings in the store (`Using RBAC Authorization`).
///
/// Roles are read once and then kept up by the store's history, asked before every decision: whoever has been told that a
/// binding is written can use it. What a user may do is worked out once for each state of the roles.
final class RoleAuthorizer: Authorizer {
    private struct State {
        var book = RoleBook()
        /// The roles are as of this revision; nil before the first reading.
        var seen: Revision?
        /// What users may do, by user and namespace (empty: everywhere).
        var known: [Key: RoleBook.Grants] = [:]
    }

    private struct Key: Hashable {
        let user: String
        let groups: [String]
        let namespace: String
    }

    /// So many users and namespaces are remembered; then all are forgotten.
    private static let knownMax = 4096

    private let store: ObjectStore
    private let state = Mutex(State())

    init(store: ObjectStore) { self.store = store }

    func decide(_ user: UserInfo, _ info: RequestInfo) -> Decision {
        if user.isPrivileged { return .privileged }
        var errors: [String] = []
        let asNode = NodeRights.decide(user, info, pods: pods)
        if let asNode, asNode.isAllowed { return asNode }
        for namespace in info.namespace.isEmpty ? [""] : ["", info.namespace] {
            let grants = grants(user, namespace: namespace)
            if let grant = grants.grants.first(where: { $0.rule.allows(info) }) {
                return Decision(isAllowed: true, reason: "RBAC: allowed by \(grant.source)")
            }
            errors += grants.errors
        }
        guard !errors.isEmpty else { return asNode ?? Decision(isAllowed: false) }
        var seen: Set<String> = []
        errors = errors.filter { seen.insert($0).inserted }
        return Decision(
            isAllowed: false,
            reason: "RBAC: " + (errors.count == 1 ? errors[0] : "[\(errors.joined(separator: ", "))]"))
    }

    private func pods(in namespace: String) -> [Pod] {
        let range = KeyRange.namespace(resource: ResourceType.pods.qualifiedPlural, namespace: namespace)
        return ((try? store.list(range))?.items ?? []).map { Pod($0.object) }
    }

    /// Everything that a user may do: everywhere, and in a namespace if one is given.
    func rules(_ user: UserInfo, namespace: String) -> (rules: [PolicyRule], errors: [String]) {
        var all = grants(user, namespace: "")
        if !namespace.isEmpty {
            let local = grants(user, namespace: namespace)
            all.grants += local.grants
            all.errors += local.errors
        }
        return (all.rules, all.errors)
    }

    /// The rules of the role that a binding names; nil if there is none.
    func rules(kind: String, name: String, namespace: String) -> [PolicyRule]? {
        refreshed { $0.book.rules(kind: kind, name: name, namespace: namespace) }
    }

    private func grants(_ user: UserInfo, namespace: String) -> RoleBook.Grants {
        let key = Key(user: user.name, groups: user.groups, namespace: namespace)
        return refreshed { state in
            if let known = state.known[key] { return known }
            let grants = namespace.isEmpty ? state.book.clusterGrants(user) : state.book.grants(user, in: namespace)
            if state.known.count >= Self.knownMax { state.known = [:] }
            state.known[key] = grants
            return grants
        }
    }

    /// Lock order: this one, then the store's.
    private func refreshed<Result: Sendable>(_ use: (inout State) -> Result) -> Result {
        state.withLock { state in
            if state.seen != store.revision { refresh(&state) }
            return use(&state)
        }
    }

    private func refresh(_ state: inout State) {
        guard let seen = state.seen else { return readAll(&state) }
        var newest: Revision?
        for resource in RoleBook.resources {
            guard let found = try? store.presentEvents(after: seen, in: .all(resource: resource)) else {
                return readAll(&state)
            }
            for event in found.events {
                state.book.note(event.object.object, of: resource, isGone: event.kind == .deleted)
                state.known = [:]
            }
            // Each was read at its own moment; what came in between is read again next time.
            newest = min(newest ?? found.upTo, found.upTo)
        }
        state.seen = newest
    }

    private func readAll(_ state: inout State) {
        var book = RoleBook()
        var oldest: Revision?
        for resource in RoleBook.resources {
            guard let page = try? store.list(.all(resource: resource)) else { continue }
            for item in page.items { book.note(item.object, of: resource) }
            oldest = min(oldest ?? page.revision, page.revision)
        }
        state.book = book
        state.known = [:]
        state.seen = oldest
    }
}
