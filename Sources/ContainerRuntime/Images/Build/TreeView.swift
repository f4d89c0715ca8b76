import CSandbox
import Glibc

/// Files that can be copied into an image: a build's context, or what an image looks like from within.
protocol TreeView {
    /// What is at a path (`/app/main.py`), whose last part is not followed if it is a link; nil where nothing is.
    func entry(_ path: String) -> TreeEntry?

    /// The names in a folder, in order.
    func names(in path: String) -> [String]
}

/// A file, folder or link of a view.
struct TreeEntry: Sendable, Hashable {
    enum Kind: Sendable, Hashable { case file, folder, link, other }

    var kind: Kind
    /// Where it is on this machine.
    var location: String
    var mode: UInt32

    init?(_ location: String) {
        var status = stat()
        guard lstat(location, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .folder
        case S_IFLNK: kind = .link
        default: kind = .other
        }
        mode = status.st_mode & 0o7777
        self.location = location
    }

    /// Where a link leads.
    var target: String {
        var buffer = [CChar](repeating: 0, count: 4097)
        let count = max(0, readlink(location, &buffer, 4096))
        return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension TreeView {
    /// The path without links: each part that is one is replaced by where it leads, which is never outside of the view.
    func resolve(_ path: String) -> String {
        var rest = path.split(separator: "/").map(String.init)
        var done: [String] = []
        var links = 0
        while !rest.isEmpty {
            let part = rest.removeFirst()
            if part == "." { continue }
            if part == ".." {
                _ = done.popLast()
                continue
            }
            if let entry = entry("/" + (done + [part]).joined(separator: "/")), entry.kind == .link, links < 40 {
                links += 1
                let target = entry.target
                if target.hasPrefix("/") { done = [] }
                rest = target.split(separator: "/").map(String.init) + rest
            } else {
                done.append(part)
            }
        }
        return "/" + done.joined(separator: "/")
    }

    /// The path joined with a name.
    static func join(_ path: String, _ name: String) -> String { path == "/" ? "/" + name : path + "/" + name }
}

/// The context of a build: a folder, without what `.dockerignore` names.
struct ContextView: TreeView {
    let root: String
    let ignore: IgnoreList

    func entry(_ path: String) -> TreeEntry? {
        if path != "/", ignore.ignores(path) {
            // A folder that is ignored may hold something that is not.
            guard ignore.hasExceptions, let entry = TreeEntry(root + path), entry.kind == .folder,
                !names(in: path).isEmpty
            else { return nil }
            return entry
        }
        return TreeEntry(root + path)
    }

    func names(in path: String) -> [String] {
        let folder = open(root + path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return [] }
        defer { close(folder) }
        return FileTree.names(in: folder).filter { entry(Self.join(path, $0)) != nil }.sorted()
    }
}

/// An image from within: its layers, and below them the host's system where it was built on that.
struct LayerView: TreeView {
    /// The folders of the layers, the topmost first.
    let trees: [String]
    let hasSystem: Bool

    init(_ config: ImageConfig, in store: ImageStore) {
        trees = config.layers.reversed().map(store.tree)
        hasSystem = config.base != nil
    }

    private enum Sight {
        case nothing, hidden
        case found(TreeEntry)
    }

    private func look(_ path: String, in tree: String) -> Sight {
        var prefix = tree
        var isHidden = false
        for part in path.split(separator: "/") {
            prefix += "/" + part
            guard let entry = TreeEntry(prefix) else { return isHidden ? .hidden : .nothing }
            if entry.kind == .other, Self.isWhiteout(prefix) { return .hidden }
            if entry.kind != .folder, prefix.utf8.count < tree.utf8.count + path.utf8.count { return .hidden }
            if entry.kind == .folder, Self.isOpaque(prefix) { isHidden = true }
        }
        return TreeEntry(prefix).map { .found($0) } ?? .nothing
    }

    func entry(_ path: String) -> TreeEntry? {
        for tree in trees {
            switch look(path, in: tree) {
            case .nothing: continue
            case .hidden: return nil
            case .found(let entry): return entry
            }
        }
        if path == "/" { return TreeEntry("/") }
        return hasSystem && Self.isOfSystem(path) ? TreeEntry(path) : nil
    }

    func names(in path: String) -> [String] {
        var found: Set<String> = []
        let places = trees.map { ($0, $0 + path) } + (hasSystem && Self.isOfSystem(path) ? [("", path)] : [])
        for (tree, place) in places {
            if !tree.isEmpty, case .hidden = look(path, in: tree) { break }
            let folder = open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard folder >= 0 else { continue }
            found.formUnion(FileTree.names(in: folder))
            let isOpaque = vs_is_opaque(folder)
            close(folder)
            if isOpaque { break }
        }
        return found.filter { entry(Self.join(path, $0)) != nil }.sorted()
    }

    /// What containers see of the host.
    private static func isOfSystem(_ path: String) -> Bool {
        let first = path.split(separator: "/").first.map(String.init) ?? ""
        if ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"].contains(first) { return true }
        return [
            "/tmp", "/run", "/var/tmp", "/var/log", "/var/lib", "/var/cache", "/root", "/home", "/srv", "/mnt", "/var",
            "/etc",
        ]
        .contains(path) || path.hasPrefix("/etc/ssl/certs") || path.hasPrefix("/etc/nginx")
    }

    static func isWhiteout(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR && status.st_rdev == 0
    }

    static func isOpaque(_ folder: Int32) -> Bool { vs_is_opaque(folder) }

    private static func isOpaque(_ path: String) -> Bool {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { return false }
        defer { close(folder) }
        return vs_is_opaque(folder)
    }
}
