import KubeModel

/// The groups of other servers among those of this one.
///
/// Source: kube-aggregator, `handler_apis.go` and `handler_discovery.go`.
enum AggregatedDiscovery {
    /// `/apis` with the groups of others, in the order of their priorities.
    static func groupList(_ own: JSONValue, _ apis: [RemoteAPI]) -> JSONValue {
        var document = own
        var groups = own["groups"]?.array ?? []
        for name in names(apis) {
            let index = groups.firstIndex { $0["name"]?.string == name }
            let group = group(name, index.map { groups[$0] }, apis)
            if let index { groups[index] = group } else { groups.append(group) }
        }
        document["groups"] = .array(sorted(groups, apis) { $0["name"]?.string ?? "" })
        return document
    }

    /// `/apis/GROUP`; nil if nobody serves it.
    static func group(_ name: String, own: JSONValue?, _ apis: [RemoteAPI]) -> JSONValue? {
        guard apis.contains(where: { $0.group == name }) else { return own }
        var value: JSONValue = ["kind": "APIGroup", "apiVersion": "v1"]
        for (member, part) in group(name, own, apis).object ?? [:] { value[member] = part }
        return value
    }

    private static func group(_ name: String, _ own: JSONValue?, _ apis: [RemoteAPI]) -> JSONValue {
        let versions = ranked(name, (own?["versions"]?.array ?? []).compactMap { $0["version"]?.string }, apis)
        let list = versions.map { version -> JSONValue in
            ["groupVersion": .string("\(name)/\(version)"), "version": .string(version)]
        }
        return ["name": .string(name), "versions": .array(list), "preferredVersion": list.first ?? [:]]
    }

    /// The `APIGroupDiscoveryList` of `/apis` with the groups of others; `resources` is what each of them serves.
    static func aggregated(
        _ own: JSONValue, _ apis: [RemoteAPI], resources: (RemoteAPI) -> JSONValue?
    ) -> JSONValue {
        var document = own
        var items = own["items"]?.array ?? []
        for name in names(apis) {
            let index = items.firstIndex { $0[["metadata", "name"]]?.string == name }
            var item: JSONValue = index.map { items[$0] } ?? ["metadata": ["name": .string(name)]]
            let present = item["versions"]?.array ?? []
            let versions = ranked(name, present.compactMap { $0["version"]?.string }, apis)
            item["versions"] = .array(
                versions.compactMap { version in
                    guard let api = apis.first(where: { ($0.group, $0.version) == (name, version) }) else {
                        return present.first { $0["version"]?.string == version }
                    }
                    return [
                        "version": .string(version),
                        "resources": .array(described(resources(api), group: name, version: version)),
                        "freshness": api.isAvailable ? "Current" : "Stale",
                    ]
                })
            if let index { items[index] = item } else { items.append(item) }
        }
        document["items"] = .array(sorted(items, apis) { $0[["metadata", "name"]]?.string ?? "" })
        return document
    }

    // MARK: Order

    private static func names(_ apis: [RemoteAPI]) -> [String] { Set(apis.map(\.group)).sorted() }

    /// The versions of a group, best first.
    private static func ranked(_ group: String, _ own: [String], _ apis: [RemoteAPI]) -> [String] {
        let remote = apis.filter { $0.group == group }
        let versions = own.filter { version in !remote.contains { $0.version == version } } + remote.map(\.version)
        func priority(_ version: String) -> Int {
            remote.first { $0.version == version }?.versionPriority
                ?? GroupOrder.priorities(group: group, version: version).version
        }
        return versions.sorted { left, right in
            let (first, second) = (priority(left), priority(right))
            return first == second ? VersionOrder.isBefore(left, right) : first > second
        }
    }

    private static func sorted(
        _ groups: [JSONValue], _ apis: [RemoteAPI], name: (JSONValue) -> String
    ) -> [JSONValue] {
        func priority(_ group: JSONValue) -> Int {
            let name = name(group)
            let highest = apis.filter { $0.group == name }.map(\.groupPriority).max()
            return highest ?? GroupOrder.priorities(group: name, version: "v1").group
        }
        return groups.enumerated().sorted { left, right in
            let (first, second) = (priority(left.element), priority(right.element))
            return first == second ? left.offset < right.offset : first > second
        }.map(\.element)
    }

    // MARK: Resources

    /// The entries of an `APIResourceList` as aggregated discovery has them, sub-resources within their resource.
    private static func described(_ list: JSONValue?, group: String, version: String) -> [JSONValue] {
        let entries = list?["resources"]?.array ?? []
        func kind(_ entry: JSONValue) -> JSONValue {
            func text(_ member: String, _ usual: String) -> JSONValue {
                .string(entry[member]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? usual)
            }
            return ["group": text("group", group), "version": text("version", version), "kind": text("kind", "")]
        }
        return entries.compactMap { entry in
            guard let name = entry["name"]?.string, !name.contains("/") else { return nil }
            var value: JSONValue = [
                "resource": .string(name), "responseKind": kind(entry),
                "scope": entry["namespaced"] == true ? "Namespaced" : "Cluster",
                "singularResource": entry["singularName"] ?? "", "verbs": entry["verbs"] ?? [],
            ]
            for member in ["shortNames", "categories"] { value[member] = entry[member] }
            let parts = entries.compactMap { part -> JSONValue? in
                guard let title = part["name"]?.string, title.hasPrefix(name + "/") else { return nil }
                return [
                    "subresource": .string(String(title.dropFirst(name.count + 1))), "responseKind": kind(part),
                    "verbs": part["verbs"] ?? [],
                ]
            }
            if !parts.isEmpty { value["subresources"] = .array(parts) }
            return value
        }
    }
}
