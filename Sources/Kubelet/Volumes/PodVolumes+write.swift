import ContainerRuntime
import Glibc
import KubeModel

/// Writing the files of a volume so that a program sees all of the old ones or all of the new ones.
extension PodVolumes {
    /// Makes `files`, by their paths in the volume, what is in it; nothing happens if they are.
    ///
    /// - Parameter group: The group that is to read them, if the pod names one.
    func write(_ files: [String: VolumeFile], to path: String, group: Int? = nil) throws(ConfigurationError) {
        let files = files.filter { name, _ in
            let parts = name.split(separator: "/")
            return !parts.isEmpty && !parts.contains("..")
        }
        guard !holds(files, path, group) else { return }
        let before = link(at: "\(path)/..data")
        let version = "..\(Timestamp.now.nanoseconds)"
        try makeDirectory("\(path)/\(version)")
        for (name, file) in files {
            let parts = name.split(separator: "/").map(String.init)
            if parts.count > 1 { try makeDirectory("\(path)/\(version)/\(parts.dropLast().joined(separator: "/"))") }
            try writeFile(file, "\(path)/\(version)/\(name)", group: group)
            symlink("..data/\(parts[0])", "\(path)/\(parts[0])")
        }
        unlink("\(path)/..data_tmp")
        symlink(version, "\(path)/..data_tmp")
        rename("\(path)/..data_tmp", "\(path)/..data")
        let wanted = topNames(files)
        for name in Folder.names(in: path) where !name.hasPrefix("..") && !wanted.contains(name) {
            unlink("\(path)/\(name)")
        }
        if let before, before.hasPrefix(".."), !before.contains("/") { Folder.remove("\(path)/\(before)") }
    }

    private func topNames(_ files: [String: VolumeFile]) -> Set<String> {
        Set(files.keys.compactMap { $0.split(separator: "/").first.map(String.init) })
    }

    private func holds(_ files: [String: VolumeFile], _ path: String, _ group: Int?) -> Bool {
        guard access("\(path)/..data", F_OK) == 0 else { return false }
        guard count(in: "\(path)/..data/") == files.count else { return false }
        return files.allSatisfy { name, file in
            contents(of: "\(path)/..data/\(name)") == file.bytes
                && mode(of: "\(path)/..data/\(name)") == file.permissions(group: group)
        }
    }

    private func mode(of path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
    }

    func contents(of path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = read(file, &chunk, chunk.count)
            guard count > 0 else { return count == 0 ? bytes : nil }
            bytes += chunk[..<count]
        }
    }

    private func link(at path: String) -> String? {
        var target = [CChar](repeating: 0, count: 512)
        let count = readlink(path, &target, target.count - 1)
        guard count > 0 else { return nil }
        return String(decoding: target.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// How many files there are, in folders as well.
    private func count(in path: String) -> Int {
        Folder.names(in: path).reduce(0) { $0 + (Folder.exists("\(path)/\($1)") ? count(in: "\(path)/\($1)") : 1) }
    }
}

/// One file of a volume.
struct VolumeFile: Sendable, Hashable {
    var bytes: [UInt8]
    /// The permissions that the manifest asks for; nil for the usual ones, 0644.
    var mode: Int?
    /// The user that it is to belong to; nil for the kubelet's.
    var owner: Int?

    /// The permissions as they are: a group that is named can read.
    func permissions(group: Int?) -> mode_t { mode_t(mode ?? 0o644) & 0o7777 | (group == nil ? 0 : 0o440) }
}
