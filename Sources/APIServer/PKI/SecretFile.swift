import Glibc

/// Files that only their owner may read.
enum SecretFile {
    static func makeDirectory(_ path: String) throws(PKIError) {
        var prefix = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: true) {
            prefix += (prefix.isEmpty && !path.hasPrefix("/") ? "" : "/") + part
            guard mkdir(prefix, 0o700) != 0, errno != EEXIST else { continue }
            throw failure("The directory '\(path)' cannot be made")
        }
    }

    /// The text of a file; nil if it cannot be read.
    static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            guard count > 0 else { return count == 0 ? String(decoding: bytes, as: UTF8.self) : nil }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count < 1 << 20 else { return nil }
        }
    }

    /// Writes a file whole or not at all, with mode 0600 from its first moment.
    static func write(_ text: String, to path: String) throws(PKIError) {
        let scratch = "\(path).\(getpid()).new"
        let file = open(scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("The file '\(path)' cannot be written") }
        let bytes = Array(text.utf8)
        let isWritten = Glibc.write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        close(file)
        guard isWritten, rename(scratch, path) == 0 else {
            let error = failure("The file '\(path)' cannot be written")
            unlink(scratch)
            throw error
        }
    }

    private static func failure(_ what: String) -> PKIError {
        PKIError(
            message: "\(what): \(String(cString: strerror(errno))).",
            hint: "Check the rights and the free space there, or choose another place with VELOCITY_HOME.")
    }
}
