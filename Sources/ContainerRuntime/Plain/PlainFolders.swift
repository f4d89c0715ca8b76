import Glibc
import Synchronization

/// The folders in which containers of level `plain` find their volumes and files, under the folder that `plaind` made.
final class PlainFolders: Sendable {
    /// Set once `plaind` has said it; no container starts before.
    let root = Mutex("")
    private let known = Mutex<[String: PlainPaths]>([:])

    func paths(of container: String) -> PlainPaths {
        known.withLock { $0[container] } ?? PlainPaths(root: "")
    }

    /// Links volumes and writes files into the container's folder, and points its arguments and environment there.
    func adapt(_ launch: SandboxRuntime.Launch) throws(RuntimeError) -> SandboxRuntime.Launch {
        guard launch.layers == nil else {
            throw .system(
                "an image that was loaded or built needs a root of its own, which level 'plain' does not have; `velocity doctor`"
                    + " says how to get the level 'sandbox'")
        }
        let home = "\(root.withLock { $0 })/\(launch.container)"
        let paths = PlainPaths(root: home, targets: launch.mounts.map(\.containerPath) + launch.files.map(\.path))
        var adapted = launch
        try Self.makeFolder(home)
        let volumes = launch.mounts.filter { !$0.hostPath.isEmpty }
        for mount in launch.mounts where !volumes.contains(where: { $0.containerPath == mount.containerPath }) {
            try Self.makeFolder(home + mount.containerPath)
        }
        for mount in volumes {
            try Self.makeFolder(Self.parent(of: home + mount.containerPath))
            unlink(home + mount.containerPath)
            let source = mount.subPath.isEmpty ? mount.hostPath : "\(mount.hostPath)/\(mount.subPath)"
            if access(source, F_OK) != 0, !mount.subPath.isEmpty { try Self.makeFolder(source) }
            guard symlink(source, home + mount.containerPath) == 0 else {
                let reason = String(cString: strerror(errno))
                throw .system("the volume at '\(mount.containerPath)' cannot be linked: \(reason)")
            }
        }
        for file in launch.files { try Self.write(paths.rewrite(file.content), to: home + file.path) }
        adapted.mounts = []
        adapted.files = []
        adapted.arguments = launch.arguments.map(paths.rewrite)
        adapted.environment = environment(launch, paths)
        adapted.workingDirectory = try Self.workingDirectory(launch.workingDirectory, paths)
        known.withLock { $0[launch.container] = paths }
        return adapted
    }

    /// Removes the pod's folders; links are removed, never followed.
    func remove(_ podUID: String) {
        known.withLock { known in known = known.filter { !$0.key.hasPrefix(podUID + "/") } }
        let root = root.withLock { $0 }
        if !root.isEmpty, !podUID.isEmpty, !podUID.contains("..") { Folder.remove("\(root)/\(podUID)") }
    }

    /// Removes what `plaind` has left where it was killed.
    func removeAll() {
        let root = root.withLock { $0 }
        if !root.isEmpty { Folder.remove(root) }
    }

    /// Without a resolv.conf of its own, a program gets the search list by glibc's variables; its questions are redirected anyway.
    private func environment(_ launch: SandboxRuntime.Launch, _ paths: PlainPaths) -> [String] {
        var environment = launch.environment.map { entry in
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return entry }
            let value = String(parts[1])
            return "\(parts[0])=\(parts[0] == "PATH" ? paths.rewriteSearchPath(value) : paths.rewrite(value))"
        }
        let lines = launch.pod.resolverConfiguration.split(separator: "\n")
        for (prefix, name) in [("search ", "LOCALDOMAIN"), ("options ", "RES_OPTIONS")] {
            guard let line = lines.first(where: { $0.hasPrefix(prefix) }) else { continue }
            environment.append("\(name)=\(line.dropFirst(prefix.count))")
        }
        for (name, value) in [
            ("HOSTNAME", launch.pod.hostName), ("VELOCITY_ROOT", paths.root),
            // What programs keep there goes with the container, and is not the person's own.
            ("HOME", paths.root),
        ]
        where !environment.contains(where: { $0.hasPrefix(name + "=") }) {
            environment.append("\(name)=\(value)")
        }
        return environment
    }

    private static func workingDirectory(_ path: String, _ paths: PlainPaths) throws(RuntimeError) -> String {
        let rewritten = paths.rewrite(path)
        if rewritten != path || path.isEmpty || access(path, X_OK) == 0 { return rewritten }
        try makeFolder(paths.root + path)
        return paths.root + path
    }

    private static func parent(of path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    private static func makeFolder(_ path: String) throws(RuntimeError) {
        do throws(Folder.Failure) { try Folder.make(path) } catch {
            throw .system("the folder '\(path)' cannot be made: \(String(cString: strerror(error.number)))")
        }
    }

    private static func write(_ text: String, to path: String) throws(RuntimeError) {
        try makeFolder(parent(of: path))
        guard let file = fopen(path, "we") else {
            throw .system("the file '\(path)' cannot be written: \(String(cString: strerror(errno)))")
        }
        fputs(text, file)
        guard fclose(file) == 0 else {
            throw .system("the file '\(path)' cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}
