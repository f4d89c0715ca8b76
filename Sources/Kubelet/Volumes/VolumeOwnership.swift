import ContainerRuntime
import Glibc

/// Gives a volume of the node to the group that a pod names with `fsGroup`.
///
/// Everything in it becomes the group's, to read and to write, and what is made in it later as well. A volume that is the
/// group's already is left alone, as with `fsGroupChangePolicy: OnRootMismatch`: its top changes last. Source: Kubernetes docs,
/// "Configure volume permission and ownership change policy for Pods".
enum VolumeOwnership {
    static func give(_ path: String, to group: Int) {
        guard let real = realpath(path, nil) else { return }
        defer { free(real) }
        var status = stat()
        guard stat(real, &status) == 0, !isGiven(status, to: group) else { return }
        change(String(cString: real), status, to: group)
    }

    /// Changes what is in a folder before the folder; links are not followed, they may lead anywhere.
    private static func change(_ path: String, _ status: stat, to group: Int) {
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in Folder.names(in: path) {
                var inside = stat()
                guard lstat("\(path)/\(name)", &inside) == 0 else { continue }
                change("\(path)/\(name)", inside, to: group)
            }
        }
        lchown(path, .max, gid_t(group))
        if status.st_mode & S_IFMT != S_IFLNK { chmod(path, status.st_mode & 0o7777 | wanted(status)) }
    }

    private static func wanted(_ status: stat) -> mode_t { status.st_mode & S_IFMT == S_IFDIR ? 0o2770 : 0o660 }

    private static func isGiven(_ status: stat, to group: Int) -> Bool {
        status.st_gid == gid_t(group) && status.st_mode & wanted(status) == wanted(status)
    }
}
