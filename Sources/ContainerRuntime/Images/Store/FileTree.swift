import CSandbox
import Glibc

/// A tree of files, reached by descriptors so that no link in it leads out of it.
struct FileTree {
    /// The open root.
    let root: Int32

    /// Opens the folder of an entry's path, which is made where it is missing, and gives the name in it.
    ///
    /// - Returns: A descriptor, which is the caller's to close, and the last part of the path.
    func openParent(of path: [Substring]) throws(ImageError) -> (folder: Int32, name: String) {
        let shown = path.joined(separator: "/")
        guard let name = path.last else { throw ImageError("The archive names its own root where a file should be.") }
        let above = "/" + path.dropLast().joined(separator: "/")
        let folder = above == "/" ? vs_open_inside(root, "/", O_RDONLY | O_DIRECTORY, 0) : Self.made(root, above)
        guard folder >= 0 else { throw .system("'\(shown)' cannot be unpacked", -folder) }
        return (folder, String(name))
    }

    /// A descriptor to read from, where `vs_make_inside` gives one that only names.
    private static func made(_ root: Int32, _ path: String) -> Int32 {
        let place = vs_make_inside(root, path, true)
        guard place >= 0 else { return place }
        close(place)
        return vs_open_inside(root, path, O_RDONLY | O_DIRECTORY, 0)
    }

    /// The parts of an archive's path; a path that leads out of its tree is refused.
    static func parts(_ path: String, of archive: String) throws(ImageError) -> [Substring] {
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard !parts.contains(".."), !path.utf8.contains(0) else {
            throw ImageError(
                "'\(archive)' holds the path '\(path)', which leads out of the image.",
                hint: "Do not trust this archive; get the image from somebody else.")
        }
        return parts
    }

    static func status(_ folder: Int32, _ name: String) -> stat? {
        var information = stat()
        return fstatat(folder, name, &information, AT_SYMLINK_NOFOLLOW) == 0 ? information : nil
    }

    static func names(in folder: Int32) -> [String] {
        let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Removes what is under a name, a whole tree if it is one; links are removed, not followed.
    static func remove(_ folder: Int32, _ name: String) {
        guard unlinkat(folder, name, 0) != 0, errno == EISDIR || errno == EPERM else { return }
        // Layers hold folders that even their owner may not write to.
        fchmodat(folder, name, 0o700, 0)
        let inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if inner >= 0 {
            for name in names(in: inner) { remove(inner, name) }
            close(inner)
        }
        unlinkat(folder, name, AT_REMOVEDIR)
    }

    static func remove(_ path: String) { remove(AT_FDCWD, path) }

    /// The bytes of all files in a tree; a file with several names counts once.
    static func size(_ path: String) -> Int64 {
        var seen: Set<ino_t> = []
        func count(_ folder: Int32) -> Int64 {
            var total: Int64 = 0
            for name in names(in: folder) {
                guard let status = status(folder, name) else { continue }
                if status.st_mode & S_IFMT == S_IFDIR {
                    let inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                    if inner >= 0 {
                        total += count(inner)
                        close(inner)
                    }
                } else if status.st_mode & S_IFMT == S_IFREG,
                    status.st_nlink == 1 || seen.insert(status.st_ino).inserted
                {
                    total += Int64(status.st_size)
                }
            }
            return total
        }
        let root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { return 0 }
        defer { close(root) }
        return count(root)
    }
}
