import Glibc

/// The folders behind volumes that the cluster makes itself, on the machine it runs on.
public struct VolumeFolders: Sendable {
    /// The name of the provisioner in storage classes.
    static let provisioner = "velocitylab.dev/host-path"

    private let directory: String
    private let removeForeign: @Sendable (String) -> Bool

    /// Keeps volumes under `directory`, which is made when the first one is.
    ///
    /// - Parameter removeForeign: Removes a folder in which programs have left what this user cannot remove; true if it is gone.
    public init(directory: String, removeForeign: @escaping @Sendable (String) -> Bool = { _ in false }) {
        self.directory = directory
        self.removeForeign = removeForeign
    }

    struct Failure: Error, CustomStringConvertible { let description: String }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// Makes a folder in which every user of every pod can write; one that is there is kept with its content.
    func make(_ name: String) throws(Failure) {
        mkdir(directory, 0o755)
        let path = path(name)
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw Self.failure(path) }
        guard chmod(path, 0o777) == 0 else { throw Self.failure(path) }
    }

    /// Removes a folder with all that is in it; one that is gone is fine.
    func remove(_ name: String) throws(Failure) {
        do throws(Failure) { try Self.removeTree(path(name)) } catch {
            guard removeForeign(path(name)) else { throw error }
        }
    }

    private static func removeTree(_ path: String) throws(Failure) {
        var information = stat()
        guard lstat(path, &information) == 0 else {
            if errno == ENOENT { return }
            throw failure(path)
        }
        guard information.st_mode & S_IFMT == S_IFDIR else {
            guard unlink(path) == 0 || errno == ENOENT else { throw failure(path) }
            return
        }
        guard let stream = opendir(path) else { throw failure(path) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        closedir(stream)
        for name in names { try removeTree("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw failure(path) }
    }

    private static func failure(_ path: String) -> Failure {
        Failure(description: "\(path): \(String(cString: strerror(errno)))")
    }
}
