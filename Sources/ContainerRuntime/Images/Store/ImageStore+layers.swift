import Glibc
import KubeModel

/// Layers: how they come in, who uses them, and when they go.
extension ImageStore {
    /// A folder in which something is made that nobody sees yet; it goes unless it is kept.
    struct Workshop: ~Copyable {
        let path: String
        private let lock: Int32

        init(in store: ImageStore) throws(ImageError) {
            try store.prepare()
            store.sweep()
            while true {
                var template = Array("\(store.path)/new/work-XXXXXX".utf8CString)
                guard mkdtemp(&template) != nil else { throw .system("'\(store.path)/new' cannot be written", errno) }
                let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
                close(Glibc.open(folder + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600))
                // A sweeper may have taken it for one that was left.
                guard let lock = ImageStore.share(folder + "/lock") else { continue }
                path = folder
                self.lock = lock
                return
            }
        }

        deinit {
            close(lock)
            FileTree.remove(path)
        }
    }

    func tree(of layer: Digest) -> String { "\(path)/layers/\(layer.hex)/tree" }

    func has(_ layer: Digest) -> Bool { access(tree(of: layer), F_OK) == 0 }

    /// The bytes of a layer's files.
    func layerSize(_ layer: Digest) -> Int64 {
        Self.contents("\(path)/layers/\(layer.hex)/size").flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0
    }

    /// Unpacks a layer.
    ///
    /// - Parameter expected: What its digest is to be; nil takes it as it comes.
    @discardableResult
    func addLayer(
        _ source: any ByteSource, archive: String, expected: Digest?
    ) throws(ImageError) -> Digest {
        let workshop = try Workshop(in: self)
        let folder = workshop.path + "/layer"
        try Self.makeFolders([folder, folder + "/tree"])
        chmod(folder + "/tree", 0o755)
        let bytes = HashedBytes(source)
        try LayerUnpacker.unpack(bytes, into: folder + "/tree", archive: archive)
        let digest = try bytes.finish()
        if let expected, expected != digest {
            throw ImageError(
                "'\(archive)' is damaged: its digest is \(digest), not \(expected).", hint: "Make or fetch it anew.")
        }
        try keep(folder, as: digest)
        return digest
    }

    /// Puts a finished layer in its place: `folder` holds its `tree`.
    func keep(_ folder: String, as digest: Digest) throws(ImageError) {
        close(open(folder + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600))
        let size = Array("\(FileTree.size(folder + "/tree"))".utf8)
        try publish(size, at: folder + "/size")
        guard rename(folder, "\(path)/layers/\(digest.hex)") == 0 || errno == EEXIST || errno == ENOTEMPTY else {
            throw .system("the layer \(digest.short) cannot be kept", errno)
        }
    }

    static func makeFolders(_ paths: [String]) throws(ImageError) {
        for path in paths {
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
                throw .system("The folder '\(path)' cannot be made", errno)
            }
        }
    }

    /// Keeps a layer where it is until the descriptor is closed; nil when it is not there.
    func hold(_ layer: Digest) -> Int32? { Self.share("\(path)/layers/\(layer.hex)/lock") }

    /// Says of a folder that it is used, by its lock; nil when it is gone.
    private static func share(_ name: String) -> Int32? {
        let file = open(name, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { return nil }
        var held = stat()
        var present = stat()
        // Between opening and locking a collector may have taken it away.
        guard flock(file, LOCK_SH) == 0, fstat(file, &held) == 0, stat(name, &present) == 0,
            held.st_ino == present.st_ino
        else {
            close(file)
            return nil
        }
        return file
    }

    /// Removes what a process that was killed has left half made.
    func sweep() {
        for name in names("/new") where name.hasPrefix("work-") { _ = take("/new/" + name) }
    }

    /// Removes content that no reference leads to and nobody holds; returns the bytes that became free.
    ///
    /// Called with the store locked.
    @discardableResult
    func collect(keepsCache: Bool) -> Int64 {
        var freed: Int64 = 0
        if !keepsCache {
            for name in names("/cache") { unlink("\(path)/cache/\(name)") }
        }
        var layers: Set<String> = []
        var blobs: Set<String> = []
        for image in all() {
            layers.formUnion(image.config.layers.map(\.hex))
            blobs.insert(image.manifest.hex)
            if let config = blob(image.manifest)?[["config", "digest"]]?.string.flatMap(Digest.init) {
                blobs.insert(config.hex)
            }
        }
        for name in names("/cache") { layers.formUnion(cachedLayers(name).map(\.hex)) }
        for name in names("/layers") where !layers.contains(name) {
            guard let digest = Digest("sha256:" + name) else { continue }
            let size = layerSize(digest)
            if take("/layers/" + name) { freed += size }
        }
        // Manifests come before the reference that leads to them: one that is young may be waiting for it.
        let recently = time(nil) - 3600
        for name in names("/blobs/sha256") where !blobs.contains(name) {
            var status = stat()
            let file = "\(path)/blobs/sha256/\(name)"
            guard stat(file, &status) == 0, status.st_mtim.tv_sec < recently, unlink(file) == 0 else { continue }
            freed += Int64(status.st_size)
        }
        sweep()
        return freed
    }

    /// Removes a folder that nobody holds the lock of.
    private func take(_ name: String) -> Bool {
        let lock = open("\(path)\(name)/lock", O_RDWR | O_CLOEXEC)
        guard lock >= 0 else { return false }
        defer { close(lock) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { return false }
        unlink("\(path)\(name)/lock")
        FileTree.remove(path + name)
        return true
    }

    func names(_ folder: String) -> [String] {
        let descriptor = open(path + folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        return FileTree.names(in: descriptor)
    }

    // MARK: What builds remember

    /// What a step gave before, under a key that says what it was made from.
    func cached(_ key: Digest) -> JSONValue? {
        guard let value = Self.contents("\(path)/cache/\(key.hex)").flatMap({ try? JSONValue(parsing: $0) }),
            ImageConfig(value).layers.allSatisfy(has)
        else { return nil }
        return value
    }

    func remember(_ config: ImageConfig, under key: Digest) throws(ImageError) {
        try publish(Array(config.value.text.utf8), at: "\(path)/cache/\(key.hex)")
    }

    private func cachedLayers(_ name: String) -> [Digest] {
        Self.contents("\(path)/cache/\(name)").flatMap { try? JSONValue(parsing: $0) }.map { ImageConfig($0).layers }
            ?? []
    }
}
