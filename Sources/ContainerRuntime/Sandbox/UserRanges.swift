import CSandbox

/// The users that containers of root can have besides, where an ordinary user runs the cluster: a range that the system lends him.
public enum UserRanges {
    /// Whether there is one, and the programs that map it.
    public static var isAvailable: Bool { vs_has_user_ranges() }

    /// Removes a folder with files of such users, which nobody else can; true if it is gone.
    @discardableResult
    public static func removeFolder(_ path: String) -> Bool { vs_channel_remove(path) == 0 }
}
