import Glibc
import KubeModel

/// An archive of images: what `docker save` writes, or an OCI image layout in a tar file; the archive itself may be gzipped.
///
/// Sources: OCI image specification, "Image Layout" and "Image Index"; the docker-archive format as `docker load` reads it.
final class ImageArchive {
    /// One image of it, for this machine.
    struct Member: Sendable {
        /// The names it brings along.
        var names: [String]
        /// Its manifest as it was, where it has one.
        var manifest: [UInt8]?
        var config: ImageConfig
        var configBytes: [UInt8]
        /// Files of the archive, the lowest layer first; with the digest of the packed form where one is given.
        var layers: [(file: String, digest: Digest?)]
    }

    private struct Place {
        var offset: Int64
        var size: Int64
        /// Older versions of Docker link to layers that another image has, too.
        var target: String?
    }

    private let file: Int32
    private let name: String
    private let places: [String: Place]

    /// - Parameters:
    ///   - descriptor: Where the archive is read from; it stays the caller's.
    ///   - name: For messages.
    ///   - workshop: Room for a copy, where the archive cannot be read twice.
    init(_ descriptor: Int32, name: String, workshop: borrowing ImageStore.Workshop) throws(ImageError) {
        self.name = name
        file = try Self.seekable(descriptor, name: name, workshop: workshop)
        let reader = TarReader(FileBytes(file, name: name), name: name)
        var places: [String: Place] = [:]
        while let entry = try reader.next() {
            let path = try FileTree.parts(entry.path, of: name).joined(separator: "/")
            places[path] = Place(
                offset: reader.offset, size: entry.size, target: entry.kind == .link ? entry.target : nil)
        }
        self.places = places
    }

    deinit { close(file) }

    /// A descriptor of a plain tar file: the same one, or that of an unpacked copy.
    private static func seekable(
        _ descriptor: Int32, name: String, workshop: borrowing ImageStore.Workshop
    ) throws(ImageError) -> Int32 {
        var status = stat()
        var source = descriptor
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw ImageError(
                "'\(name)' is a folder, not an archive.", hint: "Pack it: tar -C '\(name)' -cf image.tar .")
        }
        if fstat(descriptor, &status) != 0 || status.st_mode & S_IFMT != S_IFREG {
            source = try copy(PipeBytes(descriptor, name: name), workshop.path + "/archive", name)
        } else {
            source = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        }
        let first = try FileBytes(source, name: name, length: 8).read(8)
        guard !first.isEmpty else {
            throw ImageError("'\(name)' is empty.", hint: "Write an archive: docker save -o image.tar NAME")
        }
        if case .plain = Packing(firstBytes: first) { return source }
        defer { close(source) }
        return try copy(Packing.open(source, name: name), workshop.path + "/unpacked", name)
    }

    private static func copy(_ source: any ByteSource, _ path: String, _ name: String) throws(ImageError) -> Int32 {
        let copy = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard copy >= 0 else { throw .system("'\(name)' cannot be copied", errno) }
        while true {
            let piece = try source.read(256 * 1024)
            if piece.isEmpty { return copy }
            guard piece.withUnsafeBytes({ write(copy, $0.baseAddress, $0.count) }) == piece.count else {
                throw .system("'\(name)' cannot be copied", errno)
            }
        }
    }

    /// The images in it that run on this machine.
    func members() throws(ImageError) -> [Member] {
        if places["manifest.json"] != nil { return try dockerMembers() }
        if places["index.json"] != nil { return try layoutMembers() }
        throw ImageError(
            "'\(name)' is no archive of images: it has neither 'manifest.json' (docker save) nor 'index.json' (OCI).",
            hint: "Write one: docker save -o image.tar NAME")
    }

    /// What a layer's file holds, unpacked.
    func open(layer path: String) throws(ImageError) -> any ByteSource {
        let place = try find(path)
        return try Packing.open(file, name: "\(name): \(path)", offset: place.offset, length: place.size)
    }

    /// Whether a file of the archive is what its digest says.
    func check(_ path: String, _ digest: Digest) throws(ImageError) {
        let place = try find(path)
        let bytes = HashedBytes(FileBytes(file, name: name, offset: place.offset, length: place.size))
        guard try bytes.finish() == digest else {
            throw ImageError("'\(path)' in '\(name)' is damaged: its digest is not \(digest).", hint: "Fetch it anew.")
        }
    }

    // MARK: docker save

    private func dockerMembers() throws(ImageError) -> [Member] {
        let value = try json("manifest.json")
        var members: [Member] = []
        for image in value.array ?? [] {
            guard let path = image["Config"]?.string else {
                throw malformed("manifest.json", "an image has no 'Config'")
            }
            let bytes = try contents(path)
            let config = ImageConfig(try json(path))
            try checkMachine(config)
            let layers = image["Layers"]?.array?.compactMap(\.string) ?? []
            members.append(
                Member(
                    names: image["RepoTags"]?.array?.compactMap(\.string) ?? [], config: config, configBytes: bytes,
                    layers: layers.map { ($0, nil) }))
        }
        return members
    }

    // MARK: OCI image layout

    private func layoutMembers() throws(ImageError) -> [Member] {
        var members: [Member] = []
        for descriptor in try json("index.json")["manifests"]?.array ?? [] {
            guard let (manifest, digest) = try resolve(descriptor) else { continue }
            let value = try json(blob(digest))
            guard let config = value[["config", "digest"]]?.string.flatMap(Digest.init) else {
                throw malformed(blob(digest), "it has no 'config'")
            }
            try check(blob(config), config)
            let image = ImageConfig(try json(blob(config)))
            try checkMachine(image)
            var layers: [(file: String, digest: Digest?)] = []
            for layer in value["layers"]?.array ?? [] {
                guard let digest = layer["digest"]?.string.flatMap(Digest.init) else {
                    throw malformed(blob(digest), "a layer has no digest")
                }
                layers.append((blob(digest), digest))
            }
            let notes = descriptor["annotations"]
            let names = ["io.containerd.image.name", "org.opencontainers.image.ref.name"].compactMap {
                notes?[$0]?.string
            }
            members.append(
                Member(
                    // A name with a registry is whole; the reference name may be a tag alone.
                    names: names.filter { $0.contains(":") || $0.contains("/") }.prefix(1).map { $0 },
                    manifest: manifest, config: image, configBytes: try contents(blob(config)), layers: layers))
        }
        return members
    }

    /// The manifest behind a descriptor: of an index, the one for this machine; nil where it describes no image.
    private func resolve(_ descriptor: JSONValue) throws(ImageError) -> (bytes: [UInt8], digest: Digest)? {
        guard let digest = descriptor["digest"]?.string.flatMap(Digest.init) else {
            throw malformed("index.json", "a manifest has no digest")
        }
        try check(blob(digest), digest)
        let value = try json(blob(digest))
        guard let choices = value["manifests"]?.array else {
            return value["layers"] == nil ? nil : (try contents(blob(digest)), digest)
        }
        func platform(_ choice: JSONValue) -> String {
            "\(choice[["platform", "os"]]?.string ?? "unknown")/\(choice[["platform", "architecture"]]?.string ?? "unknown")"
        }
        let wanted = "linux/\(ImageConfig.machine)"
        if let choice = choices.first(where: { platform($0) == wanted }) { return try resolve(choice) }
        let known = Set(choices.map(platform)).subtracting(["unknown/unknown"]).sorted()
        throw ImageError(
            "'\(name)' has no image for \(wanted); it has: \(known.joined(separator: ", ")).",
            hint: "Save it again for this machine: docker pull --platform \(wanted) NAME")
    }

    private func blob(_ digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    // MARK: Files of the archive

    private func find(_ path: String) throws(ImageError) -> Place {
        var path = try FileTree.parts(path, of: name).joined(separator: "/")
        for _ in 0..<4 {
            guard let place = places[path] else { break }
            guard let target = place.target else { return place }
            var folder = path.split(separator: "/").dropLast()
            for part in target.split(separator: "/") {
                if part == ".." { _ = folder.popLast() } else { folder.append(part) }
            }
            path = folder.joined(separator: "/")
        }
        throw malformed(path, "it is not in the archive")
    }

    private func contents(_ path: String) throws(ImageError) -> [UInt8] {
        let place = try find(path)
        guard place.size <= 16 << 20 else { throw malformed(path, "it has \(place.size) bytes") }
        let source = FileBytes(file, name: name, offset: place.offset, length: place.size)
        var bytes: [UInt8] = []
        while bytes.count < place.size {
            let piece = try source.read(Int(place.size) - bytes.count)
            guard !piece.isEmpty else { throw malformed(path, "it is cut off") }
            bytes += piece
        }
        return bytes
    }

    private func json(_ path: String) throws(ImageError) -> JSONValue {
        let bytes = try contents(path)
        do { return try JSONValue(parsing: bytes) } catch { throw malformed(path, "it is no JSON") }
    }

    private func checkMachine(_ config: ImageConfig) throws(ImageError) {
        let machine = config.value["architecture"]?.string ?? ImageConfig.machine
        guard machine == ImageConfig.machine else {
            throw ImageError(
                "'\(name)' holds an image for \(machine); this machine is \(ImageConfig.machine).",
                hint: "Save it again for this machine: docker pull --platform linux/\(ImageConfig.machine) NAME")
        }
    }

    private func malformed(_ path: String, _ why: String) -> ImageError {
        ImageError("'\(path)' in '\(name)' cannot be used: \(why).", hint: "Make or fetch the archive anew.")
    }
}
