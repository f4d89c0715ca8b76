import Glibc
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

    /// Refuses a part that leads out of its volume: who can write to the volume can put a link there.
    ///
    /// - Parameters:
    ///   - volume: The volume's path on the node; one that is in memory only is empty there.
    ///   - place: What is mounted, for the message: `volumeMount "data" of container "main"`.
    static func check(_ path: String, in volume: String, place: String) throws(ConfigurationError) {
        guard let root = resolved(volume) else { return }
        func stays(_ path: String) -> Bool {
            resolved(path).map { $0 == root || root == "/" || $0.hasPrefix(root + "/") } ?? false
        }
        if access("\(volume)/\(path)", F_OK) == 0 {
            if !stays("\(volume)/\(path)") {
                throw ConfigurationError(message: "failed to prepare subPath for \(place)")
            }
            return
        }
        var prefix = volume
        for part in path.split(separator: "/") {
            prefix += "/\(part)"
            var status = stat()
            // From here on it is made.
            guard lstat(prefix, &status) == 0 else { return }
            if !stays(prefix) {
                throw ConfigurationError(message: "failed to create subPath directory for \(place)")
            }
        }
    }

    /// The path without links; nil for one that leads nowhere.
    private static func resolved(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
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
