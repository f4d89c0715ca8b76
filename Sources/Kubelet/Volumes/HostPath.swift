import Glibc
import KubeModel

/// A path of the node that a pod asks for, and what it says must be there.
///
/// Source: Kubernetes docs, "hostPath volume types".
struct HostPath: Sendable {
    let path: String
    private let type: String

    /// - Parameter source: The volume's `hostPath`; nil if it names no path.
    init?(_ source: JSONValue?) {
        guard let path = source?["path"]?.string else { return nil }
        self.path = path
        type = source?["type"]?.string ?? ""
    }

    /// Makes what is to be made.
    ///
    /// - Returns: Why the path is not what the pod asks for, as the kubelet says it; nil if all is well.
    func obstacle() -> String? {
        switch type {
        case "DirectoryOrCreate": Self.type(of: path) == nil ? makeDirectory() : mismatch("Directory", "directory")
        case "Directory": mismatch("Directory", "directory")
        case "FileOrCreate": Self.type(of: path) == nil ? makeFile() : mismatch("File", "file")
        case "File": mismatch("File", "file")
        case "Socket": mismatch("Socket", "socket file")
        case "CharDevice": mismatch("CharDevice", "character device")
        case "BlockDevice": mismatch("BlockDevice", "block device")
        // Nothing is asked for: what is missing becomes a folder, as container runtimes make it.
        default: Self.type(of: path) == nil ? makeDirectory() : nil
        }
    }

    private func mismatch(_ wanted: String, _ description: String) -> String? {
        guard let found = Self.type(of: path) else { return "hostPath \(path) doesn't exist" }
        return found == wanted ? nil : "hostPath type check failed: \(path) is not a \(description), it's a \(found)"
    }

    /// What is there, links followed; nil for nothing.
    private static func type(of path: String) -> String? {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        return switch information.st_mode & S_IFMT {
        case S_IFDIR: "Directory"
        case S_IFREG: "File"
        case S_IFSOCK: "Socket"
        case S_IFCHR: "CharDevice"
        case S_IFBLK: "BlockDevice"
        default: ""
        }
    }

    private func makeDirectory() -> String? {
        var prefix = ""
        for part in path.split(separator: "/") {
            prefix += "/\(part)"
            guard mkdir(prefix, 0o755) != 0, errno != EEXIST, access(prefix, F_OK) != 0 else { continue }
            return "mkdir \(prefix): \(String(cString: strerror(errno)).lowercased())"
        }
        return nil
    }

    private func makeFile() -> String? {
        let file = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { return "open \(path): \(String(cString: strerror(errno)).lowercased())" }
        close(file)
        return nil
    }
}
