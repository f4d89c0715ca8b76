import CSandbox
import Glibc

/// Unpacks the tar archive of a layer into a folder, in the form in which overlayfs reads layers.
///
/// What the archive removes from lower layers (`.wh.NAME`, `.wh..wh..opq`; OCI image specification, "Layer Filesystem
/// Changeset") becomes whiteouts and opaque folders. Owners are kept by root only: an ordinary user has one id to give, so
/// that everything belongs to whom the container runs as.
struct LayerUnpacker {
    private let tree: FileTree
    private let archive: String
    private let isRoot = geteuid() == 0
    /// What folders get at the end: until then they are the unpacker's to write to.
    private var folders: [(path: [Substring], entry: TarEntry)] = []

    private init(_ tree: FileTree, archive: String) {
        self.tree = tree
        self.archive = archive
    }

    /// - Parameters:
    ///   - path: An empty folder.
    ///   - archive: For messages.
    static func unpack(_ source: any ByteSource, into path: String, archive: String) throws(ImageError) {
        let root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { throw .system("The folder '\(path)' cannot be opened", errno) }
        defer { close(root) }
        var unpacker = LayerUnpacker(FileTree(root: root), archive: archive)
        let reader = TarReader(source, name: archive)
        while let entry = try reader.next() { try unpacker.add(entry, reader) }
        unpacker.finish()
    }

    private mutating func add(_ entry: TarEntry, _ reader: TarReader) throws(ImageError) {
        let parts = try FileTree.parts(entry.path, of: archive)
        guard let last = parts.last else {
            if entry.kind == .folder { folders.append(([], entry)) }
            return
        }
        if last.hasPrefix(".wh.") { return try hide(parts) }
        if entry.kind == .device {
            // A container has the devices that are safe, whatever its image says.
            if parts.first == "dev" { return }
            throw ImageError(
                "'\(archive)' holds the device '/\(parts.joined(separator: "/"))', which no container here may have.",
                hint: "Remove it from the image.")
        }
        let (folder, name) = try tree.openParent(of: parts)
        defer { close(folder) }
        let present = FileTree.status(folder, name)
        if entry.kind == .folder { return try addFolder(entry, parts, folder, name, present) }
        if present != nil { FileTree.remove(folder, name) }
        switch entry.kind {
        case .file: try addFile(entry, reader, folder, name)
        case .link:
            guard symlinkat(entry.target, folder, name) == 0 else { throw failure(entry, errno) }
            if isRoot { fchownat(folder, name, uid_t(entry.user), gid_t(entry.group), AT_SYMLINK_NOFOLLOW) }
        case .hardLink: try addHardLink(entry, folder, name)
        case .pipe:
            guard mkfifoat(folder, name, entry.mode & 0o777) == 0 else { throw failure(entry, errno) }
        case .folder, .device: break
        }
    }

    private mutating func addFolder(
        _ entry: TarEntry, _ parts: [Substring], _ folder: Int32, _ name: String, _ present: stat?
    ) throws(ImageError) {
        var hides = false
        if let present, present.st_mode & S_IFMT != S_IFDIR {
            hides = present.st_mode & S_IFMT == S_IFCHR
            unlinkat(folder, name, 0)
        }
        guard mkdirat(folder, name, 0o755) == 0 || errno == EEXIST else { throw failure(entry, errno) }
        folders.append((parts, entry))
        guard hides else { return }
        let inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if inner >= 0 {
            vs_set_opaque(inner)
            close(inner)
        }
    }

    private func addFile(
        _ entry: TarEntry, _ reader: TarReader, _ folder: Int32, _ name: String
    ) throws(ImageError) {
        let file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(entry, errno) }
        defer { close(file) }
        while true {
            let piece = try reader.read()
            if piece.isEmpty { break }
            var written = 0
            while written < piece.count {
                let count = piece[written...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
                guard count > 0 else { throw failure(entry, errno) }
                written += count
            }
        }
        if isRoot { fchown(file, uid_t(truncatingIfNeeded: entry.user), gid_t(truncatingIfNeeded: entry.group)) }
        fchmod(file, entry.mode & 0o1777)
        let time = timespec(tv_sec: entry.modified, tv_nsec: 0)
        withUnsafePointer(to: (time, time)) { pointer in
            pointer.withMemoryRebound(to: timespec.self, capacity: 2) { _ = futimens(file, $0) }
        }
    }

    private func addHardLink(_ entry: TarEntry, _ folder: Int32, _ name: String) throws(ImageError) {
        let target = try FileTree.parts(entry.target, of: archive)
        let (from, other) = try tree.openParent(of: target)
        defer { close(from) }
        guard linkat(from, other, folder, name, 0) == 0 else {
            let number = errno
            guard number != ENOENT else {
                throw ImageError(
                    "'\(archive)' links '\(entry.path)' to '\(entry.target)', which is not in the archive.",
                    hint: "Make or fetch it anew.")
            }
            throw failure(entry, number)
        }
    }

    /// Makes a whiteout, or a folder that shows nothing of lower layers.
    private func hide(_ parts: [Substring]) throws(ImageError) {
        let (folder, name) = try tree.openParent(of: parts)
        defer { close(folder) }
        var outcome: Int32 = 0
        if name == ".wh..wh..opq" {
            outcome = vs_set_opaque(folder)
        } else if !name.hasPrefix(".wh..wh.") {
            let hidden = String(name.dropFirst(4))
            guard !hidden.isEmpty, hidden != ".", hidden != ".." else {
                throw ImageError("'\(archive)' removes '\(name)', which is no name.")
            }
            if let present = FileTree.status(folder, hidden) {
                // It hides what lower layers have, not what this one has.
                guard present.st_mode & S_IFMT == S_IFDIR else { return }
                let inner = openat(folder, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                guard inner >= 0 else { return }
                outcome = vs_set_opaque(inner)
                close(inner)
            } else {
                outcome = vs_make_whiteout(folder, hidden)
            }
        }
        guard outcome == 0 else {
            throw .system("'\(parts.joined(separator: "/"))' cannot be marked as removed on this file system", -outcome)
        }
    }

    /// Gives folders their modes and times, the innermost first.
    private func finish() {
        for (path, entry) in folders.sorted(by: { $0.path.count > $1.path.count }) {
            let folder = vs_open_inside(
                tree.root, "/" + path.joined(separator: "/"), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
            guard folder >= 0 else { continue }
            if isRoot { fchown(folder, uid_t(truncatingIfNeeded: entry.user), gid_t(truncatingIfNeeded: entry.group)) }
            fchmod(folder, entry.mode & 0o1777)
            close(folder)
        }
    }

    private func failure(_ entry: TarEntry, _ number: Int32) -> ImageError {
        .system("'\(entry.path)' of '\(archive)' cannot be unpacked", number)
    }
}
