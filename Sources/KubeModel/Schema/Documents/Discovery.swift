/// The documents by which clients learn what the server serves.
public enum Discovery {
    /// The `APIGroupDiscoveryList` of `/api` (core) or `/apis` (all groups).
    public static func aggregated(_ catalog: KindCatalog, isCore: Bool) -> JSONValue {
        let groups = groups(catalog).filter { $0.name.isEmpty == isCore }
        let items = groups.map { group -> JSONValue in
            let versions = group.versions.map { version -> JSONValue in
                let kinds = catalog.kinds.filter { $0.resource.group == group.name && $0.resource.version == version }
                return [
                    "version": .string(version), "resources": .array(kinds.map(aggregatedResource)),
                    "freshness": "Current",
                ]
            }
            let metadata: JSONValue = group.name.isEmpty ? [:] : ["name": .string(group.name)]
            return ["metadata": metadata, "versions": .array(versions)]
        }
        return [
            "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": [:],
            "items": .array(items),
        ]
    }

    /// The media type of `aggregated`.
    public static let aggregatedMediaType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

    /// `/api` for clients that do not know the aggregated form.
    public static func apiVersions(serverAddress: String) -> JSONValue {
        [
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": .string(serverAddress)]],
        ]
    }

    /// `/apis` for clients that do not know the aggregated form.
    public static func groupList(_ catalog: KindCatalog) -> JSONValue {
        let items = groups(catalog).filter { !$0.name.isEmpty }.map { describe($0) }
        return ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(items)]
    }

    /// `/apis/GROUP`; nil if there is no such group.
    public static func group(_ name: String, catalog: KindCatalog) -> JSONValue? {
        guard !name.isEmpty, let group = groups(catalog).first(where: { $0.name == name }) else { return nil }
        var value: JSONValue = ["kind": "APIGroup", "apiVersion": "v1"]
        for (key, member) in describe(group).object ?? [:] { value[key] = member }
        return value
    }

    /// `/api/v1` or `/apis/GROUP/VERSION`; nil if nothing is served there.
    public static func resourceList(group: String, version: String, catalog: KindCatalog) -> JSONValue? {
        let kinds = catalog.kinds.filter { $0.resource.group == group && $0.resource.version == version }
        guard let first = kinds.first else { return nil }
        return [
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(first.resource.apiVersion),
            "resources": .array(kinds.flatMap(plainResources)),
        ]
    }

    // MARK: Parts

    private struct Group {
        let name: String
        var versions: [String]
    }

    private static func groups(_ catalog: KindCatalog) -> [Group] {
        var groups: [Group] = []
        for kind in catalog.kinds {
            if let index = groups.firstIndex(where: { $0.name == kind.resource.group }) {
                if !groups[index].versions.contains(kind.resource.version) {
                    groups[index].versions.append(kind.resource.version)
                }
            } else {
                groups.append(Group(name: kind.resource.group, versions: [kind.resource.version]))
            }
        }
        for index in groups.indices { groups[index].versions.sort(by: VersionOrder.isBefore) }
        return groups.enumerated().sorted { left, right in
            let ranks = (rank(left.element.name), rank(right.element.name))
            if ranks.0 != ranks.1 { return ranks.0 < ranks.1 }
            // Custom groups by name; the built-in ones are all in the table.
            return left.element.name < right.element.name
        }.map(\.element)
    }

    /// The place of a group among all others, as the priorities of Kubernetes' own API services order them.
    private static func rank(_ group: String) -> Int {
        GroupOrder.builtIn.firstIndex(of: group) ?? GroupOrder.builtIn.count
    }

    private static func describe(_ group: Group) -> JSONValue {
        let versions = group.versions.map { version -> JSONValue in
            ["groupVersion": .string("\(group.name)/\(version)"), "version": .string(version)]
        }
        return [
            "name": .string(group.name), "versions": .array(versions), "preferredVersion": versions.first ?? [:],
        ]
    }

    private static func groupVersionKind(_ resource: ResourceType) -> JSONValue {
        ["group": .string(resource.group), "version": .string(resource.version), "kind": .string(resource.kind)]
    }

    private static func strings(_ list: [String]) -> JSONValue { .array(list.map(JSONValue.string)) }

    private static func aggregatedResource(_ kind: KindSchema) -> JSONValue {
        let resource = kind.resource
        var value: JSONValue = [
            "resource": .string(resource.plural), "responseKind": groupVersionKind(resource),
            "scope": resource.isNamespaced ? "Namespaced" : "Cluster", "singularResource": .string(kind.singular),
            "verbs": strings(kind.verbs),
        ]
        if !kind.shortNames.isEmpty { value["shortNames"] = strings(kind.shortNames) }
        if !kind.categories.isEmpty { value["categories"] = strings(kind.categories) }
        if !kind.subresources.isEmpty {
            value["subresources"] = .array(
                kind.subresources.map { name in
                    let subresource = Subresource(name, of: kind)
                    return [
                        "subresource": .string(name), "responseKind": groupVersionKind(subresource.response),
                        "verbs": strings(subresource.verbs),
                    ]
                })
        }
        return value
    }

    private static func plainResources(_ kind: KindSchema) -> [JSONValue] {
        let resource = kind.resource
        var value: JSONValue = [
            "name": .string(resource.plural), "singularName": .string(kind.singular),
            "namespaced": .bool(resource.isNamespaced), "kind": .string(resource.kind), "verbs": strings(kind.verbs),
        ]
        if !kind.shortNames.isEmpty { value["shortNames"] = strings(kind.shortNames) }
        if !kind.categories.isEmpty { value["categories"] = strings(kind.categories) }
        return [value]
            + kind.subresources.map { name in
                let subresource = Subresource(name, of: kind)
                var value: JSONValue = [
                    "name": .string("\(resource.plural)/\(name)"), "singularName": "",
                    "namespaced": .bool(resource.isNamespaced),
                ]
                if subresource.response != resource {
                    value["group"] = .string(subresource.response.group)
                    value["version"] = .string(subresource.response.version)
                }
                value["kind"] = .string(subresource.response.kind)
                value["verbs"] = strings(subresource.verbs)
                return value
            }
    }

    /// What a sub-resource speaks and what can be done with it.
    private struct Subresource {
        let response: ResourceType
        let verbs: [String]

        init(_ name: String, of kind: KindSchema) {
            func other(_ group: String, _ version: String, _ kindName: String) -> ResourceType {
                ResourceType(group: group, version: version, kind: kindName, plural: kind.resource.plural)
            }
            switch name {
            case "scale":
                response = other("autoscaling", "v1", "Scale")
                verbs = ["get", "patch", "update"]
            case "eviction":
                response = other("policy", "v1", "Eviction")
                verbs = ["create"]
            case "binding":
                response = other("", "v1", "Binding")
                verbs = ["create"]
            case "token":
                response = other("authentication.k8s.io", "v1", "TokenRequest")
                verbs = ["create"]
            case "log":
                response = kind.resource
                verbs = ["get"]
            case "exec", "attach", "portforward":
                response = other(
                    "", "v1", "Pod\(name == "exec" ? "Exec" : name == "attach" ? "Attach" : "PortForward")Options")
                verbs = ["create", "get"]
            case "proxy":
                response = other("", "v1", "\(kind.resource.kind)ProxyOptions")
                verbs = ["create", "delete", "get", "patch", "update"]
            case "finalize":
                response = kind.resource
                verbs = ["update"]
            default:
                response = kind.resource
                verbs = ["get", "patch", "update"]
            }
        }
    }
}
