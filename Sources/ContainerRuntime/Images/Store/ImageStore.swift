import Glibc
import KubeModel

/// The images of this machine that were loaded or built: a folder that any number of processes share, whether a cluster runs or not.
///
///     images/lock                  held while references change or content is collected
///     images/references.json       docker.io/library/web:1.0 → the digest of a manifest
///     images/blobs/sha256/…        manifests and configurations
///     images/layers/HEX/tree/      a layer, unpacked, in the form in which overlayfs reads it; HEX is its diff id
///     images/layers/HEX/lock       shared by whoever uses the layer now: a container, a build
///     images/cache/KEY             what a step of a build has given before
///     images/new/                  what is being made
///
/// Content appears by a rename and is never changed. Locks are the kernel's, so that a process that is killed holds none.
public struct ImageStore: Sendable, Hashable {
    public let path: String

    /// - Parameter path: The folder, which is made when something is put into it.
    public init(path: String) { self.path = path }

    /// An image of the store.
    struct Stored: Sendable, Hashable {
        /// The whole reference: `docker.io/library/web:1.0`.
        var reference: String
        var manifest: Digest
        /// What its registry calls it: the digest of an index, or of the manifest.
        var published: Digest
        var config: ImageConfig
        var origin: Origin
        /// RFC 3339, or empty.
        var created: String
    }

    enum Origin: String, Sendable { case loaded, built, pulled }

    // MARK: References

    /// The image that a reference names, by tag or by digest; nil where there is none.
    func find(_ reference: ImageReference) -> Stored? {
        let records = records()
        // What was pulled by a digest has that name, also where it is the digest of an index.
        if let record = records[reference.description] { return stored(reference.description, record) }
        guard let digest = reference.digest else { return nil }
        let name = "\(reference.registry)/\(reference.repository)"
        for (key, record) in records where ImageReference(parsing: key)?.name == name {
            if record["manifest"]?.string == digest || record["index"]?.string == digest { return stored(key, record) }
        }
        return nil
    }

    /// All images, in the order of their names.
    func all() -> [Stored] {
        records().compactMap { stored($0.key, $0.value) }.sorted { $0.reference < $1.reference }
    }

    /// Gives an image a name, which may have belonged to another one.
    ///
    /// - Parameter index: The digest of the index that led to the manifest; nil where there was none.
    func add(
        _ reference: ImageReference, manifest: Digest, origin: Origin, index: Digest? = nil
    ) throws(ImageError) {
        try locked { () throws(ImageError) in
            var records = records()
            var record: JSONValue = [
                "manifest": .string(manifest.description), "origin": .string(origin.rawValue),
                "created": .string(Timestamp.now.text),
            ]
            if let index, index != manifest { record["index"] = .string(index.description) }
            records[reference.description] = record
            try write(records)
        }
    }

    /// Takes a name away; false when there is no such one.
    ///
    /// Content that nothing else needs goes with it.
    func remove(_ reference: ImageReference) throws(ImageError) -> Bool {
        try locked { () throws(ImageError) in
            var records = records()
            guard let key = reference.digest == nil ? reference.description : find(reference)?.reference,
                records[key] != nil
            else { return false }
            records[key] = nil
            try write(records)
            collect(keepsCache: true)
            return true
        }
    }

    /// Takes a name away that a person gives, or says why not.
    public func remove(
        _ text: String, besides catalog: ImageCatalog
    ) throws(ImageError) -> ImageReference {
        guard let reference = ImageReference(parsing: text) else {
            throw ImageError(
                "'\(text)' is no name for an image.", hint: "`velocity image list` shows those that there are.")
        }
        if try remove(reference) { return reference }
        guard !catalog.hasBuiltIn(reference) else {
            throw ImageError("'\(reference.familiar)' is built in and cannot be removed.")
        }
        throw ImageError(
            "There is no image '\(reference.familiar)'.", hint: "`velocity image list` shows those that there are.")
    }

    /// Removes what no image and no running container needs, and what builds remember; returns the bytes that became free.
    public func prune() throws(ImageError) -> Int64 {
        guard access(path, F_OK) == 0 else { return 0 }
        return try locked { () throws(ImageError) in collect(keepsCache: false) }
    }

    private func records() -> JSONObject {
        guard let bytes = Self.contents(path + "/references.json"), let value = try? JSONValue(parsing: bytes) else {
            return [:]
        }
        return value["images"]?.object ?? [:]
    }

    private func write(_ records: JSONObject) throws(ImageError) {
        let value: JSONValue = ["version": 1, "images": .object(records)]
        try publish(Array(value.text.utf8), at: path + "/references.json")
    }

    private func stored(_ reference: String, _ record: JSONValue) -> Stored? {
        guard let manifest = record["manifest"]?.string.flatMap(Digest.init), let config = config(of: manifest) else {
            return nil
        }
        return Stored(
            reference: reference, manifest: manifest,
            published: record["index"]?.string.flatMap(Digest.init) ?? manifest, config: config,
            origin: Origin(rawValue: record["origin"]?.string ?? "") ?? .loaded,
            created: record["created"]?.string ?? "")
    }

    // MARK: Manifests and configurations

    private func config(of manifest: Digest) -> ImageConfig? {
        guard let value = blob(manifest), let digest = value[["config", "digest"]]?.string.flatMap(Digest.init) else {
            return nil
        }
        return blob(digest).map(ImageConfig.init)
    }

    func blob(_ digest: Digest) -> JSONValue? {
        Self.contents("\(path)/blobs/sha256/\(digest.hex)").flatMap { try? JSONValue(parsing: $0) }
    }

    @discardableResult
    func addBlob(_ bytes: [UInt8]) throws(ImageError) -> Digest {
        let digest = Digest(of: bytes)
        try prepare()
        let file = "\(path)/blobs/sha256/\(digest.hex)"
        if access(file, F_OK) != 0 { try publish(bytes, at: file) }
        return digest
    }

    /// Writes the manifest of an image that has none: it was built here, or came from `docker save`.
    func addImage(_ config: ImageConfig) throws(ImageError) -> Digest {
        let bytes = Array(config.value.text.utf8)
        let digest = try addBlob(bytes)
        let layers = config.layers.map { layer -> JSONValue in
            [
                "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": .string(layer.description),
                "size": JSONValue(Int(layerSize(layer))),
            ]
        }
        let manifest: JSONValue = [
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": [
                "mediaType": "application/vnd.oci.image.config.v1+json", "digest": .string(digest.description),
                "size": JSONValue(bytes.count),
            ], "layers": .array(layers),
        ]
        return try addBlob(Array(manifest.text.utf8))
    }

    // MARK: Files

    /// Makes the store's folders.
    func prepare() throws(ImageError) {
        for folder in ["", "/blobs", "/blobs/sha256", "/layers", "/cache", "/new"] {
            guard mkdir(path + folder, 0o700) == 0 || errno == EEXIST else {
                throw .system("The folder '\(path + folder)' cannot be made", errno)
            }
        }
    }

    /// A path without links, for a process that has another root.
    static func withoutLinks(_ path: String) -> String {
        guard let whole = realpath(path, nil) else { return path }
        defer { free(whole) }
        return String(cString: whole)
    }

    /// Does something that nobody else does at the same time.
    func locked<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(ImageError) -> Value {
        try prepare()
        let file = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .system("'\(path)/lock' cannot be opened", errno) }
        defer { close(file) }
        while flock(file, LOCK_EX) != 0 {
            guard errno == EINTR else { throw .system("'\(path)/lock' cannot be locked", errno) }
        }
        do { return try body() } catch {
            throw error as? ImageError ?? ImageError("\(error)")
        }
    }

    /// Writes a file whole or not at all.
    func publish(_ bytes: [UInt8], at file: String) throws(ImageError) {
        var template = Array("\(path)/new/file-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        let temporary = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard descriptor >= 0 else { throw .system("'\(file)' cannot be written", errno) }
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        let number = errno
        close(descriptor)
        guard count == bytes.count, rename(temporary, file) == 0 else {
            let reason = count == bytes.count ? errno : number
            unlink(temporary)
            throw .system("'\(file)' cannot be written", reason)
        }
    }

    /// Writes a script that can be run.
    static func makeProgram(_ text: String, at path: String) -> Bool { makeProgram(Array(text.utf8), at: path) }

    static func makeProgram(_ bytes: [UInt8], at path: String) -> Bool {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o755)
        guard file >= 0 else { return false }
        defer { close(file) }
        return bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) } == bytes.count
            && fchmod(file, 0o755) == 0
    }

    static func contents(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        let source = FileBytes(file, name: path)
        while let piece = try? source.read(64 * 1024), !piece.isEmpty { bytes += piece }
        return bytes
    }
}
