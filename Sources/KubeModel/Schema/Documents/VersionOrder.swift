/// The order of versions of a group: the one that clients prefer comes first.
///
/// Source: Kubernetes docs, "Versions in CustomResourceDefinitions", version priority.
public enum VersionOrder {
    private enum Stage: Int, Comparable {
        case stable = 0
        case beta = 1
        case alpha = 2
        case other = 3

        static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
    }

    /// Stable before beta before alpha, within each the higher number first, everything else by name at the end.
    public static func isBefore(_ left: String, _ right: String) -> Bool {
        let (one, two) = (parse(left), parse(right))
        if one.stage != two.stage { return one.stage < two.stage }
        if one.stage == .other { return left < right }
        if one.major != two.major { return one.major > two.major }
        return one.minor > two.minor
    }

    private static func parse(_ text: String) -> (stage: Stage, major: Int, minor: Int) {
        let other = (stage: Stage.other, major: 0, minor: 0)
        guard text.first == "v" else { return other }
        let rest = text.dropFirst()
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard let major = Int(digits), major > 0 else { return other }
        let stage = rest.dropFirst(digits.count)
        if stage.isEmpty { return (.stable, major, 0) }
        for (word, value) in [("alpha", Stage.alpha), ("beta", Stage.beta)] where stage.hasPrefix(word) {
            guard let minor = Int(stage.dropFirst(word.count)), minor > 0 else { return other }
            return (value, major, minor)
        }
        return other
    }
}

/// The order of the groups that are built in.
public enum GroupOrder {
    static let builtIn = [
        "", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io",
        "autoscaling", "batch", "certificates.k8s.io", "networking.k8s.io", "policy", "rbac.authorization.k8s.io",
        "storage.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io",
        "coordination.k8s.io", "node.k8s.io", "discovery.k8s.io", "flowcontrol.apiserver.k8s.io",
    ]

    /// What an APIService says of the place of its group and version: higher comes first.
    public static func priorities(group: String, version: String) -> (group: Int, version: Int) {
        guard let index = builtIn.firstIndex(of: group) else {
            return group == "metrics.k8s.io" ? (100, 100) : (1000, 100)
        }
        let isOlderAutoscaling = group == "autoscaling" && version == "v1"
        return (group.isEmpty ? 18000 : 17900 - index * 50, isOlderAutoscaling ? 15 : group.isEmpty ? 1 : 15)
    }
}
