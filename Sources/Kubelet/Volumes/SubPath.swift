import KubeModel

/// The part of a volume that a container sees: `subPath` or `subPathExpr` of its mount.
///
/// Source: Kubernetes docs, "Volumes", "Using subPath".
enum SubPath {
    /// The path in the volume; empty for all of it.
    static func path(
        of mount: JSONValue, _ environment: ContainerEnvironment
    ) throws(ConfigurationError) -> String {
        var path = mount["subPath"]?.string ?? ""
        if let expression = mount["subPathExpr"]?.string, !expression.isEmpty {
            path = environment.expand(expression)
            if let missing = missingName(in: expression, environment) {
                throw ConfigurationError(message: "missing value for \"\(missing)\"")
            }
        }
        if path.hasPrefix("/") {
            throw ConfigurationError(message: "error SubPath `\(path)` must not be an absolute path")
        }
        if path.split(separator: "/").contains("..") {
            throw ConfigurationError(message: "unable to provision SubPath `\(path)`: must not contain '..'")
        }
        if path.contains("`") {
            throw ConfigurationError(message: "unable to provision SubPath \"\(path)\": must not contain '`'")
        }
        return path
    }

    /// The first variable of an expression that the container does not have; `$$(NAME)` is none.
    private static func missingName(in expression: String, _ environment: ContainerEnvironment) -> String? {
        for part in expression.replacing("$$", with: "").split(separator: "$(", omittingEmptySubsequences: false)
            .dropFirst()
        {
            guard let end = part.firstIndex(of: ")") else { continue }
            let name = String(part[..<end])
            if environment[name] == nil { return name }
        }
        return nil
    }
}
