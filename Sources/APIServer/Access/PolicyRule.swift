import KubeModel

/// One rule of a role: these verbs on these things.
struct PolicyRule: Sendable, Hashable {
    var verbs: [String] = []
    var apiGroups: [String] = []
    var resources: [String] = []
    var resourceNames: [String] = []
    var nonResourceURLs: [String] = []

    /// Everything.
    static let all = [
        PolicyRule(verbs: ["*"], apiGroups: ["*"], resources: ["*"]), PolicyRule(verbs: ["*"], nonResourceURLs: ["*"]),
    ]

    func allows(_ info: RequestInfo) -> Bool {
        guard Self.has(verbs, info.verb) else { return false }
        guard info.isResourceRequest else {
            return nonResourceURLs.contains { Self.matches(url: $0, info.path) }
        }
        return Self.has(apiGroups, info.apiGroup)
            && resources.contains { Self.matches(resource: $0, info) }
            && (resourceNames.isEmpty || resourceNames.contains(info.name))
    }

    private static func has(_ list: [String], _ wanted: String) -> Bool {
        list.contains { $0 == "*" || $0 == wanted }
    }

    private static func matches(resource rule: String, _ info: RequestInfo) -> Bool {
        if rule == "*" { return true }
        if info.subresource.isEmpty { return rule == info.resource }
        guard let slash = rule.utf8.firstIndex(of: UInt8(ascii: "/")) else { return false }
        guard rule[rule.index(after: slash)...] == info.subresource else { return false }
        return rule[..<slash] == "*" || rule[..<slash] == info.resource
    }

    private static func matches(url rule: String, _ path: String) -> Bool {
        if rule == "*" || rule == path { return true }
        guard rule.hasSuffix("*") else { return false }
        return path.hasPrefix(String(rule.prefix { $0 != "*" }))
    }
}

// MARK: Objects

extension PolicyRule {
    init(_ value: JSONValue) {
        func texts(_ member: String) -> [String] { value[member]?.array?.compactMap(\.string) ?? [] }
        self.init(
            verbs: texts("verbs"), apiGroups: texts("apiGroups"), resources: texts("resources"),
            resourceNames: texts("resourceNames"), nonResourceURLs: texts("nonResourceURLs"))
    }

    /// The rules of a Role or ClusterRole.
    static func rules(of role: KubeObject) -> [PolicyRule] { (role.value["rules"]?.array ?? []).map(PolicyRule.init) }

    var value: JSONValue {
        var value: JSONValue = [:]
        let members = [
            ("apiGroups", apiGroups), ("nonResourceURLs", nonResourceURLs), ("resourceNames", resourceNames),
            ("resources", resources),
        ]
        for (name, texts) in members where !texts.isEmpty { value[name] = .array(texts.map(JSONValue.string)) }
        value["verbs"] = .array(verbs.map(JSONValue.string))
        return value
    }
}

// MARK: Comparing

extension PolicyRule {
    /// The smallest rules that together say the same.
    var parts: [PolicyRule] {
        var parts: [PolicyRule] = []
        for group in apiGroups {
            for resource in resources {
                for verb in verbs {
                    let part = PolicyRule(verbs: [verb], apiGroups: [group], resources: [resource])
                    if resourceNames.isEmpty { parts.append(part) }
                    for name in resourceNames {
                        var named = part
                        named.resourceNames = [name]
                        parts.append(named)
                    }
                }
            }
        }
        for url in nonResourceURLs {
            for verb in verbs { parts.append(PolicyRule(verbs: [verb], nonResourceURLs: [url])) }
        }
        return parts
    }

    /// Whether everything that `part` allows is allowed by this rule, too.
    func covers(_ part: PolicyRule) -> Bool {
        Self.hasAll(verbs, part.verbs) && Self.hasAll(apiGroups, part.apiGroups)
            && part.resources.allSatisfy { coversResource($0) }
            && (resourceNames.isEmpty
                || !part.resourceNames.isEmpty && part.resourceNames.allSatisfy(resourceNames.contains))
            && part.nonResourceURLs.allSatisfy { path in nonResourceURLs.contains { Self.matches(url: $0, path) } }
    }

    private static func hasAll(_ list: [String], _ wanted: [String]) -> Bool {
        list.contains("*") || wanted.allSatisfy(list.contains)
    }

    private func coversResource(_ resource: String) -> Bool {
        if resources.contains("*") || resources.contains(resource) { return true }
        guard let slash = resource.firstIndex(of: "/") else { return false }
        return resources.contains("*" + resource[slash...])
    }

    /// The parts of `wanted` that no rule of `held` covers, those of the same thing put together again.
    static func missing(_ wanted: [PolicyRule], from held: [PolicyRule]) -> [PolicyRule] {
        var missing: [PolicyRule] = []
        for part in wanted.flatMap(\.parts) where !held.contains(where: { $0.covers(part) }) {
            let same = missing.firstIndex { other in
                other.apiGroups == part.apiGroups && other.resources == part.resources
                    && other.resourceNames == part.resourceNames && part.nonResourceURLs.isEmpty
                    && other.nonResourceURLs.isEmpty
            }
            if let same {
                if !missing[same].verbs.contains(part.verbs[0]) { missing[same].verbs += part.verbs }
            } else {
                missing.append(part)
            }
        }
        return missing
    }

    /// For example `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`.
    var text: String {
        let members = [
            ("APIGroups", apiGroups), ("Resources", resources), ("NonResourceURLs", nonResourceURLs),
            ("ResourceNames", resourceNames), ("Verbs", verbs),
        ]
        let shown = members.filter { !$0.1.isEmpty }.map { "\($0.0):\(GoText.list($0.1))" }
        return "{\(shown.joined(separator: ", "))}"
    }
}

extension GoText {
    /// A list of texts as `%q` prints it: `["a" "b"]`.
    static func list(_ texts: [String]) -> String { "[\(texts.map(quote).joined(separator: " "))]" }
}
