import Glibc

/// A folder whose files never reach a disk, as containers can mount it: for tokens and Secrets, and for whatever has to be fast.
///
/// The mount is the runtime's alone, so that this process reaches the folder by another name than the runtime.
public final class MemoryFolder: Sendable {
    /// The folder's path where mounts of containers name it.
    public let mountPath: String
    private let descriptor: Int32

    init(mountPath: String, descriptor: Int32) {
        self.mountPath = mountPath
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// The folder's path in this process, for as long as this object lives.
    public var path: String { "/proc/self/fd/\(descriptor)" }
}
