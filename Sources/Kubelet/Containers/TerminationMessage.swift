import ContainerRuntime
import Glibc
import KubeModel

/// What a container says of its end: a file that it may write, or else the end of its log.
///
/// Source: Kubernetes docs, "Determine the Reason for Pod Failure".
struct TerminationMessage: Sendable {
    private static let bytesMax = 4096
    /// All containers of a pod have this together, each an equal share.
    private static let podBytesMax = 12 * 1024
    private static let logBytesMax = 2048
    private static let logLinesMax = 80

    private let hostPath: String
    private let containerPath: String
    private let fallsBackToLog: Bool
    private let share: Int

    init(_ container: Container, _ pod: Pod, attempt: Int, _ configuration: KubeletConfiguration) {
        hostPath = "\(configuration.podDirectory(pod.uid))/\(container.name).\(attempt).end"
        containerPath = container.value["terminationMessagePath"]?.string ?? "/dev/termination-log"
        fallsBackToLog = container.value["terminationMessagePolicy"]?.string == "FallbackToLogsOnError"
        let count = pod.containers.count + pod.initContainers.count + pod.ephemeralContainers.count
        share = Self.podBytesMax / max(1, count)
    }

    /// Makes the file, and says where it belongs in the container.
    func mounts() -> [ContainerConfiguration.Mount] {
        guard containerPath.hasPrefix("/") else { return [] }
        try? Folder.make(String(hostPath.prefix(upTo: hostPath.lastIndex(of: "/") ?? hostPath.endIndex)))
        let file = open(hostPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0 else { return [] }
        // Whatever the umask: the container's user is not this one.
        fchmod(file, 0o666)
        close(file)
        return [.init(hostPath: hostPath, containerPath: containerPath, isReadOnly: false)]
    }

    /// What there is to say after the end; the file goes.
    func take(exitCode: Int, logPath: String) -> String {
        defer { unlink(hostPath) }
        let message = Self.tail(of: hostPath, Self.bytesMax)
        guard message.isEmpty, fallsBackToLog, exitCode != 0 else {
            return String(decoding: message.prefix(share), as: UTF8.self)
        }
        // `TIME STREAM TAG CONTENT`: enough of it that the content alone is long enough.
        let lines = Self.tail(of: logPath, 16 * Self.logBytesMax)
            .split(separator: UInt8(ascii: "\n"))
            .map { $0.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false) }
            .filter { $0.count == 4 }
            .suffix(Self.logLinesMax)
            .map { parts -> [UInt8] in
                let isWhole = parts[2].first == UInt8(ascii: "F")
                return isWhole ? Array(parts[3]) + [UInt8(ascii: "\n")] : Array(parts[3])
            }
        return String(decoding: lines.joined().suffix(Self.logBytesMax).prefix(share), as: UTF8.self)
    }

    private static func tail(of path: String, _ countMax: Int) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        let size = Int(lseek(file, 0, SEEK_END))
        guard size > 0 else { return [] }
        lseek(file, max(0, size - countMax), SEEK_SET)
        var bytes = [UInt8](repeating: 0, count: min(size, countMax))
        let count = read(file, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }
}
