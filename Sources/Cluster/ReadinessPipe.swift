import Glibc

/// How a starting cluster tells the process that started it: one byte for Ready, a sentence for why not.
///
/// An inherited pipe needs no polling, and its end says that the process died.
enum ReadinessPipe {
    /// The number under which the started process finds its end.
    static let descriptor: Int32 = 3

    private static let ready = UInt8(ascii: "R")

    static func reportReady() {
        var byte = ready
        signal(SIGPIPE, SIG_IGN)
        _ = write(descriptor, &byte, 1)
        close(descriptor)
    }

    static func reportFailure(_ error: ClusterError) {
        let bytes = Array("\(error.message)\u{0}\(error.hint ?? "")".utf8)
        signal(SIGPIPE, SIG_IGN)
        _ = write(descriptor, bytes, bytes.count)
        close(descriptor)
    }

    /// Waits for the report of the started process.
    static func wait(_ end: Int32, log: String) throws(ClusterError) {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes != [ready] {
            let count = read(end, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        guard bytes != [ready] else { return }
        guard !bytes.isEmpty else {
            throw ClusterError("The cluster's process ended before it was ready.", hint: "Read its log: \(log)")
        }
        let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        throw ClusterError(parts[0], hint: parts.count > 1 && !parts[1].isEmpty ? parts[1] : nil)
    }
}
