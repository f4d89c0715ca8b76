import Glibc

/// Folders of this machine, by their paths.
package enum Folder {
    package struct Failure: Error {
        /// An errno.
        package let number: Int32
    }

    /// Makes a folder, and those above it that are missing.
    package static func make(_ path: String) throws(Failure) {
        guard mkdir(path, 0o755) != 0, errno != EEXIST else { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw Failure(number: errno)
        }
        try make(String(path[..<slash]))
        guard mkdir(path, 0o755) != 0, errno != EEXIST else { return }
        throw Failure(number: errno)
    }

    package static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Whether there is a folder, and not a link to one.
    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Removes a folder with all that is in it; what cannot be removed stays.
    package static func remove(_ path: String) {
        // Programs may have taken the right to do so away.
        chmod(path, 0o700)
        for name in names(in: path) {
            let inside = "\(path)/\(name)"
            if exists(inside) { remove(inside) } else { unlink(inside) }
        }
        rmdir(path)
    }
}
