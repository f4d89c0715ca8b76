import KubeModel

/// What the judges need to know of the kinds that they look at. They read plain JSON, so that an object of any cluster
/// will do.
extension KubeObject {
    /// `status.conditions` of that type is `True`.
    func hasCondition(_ type: String) -> Bool { condition(type)?["status"]?.string == "True" }

    func condition(_ type: String) -> JSONValue? {
        value[["status", "conditions"]]?.array?.first { $0["type"]?.string == type }
    }

    /// For pods: ready, and not on its way out.
    var isReadyPod: Bool { hasCondition("Ready") && !isBeingDeleted }

    /// For pods: neither going nor done.
    var isActivePod: Bool {
        let phase = value[["status", "phase"]]?.string
        return !isBeingDeleted && phase != "Failed" && phase != "Succeeded"
    }

    var containerStatuses: [JSONValue] { value[["status", "containerStatuses"]]?.array ?? [] }
    var containers: [JSONValue] { value[["spec", "containers"]]?.array ?? [] }

    func container(_ name: String) -> JSONValue? { containers.first { $0["name"]?.string == name } }

    /// The pod was made by the checker itself.
    var isProbe: Bool { labels[ProbePod.label] != nil }

    /// `app=web, version=1.0`, without the labels that controllers add.
    var labelText: String {
        labels.filter { $0.key != "pod-template-hash" }.sorted { $0.key < $1.key }
            .map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }

    /// `pods/default/web-1`, as evidence names an object.
    func path(_ resource: ResourceType) -> String {
        [resource.plural, namespace, name].compactMap { $0 }.joined(separator: "/")
    }
}

extension ResourceType {
    /// The kind that a course means by its name.
    static func ofKind(_ kind: String, apiVersion: String? = nil) -> ResourceType? {
        if let apiVersion, let exact = KindCatalog.builtIn.kind(apiVersion: apiVersion, kind: kind) {
            return exact.resource
        }
        return KindCatalog.builtIn.kinds.first { $0.resource.kind == kind }?.resource
            ?? wellKnown.first { $0.kind == kind }
    }

    private static let wellKnown: [ResourceType] = [
        .namespaces, .nodes, .pods, .services, .endpoints, .configMaps, .secrets, .events, .serviceAccounts,
        .deployments, .replicaSets, .endpointSlices, .leases,
    ]
}
