import CSandbox
import Glibc

/// The users that containers of root can have besides, where an ordinary user runs the cluster: a range that the system lends him.
public enum UserRanges {
    /// Whether there is one, and the programs that map it.
    public static var isAvailable: Bool { vs_has_user_ranges() }

    /// The command that makes them available.
    ///
    /// Debian and Ubuntu lend a range to each account that is made.
    static var fix: String {
        access("/usr/bin/newuidmap", X_OK) == 0
            ? "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER"
            : "sudo apt-get install uidmap"
    }

    /// Removes a folder with files of such users, which nobody else can; true if it is gone.
    @discardableResult
    public static func removeFolder(_ path: String) -> Bool { vs_channel_remove(path) == 0 }
}
