public import ContainerRuntime
import Glibc

/// Where this program keeps what it knows: `$VELOCITY_HOME`, else `$XDG_STATE_HOME/velocitylab`, else `~/.local/state/velocitylab`.
public struct VelocityHome: Sendable, Hashable {
    public let path: String

    public init(path: String) { self.path = path }

    /// - Parameter environment: The variables of the process.
    public init(environment: [String: String]) throws(ClusterError) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let path = value("VELOCITY_HOME") {
            self.path = path.hasPrefix("/") ? path : Self.workingDirectory + "/" + path
        } else if let state = value("XDG_STATE_HOME") {
            path = state + "/velocitylab"
        } else if let home = value("HOME") {
            path = home + "/.local/state/velocitylab"
        } else {
            throw ClusterError(
                "There is no place to keep progress: neither VELOCITY_HOME nor HOME is set.",
                hint: "Set VELOCITY_HOME to a folder of yours.")
        }
    }

    private static var workingDirectory: String {
        guard let pointer = getcwd(nil, 0) else { return "." }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    public var progressFile: String { path + "/progress.sqlite" }

    /// The images that were loaded or built: all clusters share them.
    public var images: ImageStore { ImageStore(path: path + "/images") }

    public func cluster(_ name: String) -> ClusterDirectory {
        ClusterDirectory(name: name, path: "\(path)/clusters/\(name)")
    }

    /// The names of all clusters, in order.
    public var clusterNames: [String] {
        Folder.names(in: path + "/clusters").filter { name in
            Directory.exists(cluster(name).storeFile)
        }.sorted()
    }

    /// Makes the folder, and sees to it that it can be written.
    public func prepare() throws(ClusterError) {
        try Directory.make(path)
        guard access(path, W_OK) == 0 else {
            throw ClusterError(
                "The folder '\(path)' cannot be written: \(Directory.reason(errno)).",
                hint: "Make it yours (chown), or set VELOCITY_HOME to another folder.")
        }
    }
}

/// The files of one cluster.
public struct ClusterDirectory: Sendable, Hashable {
    public let name: String
    public let path: String

    /// The home that the cluster is in: `HOME/clusters/NAME`.
    var home: VelocityHome {
        VelocityHome(path: "/" + path.split(separator: "/").dropLast(2).joined(separator: "/"))
    }

    public var storeFile: String { path + "/store.sqlite" }
    public var kubeconfigFile: String { path + "/kubeconfig" }
    public var pkiDirectory: String { path + "/pki" }
    public var logFile: String { path + "/logs/cluster.log" }
    /// Who asked the API for what, as `audit.k8s.io/v1` events, one a line.
    public var auditFile: String { path + "/logs/audit.log" }
    public var runDirectory: String { path + "/run" }
    /// Locked for as long as the cluster's process lives; holds its process id.
    public var lockFile: String { runDirectory + "/cluster.lock" }
    /// What the running process says of itself, as JSON.
    public var stateFile: String { runDirectory + "/state.json" }
    public var settingsFile: String { path + "/settings.json" }

    /// Removes all the cluster holds; its process must not run.
    public func delete() throws(ClusterError) {
        do throws(ClusterError) { try Directory.remove(path) } catch {
            // Pods may have left what only their users can remove.
            guard UserRanges.removeFolder(path) else { throw error }
        }
    }

    public func prepare() throws(ClusterError) {
        for folder in [path, path + "/logs", runDirectory, pkiDirectory, path + "/pods"] { try Directory.make(folder) }
    }
}

/// Folders and small files, with errors that name the place.
enum Directory {
    static func reason(_ number: Int32) -> String { String(cString: strerror(number)) }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Makes a folder (mode 0700) and those above it.
    static func make(_ path: String) throws(ClusterError) {
        var prefix = ""
        for part in path.split(separator: "/") {
            prefix += "/" + part
            guard mkdir(prefix, 0o700) != 0 else { continue }
            var number = errno
            // A folder that exists is fine, whatever the answer was: on a read-only file system it is EROFS.
            var information = stat()
            if stat(prefix, &information) == 0 {
                if information.st_mode & S_IFMT == S_IFDIR { continue }
                number = ENOTDIR
            }
            throw ClusterError(
                "The folder '\(prefix)' cannot be made: \(reason(number)).",
                hint: number == ENOSPC
                    ? "Free some space on this disk, or set VELOCITY_HOME to a folder on another one."
                    : "Set VELOCITY_HOME to a folder that you can write to.")
        }
    }

    /// Removes a folder and all in it; what is not there is fine.
    ///
    /// Symbolic links are removed, not followed.
    static func remove(_ path: String) throws(ClusterError) {
        var information = stat()
        guard lstat(path, &information) == 0 else { return }
        if information.st_mode & S_IFMT == S_IFDIR {
            for entry in Folder.names(in: path) { try remove(path + "/" + entry) }
        }
        guard Glibc.remove(path) == 0 || errno == ENOENT else {
            throw ClusterError(
                "'\(path)' cannot be removed: \(reason(errno)).", hint: "See who owns it: ls -ld '\(path)'")
        }
    }

    static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return count == 0 ? bytes : nil }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Writes a file whole or not at all, readable by its owner only.
    static func write(_ bytes: [UInt8], to path: String) throws(ClusterError) {
        let temporary = "\(path).\(getpid()).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path, errno) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                let number = errno
                close(descriptor)
                unlink(temporary)
                throw failure(path, number)
            }
            written += count
        }
        close(descriptor)
        guard rename(temporary, path) == 0 else {
            let number = errno
            unlink(temporary)
            throw failure(path, number)
        }
    }

    private static func failure(_ path: String, _ number: Int32) -> ClusterError {
        ClusterError(
            "The file '\(path)' cannot be written: \(reason(number)).",
            hint: number == ENOSPC
                ? "Free some space on this disk, or set VELOCITY_HOME to a folder on another one."
                : "Set VELOCITY_HOME to a folder that you can write to.")
    }
}
