import Glibc
public import KubeClient
public import KubeModel
import Synchronization

/// The log files of containers: written by a runtime, read by the kubelet, in the CRI format (`TIME stdout F LINE`).
///
/// Readers that follow are woken by the writer; nothing polls. Kubernetes docs, "Logging Architecture".
public final class ContainerLogs: Sendable {
    /// A file is renamed to `PATH.old` when it grows beyond this, and the `.old` before it is dropped.
    public static let fileBytesMax = 10 * 1024 * 1024

    private struct Shared {
        var nextReader = 0
        /// Wakers of followers, by the file they follow.
        var readers: [String: [Int: AsyncStream<Void>.Continuation]] = [:]
        /// Files that are being written to.
        var open: Set<String> = []
    }

    private let shared = Mutex(Shared())

    public init() {}

    /// Starts a log; its file and folder are made when there is something to write.
    public func begin(_ path: String) -> LogWriter {
        shared.withLock { _ = $0.open.insert(path) }
        return LogWriter(path: path, logs: self)
    }

    fileprivate func announce(_ path: String) {
        let readers = shared.withLock { $0.readers[path] } ?? [:]
        for reader in readers.values { reader.yield() }
    }

    fileprivate func finish(_ path: String) {
        let readers = shared.withLock { shared in
            shared.open.remove(path)
            return shared.readers.removeValue(forKey: path) ?? [:]
        }
        // Not under the lock: the end of a stream calls back into this object.
        for reader in readers.values { reader.finish() }
    }

    private func isOpen(_ path: String) -> Bool { shared.withLock { $0.open.contains(path) } }

    /// A stream that fires after each write to a file, and ends with it.
    private func wakeups(_ path: String) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let id = shared.withLock { shared -> Int? in
            guard shared.open.contains(path) else { return nil }
            shared.nextReader += 1
            shared.readers[path, default: [:]][shared.nextReader] = continuation
            return shared.nextReader
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.shared.withLock { _ = $0.readers[path]?.removeValue(forKey: id) }
        }
        return stream
    }

    /// Reads a log as `kubectl logs` asks for it.
    public func read(_ path: String, _ options: LogOptions) throws(Status) -> AsyncThrowingStream<[UInt8], any Error> {
        let wakeups = options.isFollowing ? wakeups(path) : nil
        var cursor = LogCursor(path: path, options: options)
        let first = cursor.readSelected()
        let (stream, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
        if !first.isEmpty { continuation.yield(first) }
        guard let wakeups, !cursor.isOver else {
            continuation.finish()
            return stream
        }
        // The stream's own task: it ends with the log, or when the caller drops the stream.
        let follower = Task { [cursor] in
            var cursor = cursor
            for await _ in wakeups {
                let more = cursor.readOn()
                if !more.isEmpty { continuation.yield(more) }
                if cursor.isOver { break }
            }
            let rest = cursor.readOn()
            if !rest.isEmpty { continuation.yield(rest) }
            continuation.finish()
        }
        continuation.onTermination = { _ in follower.cancel() }
        return stream
    }
}

/// Writes one container's log.
///
/// Used by one reader of pipes at a time for each stream.
public final class LogWriter: Sendable {
    private struct State {
        var descriptor: Int32 = -1
        var byteCount = 0
        var partial: [String: [UInt8]] = [:]
    }

    private static let lineBytesMax = 16 * 1024

    private let path: String
    private let logs: ContainerLogs
    private let state = Mutex(State())

    fileprivate init(path: String, logs: ContainerLogs) {
        self.path = path
        self.logs = logs
    }

    /// Appends output as it comes; whole lines are written, an unfinished one waits for its end.
    ///
    /// - Parameter stream: `stdout` or `stderr`.
    public func append(_ bytes: [UInt8], stream: String, now: Timestamp) {
        state.withLock { state in
            var rest = state.partial.removeValue(forKey: stream) ?? []
            rest += bytes
            var output: [UInt8] = []
            var start = 0
            func write(_ line: ArraySlice<UInt8>, _ tag: String) {
                output += Array("\(now.nanoText) \(stream) \(tag) ".utf8)
                output += line
                output.append(UInt8(ascii: "\n"))
            }
            while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                write(rest[start..<end], "F")
                start = end + 1
            }
            while rest.count - start > Self.lineBytesMax {
                write(rest[start..<start + Self.lineBytesMax], "P")
                start += Self.lineBytesMax
            }
            if start < rest.count { state.partial[stream] = Array(rest[start...]) }
            flush(output, &state)
        }
        logs.announce(path)
    }

    /// The container has ended: what waits for its line feed is written as the part of a line that it is, and followers end.
    public func finish(now: Timestamp) {
        state.withLock { state in
            var output: [UInt8] = []
            for (stream, line) in state.partial where !line.isEmpty {
                output += Array("\(now.nanoText) \(stream) P ".utf8) + line + [UInt8(ascii: "\n")]
            }
            state.partial = [:]
            flush(output, &state)
            if state.descriptor >= 0 { close(state.descriptor) }
            state.descriptor = -1
        }
        logs.announce(path)
        logs.finish(path)
    }

    private func flush(_ output: [UInt8], _ state: inout State) {
        guard !output.isEmpty else { return }
        if state.byteCount > ContainerLogs.fileBytesMax {
            close(state.descriptor)
            state.descriptor = -1
            rename(path, path + ".old")
        }
        if state.descriptor < 0 {
            state.descriptor = makeFile()
            state.byteCount = 0
        }
        // A full disk loses lines, never the container.
        let count = output.withUnsafeBytes { write(state.descriptor, $0.baseAddress, $0.count) }
        state.byteCount += max(0, count)
    }
}

extension LogWriter {
    private func makeFile() -> Int32 {
        func make() -> Int32 { open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }
        let file = make()
        guard file < 0, errno == ENOENT else { return file }
        var folder = ""
        for part in path.split(separator: "/").dropLast() {
            folder += "/\(part)"
            mkdir(folder, 0o700)
        }
        return make()
    }
}

extension Timestamp {
    /// RFC 3339 with nanoseconds, as container logs have it.
    var nanoText: String {
        let fraction = String(nanoseconds - seconds * 1_000_000_000)
        return text.dropLast() + "." + String(repeating: "0", count: 9 - fraction.count) + fraction + "Z"
    }
}
