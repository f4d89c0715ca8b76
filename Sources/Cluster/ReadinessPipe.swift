import Glibc
import Synchronization

/// How a starting cluster tells the process that started it: one byte for Ready, a sentence for why not.
///
/// An inherited pipe needs no polling, and its end says that the process died.
final class ReadinessPipe: Sendable {
    /// The number under which the started process finds its end.
    static let descriptor: Int32 = 3

    private static let ready = UInt8(ascii: "R")

    /// This process's end, until something was reported.
    private let end: Mutex<Int32?>

    /// - Parameter descriptor: The end that this process was told of; nil when nobody waits for it.
    init(_ descriptor: Int32?) {
        end = Mutex(descriptor)
        guard let descriptor else { return }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        signal(SIGPIPE, SIG_IGN)
    }

    func reportReady() { report([Self.ready]) }

    func reportFailure(_ error: ClusterError) { report(Array("\(error.message)\u{0}\(error.hint ?? "")".utf8)) }

    private func report(_ bytes: [UInt8]) {
        guard let descriptor = end.withLock({ $0.take() }) else { return }
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
