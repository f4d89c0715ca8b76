import Cluster
import Glibc

/// Held while a checkpoint runs: of two at once, each would take the other's changes for the learner's.
struct CheckLock: ~Copyable {
    private let descriptor: Int32

    init(_ cluster: ClusterDirectory) throws(ClusterError) {
        let path = cluster.runDirectory + "/check.lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ClusterError("'\(path)' cannot be opened: \(String(cString: strerror(errno))).")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ClusterError(
                "Another check of this cluster is running.",
                hint: "Wait until it has ended, or stop it in its own window (Esc or Ctrl-C).")
        }
    }

    deinit { close(descriptor) }
}
