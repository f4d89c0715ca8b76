import Glibc

/// What a step of a build changes: overlayfs's upper folders, one for the root and one for each part of the host's system.
///
/// They are made and mounted by `layers.c`, and become the tree of a layer.
struct BuildChanges {
    let path: String
    /// The host's system is below the image's layers.
    let system: Bool

    private var isRoot: Bool { geteuid() == 0 }

    /// Makes the folders, and puts into them what a step needs to be able to write.
    func prepare(_ layers: ImageCatalog.Layers) throws(ImageError) {
        try ImageStore.makeFolders([path, path + "/tools"])
        try writeTools()
        guard system else { return }
        try ImageStore.makeFolders([path + "/+", upper("+"), path + "/+usr", upper("+usr")])
        for (name, text) in SystemFiles.accounts where layers.find(name) == nil {
            try ImageStore.makeFolders([upper("+") + "/etc"])
            try Self.write(text, to: upper("+") + name)
        }
        // Folders of the host's root are nobody's to an ordinary user, unless a folder of that name lies above them.
        guard !isRoot else { return }
        for name in ["", "/bin", "/sbin", "/lib", "/share", "/include"] {
            try ImageStore.makeFolders([upper("+usr") + name])
        }
        copyFolders("/usr/local", to: upper("+usr") + "/local", depth: 6)
    }

    private func upper(_ name: String) -> String { "\(path)/\(name)/upper" }

    private func copyFolders(_ source: String, to target: String, depth: Int) {
        guard mkdir(target, 0o755) == 0 || errno == EEXIST, depth > 0 else { return }
        let folder = open(source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { return }
        defer { close(folder) }
        for name in FileTree.names(in: folder) where name != "node_modules" {
            guard let status = FileTree.status(folder, name), status.st_mode & S_IFMT == S_IFDIR else { continue }
            copyFolders("\(source)/\(name)", to: "\(target)/\(name)", depth: depth - 1)
        }
    }

    /// Makes one tree of all; what was only put there for the step is left out.
    ///
    /// - Parameter placed: The pod's own files, whose places are not the image's, and what else is not to be kept if it is empty.
    func collect(into tree: String, placed: [String]) throws(ImageError) {
        rmdir(tree)
        guard rename(upper("+"), tree) == 0 else { throw .system("the changes of a step cannot be kept", errno) }
        chmod(tree, 0o755)
        for (name, text) in SystemFiles.accounts
        where ImageStore.contents(tree + name) == Array(text.utf8) { unlink(tree + name) }
        for name in placed {
            var status = stat()
            if lstat(tree + name, &status) == 0, status.st_size == 0 { unlink(tree + name) }
            rmdir(tree + name)
        }
        for name in ["/dev", "/proc", "/opt/velocitylab"] { FileTree.remove(tree + name) }
        for name in ["/opt", "/etc/velocitylab", "/etc"] { rmdir(tree + name) }
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        defer { close(folder) }
        for name in FileTree.names(in: folder).sorted() where name.hasPrefix("+") && name != "+" {
            let source = upper(name)
            Self.removeEmptyFolders(source)
            guard access(source, F_OK) == 0 else { continue }
            let parts = name.dropFirst().split(separator: "+")
            var target = tree
            for part in parts.dropLast() {
                target += "/" + part
                try ImageStore.makeFolders([target])
            }
            target += "/" + (parts.last ?? "")
            rmdir(target)
            guard rename(source, target) == 0 else { throw .system("the changes of a step cannot be kept", errno) }
        }
    }

    /// Removes folders that hold nothing, the innermost first, and leaves those that hide something.
    private static func removeEmptyFolders(_ path: String) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { return }
        for name in FileTree.names(in: folder) {
            if let status = FileTree.status(folder, name), status.st_mode & S_IFMT == S_IFDIR {
                removeEmptyFolders(path + "/" + name)
            }
        }
        let isOpaque = LayerView.isOpaque(folder)
        close(folder)
        if !isOpaque { rmdir(path) }
    }

    // MARK: Tools

    static let toolFolder = "/opt/velocitylab/build"

    var tools: [ContainerConfiguration.Mount] {
        [.init(hostPath: ImageStore.withoutLinks(path + "/tools"), containerPath: Self.toolFolder, isReadOnly: true)]
    }

    /// The environment of a step: our tools first, and no waiting for a network that is not there.
    func environment(_ own: [String]) -> [String] {
        var environment = own
        let search = own.first { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? SystemFiles.path[...]
        environment.removeAll { $0.hasPrefix("PATH=") }
        environment.append("PATH=\(Self.toolFolder):\(search)")
        let defaults = [
            "HOME=/root", "PIP_BREAK_SYSTEM_PACKAGES=1", "PIP_ROOT_USER_ACTION=ignore", "PIP_RETRIES=0",
            "PIP_DISABLE_PIP_VERSION_CHECK=1", "npm_config_fetch_retries=0", "DEBIAN_FRONTEND=noninteractive",
        ]
        for entry in defaults {
            let name = entry.prefix { $0 != "=" } + "="
            if !environment.contains(where: { $0.hasPrefix(name) }) { environment.append(entry) }
        }
        return environment
    }

    private func writeTools() throws(ImageError) {
        let folder = path + "/tools/"
        try Self.write(AccountTool.script, to: folder + "useradd")
        chmod(folder + "useradd", 0o755)
        for name in ["adduser", "groupadd", "addgroup"] { link(folder + "useradd", folder + name) }
        guard !isRoot else { return }
        // One id is all that an ordinary user can give: everything belongs to whom the container runs as anyway.
        try Self.write("#!/bin/sh\nexit 0\n", to: folder + "chown")
        chmod(folder + "chown", 0o755)
        link(folder + "chown", folder + "chgrp")
    }

    private static func write(_ text: String, to path: String) throws(ImageError) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .system("'\(path)' cannot be written", errno) }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard bytes.withUnsafeBytes({ Glibc.write(file, $0.baseAddress, $0.count) }) == bytes.count else {
            throw .system("'\(path)' cannot be written", errno)
        }
    }
}
