import Foundation

/// What a cluster has made on this machine, to be looked for when it is gone.
struct Leftovers: Sendable {
    private let namespaces: Set<String>
    private let folder: String

    /// - Parameters:
    ///   - family: The processes of the cluster.
    ///   - folder: Where it keeps its files.
    init(of family: [Int32], in folder: String) {
        let own = Self.namespaces(of: "self")
        namespaces = family.reduce(into: []) { $0.formUnion(Self.namespaces(of: "\($1)").subtracting(own)) }
        self.folder = folder
    }

    /// Processes in the cluster's namespaces, mounts and sockets in its folder, and what is left of its files.
    var found: [String] {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let alive = processes.filter { Int32($0) != nil && !Self.namespaces(of: $0).isDisjoint(with: namespaces) }
        let files = (try? FileManager.default.subpathsOfDirectory(atPath: folder + "/clusters")) ?? []
        return alive.map { "process \($0) \(Self.name(of: Int32($0) ?? 0))" }
            + Self.lines("/proc/self/mountinfo", containing: folder).map { "mount \($0)" }
            + Self.lines("/proc/net/unix", containing: folder).map { "socket \($0)" } + files.map { "file \($0)" }
    }

    static func name(of process: Int32) -> String {
        lines("/proc/\(process)/comm", containing: "").first ?? ""
    }

    private static func namespaces(of process: String) -> Set<String> {
        let kinds = ["user", "net", "pid", "mnt", "uts", "ipc"]
        return Set(
            kinds.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/\($0)") }
        )
    }

    private static func lines(_ path: String, containing text: String) -> [String] {
        let all = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return all.split(separator: "\n").map(String.init).filter { text.isEmpty || $0.contains(text) }
    }
}
