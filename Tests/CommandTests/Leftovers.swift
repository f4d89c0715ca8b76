import Foundation

/// What a cluster has made on this machine, to be looked for when it is gone.
final class Leftovers: Sendable {
    private let namespaces: Set<String>
    private let folder: String
    /// The namespaces, held open: the kernel would give their numbers to others otherwise.
    private let handles: [FileHandle]

    /// - Parameters:
    ///   - family: The processes of the cluster.
    ///   - folder: Where it keeps its files.
    init(of family: [Int32], in folder: String) {
        let own = Self.namespaces(of: "self")
        var places: [String: String] = [:]
        for process in family {
            for (namespace, place) in Self.namespaces(of: "\(process)") where own[namespace] == nil {
                places[namespace] = place
            }
        }
        namespaces = Set(places.keys)
        handles = places.values.compactMap(FileHandle.init(forReadingAtPath:))
        self.folder = folder
    }

    /// Processes in the cluster's namespaces, mounts and sockets in its folder, and what is left of its files.
    var found: [String] {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let alive = processes.filter { Int32($0) != nil && !namespaces.isDisjoint(with: Self.namespaces(of: $0).keys) }
        let files = (try? FileManager.default.subpathsOfDirectory(atPath: folder + "/clusters")) ?? []
        return alive.map { "process \($0) \(Self.name(of: Int32($0) ?? 0))" }
            + Self.lines("/proc/self/mountinfo", containing: folder).map { "mount \($0)" }
            + Self.lines("/proc/net/unix", containing: folder).map { "socket \($0)" } + files.map { "file \($0)" }
    }

    static func name(of process: Int32) -> String {
        lines("/proc/\(process)/comm", containing: "").first ?? ""
    }

    /// The namespaces of a process, and where they can be opened; none for one that has ended and is not yet waited for.
    private static func namespaces(of process: String) -> [String: String] {
        var places: [String: String] = [:]
        for kind in ["user", "net", "pid", "mnt", "uts", "ipc"] {
            let place = "/proc/\(process)/ns/\(kind)"
            guard let name = try? FileManager.default.destinationOfSymbolicLink(atPath: place) else { continue }
            places[name] = place
        }
        // The dead keep their user's namespace, and have no files.
        return places.keys.contains { $0.hasPrefix("mnt:") } ? places : [:]
    }

    private static func lines(_ path: String, containing text: String) -> [String] {
        let all = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return all.split(separator: "\n").map(String.init).filter { text.isEmpty || $0.contains(text) }
    }
}
