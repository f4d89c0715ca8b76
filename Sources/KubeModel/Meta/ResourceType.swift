/// The identity of a kind of object: where it lives in the API and what it is called.
public struct ResourceType: Sendable, Hashable {
    /// The API group; empty for the core group.
    public let group: String
    public let version: String
    public let kind: String
    /// The plural name used in URLs, for example `deployments`.
    public let plural: String
    public let isNamespaced: Bool

    public init(group: String, version: String, kind: String, plural: String, isNamespaced: Bool = true) {
        self.group = group
        self.version = version
        self.kind = kind
        self.plural = plural
        self.isNamespaced = isNamespaced
    }

    /// `v1` for the core group, otherwise `apps/v1`.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// `deployments.apps`, or `pods` in the core group, as error messages name it.
    public var qualifiedPlural: String { group.isEmpty ? plural : "\(plural).\(group)" }

    /// The URL path of the collection, or of one object in it.
    public func path(namespace: String? = nil, name: String? = nil, subresource: String? = nil) -> String {
        var path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        if isNamespaced, let namespace { path += "/namespaces/\(namespace)" }
        path += "/\(plural)"
        if let name { path += "/\(name)" }
        if let subresource { path += "/\(subresource)" }
        return path
    }
}

extension ResourceType {
    private static func core(_ kind: String, _ plural: String, isNamespaced: Bool = true) -> ResourceType {
        ResourceType(group: "", version: "v1", kind: kind, plural: plural, isNamespaced: isNamespaced)
    }

    public static let namespaces = core("Namespace", "namespaces", isNamespaced: false)
    public static let nodes = core("Node", "nodes", isNamespaced: false)
    public static let pods = core("Pod", "pods")
    public static let services = core("Service", "services")
    public static let endpoints = core("Endpoints", "endpoints")
    public static let configMaps = core("ConfigMap", "configmaps")
    public static let secrets = core("Secret", "secrets")
    public static let events = core("Event", "events")
    public static let serviceAccounts = core("ServiceAccount", "serviceaccounts")
    public static let deployments = ResourceType(
        group: "apps", version: "v1", kind: "Deployment", plural: "deployments")
    public static let replicaSets = ResourceType(
        group: "apps", version: "v1", kind: "ReplicaSet", plural: "replicasets")
    public static let endpointSlices = ResourceType(
        group: "discovery.k8s.io", version: "v1", kind: "EndpointSlice", plural: "endpointslices")
    public static let leases = ResourceType(
        group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases")
}
