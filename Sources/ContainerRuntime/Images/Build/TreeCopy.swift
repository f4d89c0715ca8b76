import Glibc

/// Copies parts of a view into the tree of a new layer.
struct TreeCopy {
    let view: any TreeView
    /// The new layer.
    let tree: FileTree
    /// Who owns the copies; only root can give files away.
    var owner: (user: Int, group: Int)?
    /// What becomes of the modes of files and folders; nil keeps them.
    var mode: FileMode?

    /// Copies a file or a whole folder; what is there already is written over.
    func copy(_ source: String, to target: String) throws(ImageError) {
        guard let entry = view.entry(source) else { return }
        let parts = target.split(separator: "/")
        if entry.kind == .folder {
            if !parts.isEmpty { try makeFolder(parts, mode: changed(entry.mode, isFolder: true)) }
            for name in view.names(in: source) {
                try copy(ContextView.join(source, name), to: ContextView.join(target, name))
            }
            return
        }
        let (folder, name) = try tree.openParent(of: parts)
        defer { close(folder) }
        if FileTree.status(folder, name) != nil { FileTree.remove(folder, name) }
        switch entry.kind {
        case .file: try copyFile(entry, folder, name)
        case .link:
            guard symlinkat(entry.target, folder, name) == 0 else { throw failure(source, errno) }
            own(folder, name)
        case .folder, .other: break
        }
    }

    /// Makes a folder and those above it.
    func makeFolder(_ parts: [Substring], mode: UInt32 = 0o755) throws(ImageError) {
        let (folder, name) = try tree.openParent(of: parts)
        defer { close(folder) }
        if mkdirat(folder, name, 0o700) == 0 {
            fchmodat(folder, name, (mode | 0o700) & 0o1777, 0)
            own(folder, name)
        } else if errno != EEXIST {
            throw failure(parts.joined(separator: "/"), errno)
        }
    }

    /// Makes the folders on the way to a path as they are in the image: the folder of the topmost layer is the one that counts.
    func makeFolders(to path: String, asIn image: LayerView) throws(ImageError) {
        var prefix: [Substring] = []
        for part in path.split(separator: "/") {
            prefix.append(part)
            let shown = "/" + prefix.joined(separator: "/")
            var status = stat()
            guard let entry = image.entry(shown), entry.kind == .folder, lstat(entry.location, &status) == 0 else {
                return
            }
            var copy = self
            copy.owner = (Int(status.st_uid), Int(status.st_gid))
            try copy.makeFolder(prefix, mode: entry.mode)
        }
    }

    /// Writes a file of which only the text is known.
    func write(_ text: String, to target: String) throws(ImageError) {
        let (folder, name) = try tree.openParent(of: target.split(separator: "/"))
        defer { close(folder) }
        let file = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(target, errno) }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard bytes.withUnsafeBytes({ Glibc.write(file, $0.baseAddress, $0.count) }) == bytes.count else {
            throw failure(target, errno)
        }
        fchmod(file, changed(0o644))
        own(folder, name)
    }

    private func changed(_ own: UInt32, isFolder: Bool = false) -> UInt32 {
        mode?.applied(to: own, isFolder: isFolder) ?? own
    }

    private func copyFile(_ entry: TreeEntry, _ folder: Int32, _ name: String) throws(ImageError) {
        let source = open(entry.location, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard source >= 0 else { throw failure(entry.location, errno) }
        defer { close(source) }
        let file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(entry.location, errno) }
        defer { close(file) }
        let bytes = FileBytes(source, name: entry.location)
        while true {
            let piece = try bytes.read(256 * 1024)
            if piece.isEmpty { break }
            guard piece.withUnsafeBytes({ Glibc.write(file, $0.baseAddress, $0.count) }) == piece.count else {
                throw failure(entry.location, errno)
            }
        }
        own(folder, name)
        fchmod(file, changed(entry.mode) & 0o1777)
        var status = stat()
        guard fstat(source, &status) == 0 else { return }
        withUnsafePointer(to: (status.st_mtim, status.st_mtim)) { pointer in
            pointer.withMemoryRebound(to: timespec.self, capacity: 2) { _ = futimens(file, $0) }
        }
    }

    private func own(_ folder: Int32, _ name: String) {
        guard geteuid() == 0 else { return }
        let owner = owner ?? (0, 0)
        fchownat(folder, name, uid_t(owner.user), gid_t(owner.group), AT_SYMLINK_NOFOLLOW)
    }

    private func failure(_ path: String, _ number: Int32) -> ImageError {
        .system("'\(path)' cannot be copied", number)
    }
}

/// The digest of a tree: names, kinds, modes, owners and contents; not times, so that what is alike is one layer.
struct TreeDigest {
    private var hash = ContentHash()

    /// Of a layer that was made here.
    static func of(_ root: String) throws(ImageError) -> Digest {
        var digest = TreeDigest()
        try digest.addOwned(root, "")
        return digest.hash.digest
    }

    private mutating func addOwned(_ root: String, _ path: String) throws(ImageError) {
        guard let entry = TreeEntry(root + path) else { return }
        var status = stat()
        lstat(entry.location, &status)
        hash.update(field: "\(status.st_uid):\(status.st_gid):\(status.st_mode & S_IFMT)")
        let folder = entry.kind == .folder ? open(entry.location, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1
        defer { if folder >= 0 { close(folder) } }
        try add(entry, as: path)
        guard folder >= 0 else { return }
        hash.update(field: LayerView.isOpaque(folder) ? "opaque" : "")
        for name in FileTree.names(in: folder).sorted() { try addOwned(root, "\(path)/\(name)") }
    }

    /// One file, folder or link with its content, under a name.
    mutating func add(_ entry: TreeEntry, as name: String) throws(ImageError) {
        hash.update(field: name)
        hash.update(field: "\(entry.kind) \(entry.mode)")
        switch entry.kind {
        case .link: hash.update(field: entry.target)
        case .file:
            let file = open(entry.location, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
            guard file >= 0 else { throw .system("'\(entry.location)' cannot be read", errno) }
            defer { close(file) }
            let bytes = HashedBytes(FileBytes(file, name: entry.location))
            hash.update(field: try bytes.finish().hex)
        case .folder, .other: break
        }
    }

    /// All that is at a path of a view.
    mutating func add(_ view: any TreeView, _ path: String, as name: String) throws(ImageError) {
        guard let entry = view.entry(path) else { return }
        try add(entry, as: name)
        guard entry.kind == .folder else { return }
        for inner in view.names(in: path) { try add(view, ContextView.join(path, inner), as: "\(name)/\(inner)") }
    }

    var digest: Digest { hash.digest }
}
