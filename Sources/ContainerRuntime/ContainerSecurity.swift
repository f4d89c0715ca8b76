/// What a container's processes may do, besides the user that they run as.
public struct ContainerSecurity: Sendable, Hashable {
    /// The primary group; nil: the one that the image gives its user.
    public var group: Int?
    /// Further groups; they are had only where the cluster runs as root, for an ordinary user can map no more than one.
    public var supplementalGroups: [Int] = []
    public var capabilities = CapabilitySet.standard
    /// A program that is run may get privileges that its user does not have (by its set-user-ID bit).
    public var allowsPrivilegeEscalation = true
    public var hasReadOnlyRoot = false
    /// System calls that no container needs are denied.
    public var isSystemCallFiltered = true
    /// What is the machine's in `/proc` is hidden, or read-only.
    public var hasMaskedProc = true
    public var processes = ProcessNamespace.own
    /// How soon the kernel ends them when the machine's memory is full: 0, as it finds best, to 1000, before all others.
    public var outOfMemoryScore = 0

    /// Whose processes a container sees.
    public enum ProcessNamespace: Sendable, Hashable {
        /// Its own; its first process has the number 1.
        case own
        /// Those of the whole pod.
        case pod
        /// Those of another container of its pod.
        case container(ContainerID)
    }

    public init() {}
}

/// Capabilities of the kernel, by the names that manifests give them: `NET_ADMIN`, without `CAP_`.
public struct CapabilitySet: Sendable, Hashable {
    /// Bits by the kernel's numbers.
    public private(set) var bits: UInt64

    private init(_ names: [String]) {
        bits = names.reduce(0) { bits, name in Self.names.firstIndex(of: name).map { bits | 1 << $0 } ?? bits }
    }

    /// What container runtimes give by default, without `MKNOD`: devices are the machine's.
    public static let standard = CapabilitySet([
        "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
        "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
    ])

    /// What a container can be given: all that reaches no further than itself.
    public static let possible = CapabilitySet(
        standard.list + ["NET_ADMIN", "NET_BROADCAST", "IPC_LOCK", "IPC_OWNER", "SYS_NICE", "SYS_RESOURCE", "LEASE"])

    public static let none = CapabilitySet([])

    /// The names of what is in the set, by number.
    public var list: [String] { Self.names.indices.filter { bits >> $0 & 1 == 1 }.map { Self.names[$0] } }

    /// The default set with a manifest's changes; `ALL` stands for all there are, and what is impossible is not given.
    ///
    /// Source: Kubernetes docs, "Configure a Security Context"; dropping wins over adding one by one, as in containerd.
    public static func standard(adding added: [String], dropping dropped: [String]) -> CapabilitySet {
        func set(_ names: [String]) -> UInt64 {
            let names = names.map { $0.uppercased() }.map { $0.hasPrefix("CAP_") ? String($0.dropFirst(4)) : $0 }
            return names.contains("ALL") ? .max : CapabilitySet(names).bits
        }
        var result = standard
        if set(dropped) == .max {
            result.bits = set(added) == .max ? 0 : set(added)
        } else {
            result.bits = (result.bits | set(added)) & ~set(dropped)
        }
        result.bits &= possible.bits
        return result
    }

    /// By their numbers (`linux/capability.h`).
    private static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]
}
