/// What a path of the API names.
enum Route: Equatable {
    case health
    case version
    /// `/api` and `/apis`.
    case core, groups
    /// `/apis/GROUP`
    case group(String)
    case resourceList(group: String, version: String)
    case openAPIv2, openAPIv3Index
    case openAPIv3(group: String, version: String)
    case resource(ResourcePath)
    case unknown

    init(path: String) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: true).map { PercentCoding.decode(String($0)) }
        guard !parts.contains("") else {
            self = .unknown
            return
        }
        let first = parts.isEmpty ? "" : parts.removeFirst()
        switch (first, parts.count) {
        case ("healthz", _), ("livez", _), ("readyz", _): self = .health
        case ("version", 0): self = .version
        case ("openapi", 1) where parts[0] == "v2": self = .openAPIv2
        case ("openapi", 1) where parts[0] == "v3": self = .openAPIv3Index
        case ("openapi", 3) where parts[0] == "v3" && parts[1] == "api":
            self = .openAPIv3(group: "", version: parts[2])
        case ("openapi", 4) where parts[0] == "v3" && parts[1] == "apis":
            self = .openAPIv3(group: parts[2], version: parts[3])
        case ("api", 0): self = .core
        case ("api", 1): self = .resourceList(group: "", version: parts[0])
        case ("api", _):
            self = ResourcePath(group: "", version: parts[0], parts.dropFirst()).map(Route.resource) ?? .unknown
        case ("apis", 0): self = .groups
        case ("apis", 1): self = .group(parts[0])
        case ("apis", 2): self = .resourceList(group: parts[0], version: parts[1])
        case ("apis", _):
            self =
                ResourcePath(group: parts[0], version: parts[1], parts.dropFirst(2)).map(Route.resource) ?? .unknown
        default: self = .unknown
        }
    }

    /// Whose server answers: those of a group and version; nil for what is nobody's in particular.
    var groupVersion: (group: String, version: String)? {
        switch self {
        case .resourceList(let group, let version): (group, version)
        case .resource(let path): (path.group, path.version)
        default: nil
        }
    }

    /// Whether the path answers people who have not said who they are.
    var isPublic: Bool { self == .health || self == .version }
}

/// A collection, an object, or a sub-resource of one.
struct ResourcePath: Equatable {
    let group: String
    let version: String
    let plural: String
    let namespace: String?
    let name: String?
    let subresource: String?

    /// Reads what follows the version: `[namespaces/NS/]PLURAL[/NAME[/SUBRESOURCE]]`, with any path after `proxy`.
    init?(group: String, version: String, _ parts: ArraySlice<String>) {
        self.group = group
        self.version = version
        var parts = Array(parts)
        // `/api/v1/namespaces/NS` and its sub-resources are about the namespace itself.
        let ofNamespace = group.isEmpty && parts.count == 3 && ["status", "finalize"].contains(parts[2])
        if parts.first == "namespaces", parts.count >= 3, !ofNamespace {
            namespace = parts[1]
            parts.removeFirst(2)
        } else {
            namespace = nil
        }
        // What follows `proxy` is somebody else's path.
        guard (1...3).contains(parts.count) || parts.count > 3 && parts[2] == "proxy" else { return nil }
        plural = parts[0]
        name = parts.count > 1 ? parts[1] : nil
        subresource = parts.count > 2 ? parts[2] : nil
    }
}
