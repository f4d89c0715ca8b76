import KubeModel

/// What a request is about, as far as rules look at it.
struct RequestedResource: Sendable, Hashable {
    let operation: AdmissionRequest.Operation
    let group: String
    let version: String
    /// The plural, for example `pods`.
    let resource: String
    /// Empty for the object itself.
    let subresource: String
    /// Empty for objects of the cluster; a namespace is in itself.
    let namespace: String
}

/// Which requests a rule of a policy or a webhook names (`RuleWithOperations`).
///
/// Source: apiserver, `admission/plugin/webhook/predicates/rules`.
struct ResourceRule: Sendable {
    private let operations: [String]
    private let groups: [String]
    private let versions: [String]
    private let resources: [(resource: Substring, subresource: Substring)]
    private let scope: String

    init(_ value: JSONValue) {
        func texts(_ member: String) -> [String] { (value[member]?.array ?? []).compactMap(\.string) }
        operations = texts("operations")
        groups = texts("apiGroups")
        versions = texts("apiVersions")
        resources = texts("resources").map { text in
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
        scope = value["scope"]?.string ?? "*"
    }

    func matches(_ wanted: RequestedResource) -> Bool {
        isIn(scope: wanted) && Self.has(operations, wanted.operation.rawValue) && Self.has(groups, wanted.group)
            && Self.has(versions, wanted.version)
            && resources.contains { resource, subresource in
                (resource == "*" || resource == wanted.resource)
                    && (subresource == "*" || subresource == wanted.subresource)
            }
    }

    private static func has(_ values: [String], _ wanted: String) -> Bool {
        values.contains { $0 == "*" || $0 == wanted }
    }

    /// Namespaces are objects of the cluster, although their requests name a namespace.
    private func isIn(scope wanted: RequestedResource) -> Bool {
        let isOfCluster = wanted.namespace.isEmpty || (wanted.group.isEmpty && wanted.resource == "namespaces")
        switch scope {
        case "Namespaced": return !isOfCluster
        case "Cluster": return isOfCluster
        default: return true
        }
    }
}
