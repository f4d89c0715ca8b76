import CSandbox
import Glibc

/// Who keeps the limits of containers: the kernel by control groups, or by watching `sandboxd`, and at level `plain` always `plaind`.
public struct LimitKeeping: Sendable, Hashable {
    /// The kernel keeps those of memory, and those of the processor.
    var isMemoryKernels: Bool
    var isProcessorKernels: Bool
    /// What the machine has, for the way to mend it.
    var machine: Machine

    struct Machine: Sendable, Hashable {
        var hasSystemd = true
        /// All controllers are in one hierarchy, that of version 2.
        var isUnified = true
        var isRoot = false
        /// systemd runs for this user, too.
        var hasUserManager = true
    }

    /// As at level `plain`.
    public static let watching = LimitKeeping(isMemoryKernels: false, isProcessorKernels: false, machine: Machine())

    /// Finds out by making control groups, which are gone when this returns; takes a few milliseconds.
    public static func probe() -> LimitKeeping {
        let found = vs_cgroup_probe()
        let runtimeFolder = getenv("XDG_RUNTIME_DIR").map { String(cString: $0) } ?? "/run/user/\(geteuid())"
        return LimitKeeping(
            isMemoryKernels: found.has_memory, isProcessorKernels: found.has_processor,
            machine: Machine(
                hasSystemd: access("/run/systemd/system", F_OK) == 0,
                isUnified: access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0, isRoot: geteuid() == 0,
                hasUserManager: access(runtimeFolder + "/systemd/private", F_OK) == 0))
    }

    /// One sentence for people.
    public var sentence: String {
        switch (isMemoryKernels, isProcessorKernels) {
        case (true, true): "limits of memory and processor: kept by the kernel, in control groups"
        case (true, false): "limits of memory: kept by the kernel, in control groups; of the processor: by watching"
        case (false, true): "limits of the processor: kept by the kernel, in control groups; of memory: by watching"
        case (false, false): "limits of memory and processor: kept by watching"
        }
    }

    /// What gives control groups to all of them; nil where they are there, or nothing is known that would.
    public var fix: String? {
        guard !isMemoryKernels || !isProcessorKernels, machine.hasSystemd else { return nil }
        guard machine.isUnified else { return "start the kernel with systemd.unified_cgroup_hierarchy=1" }
        guard !machine.isRoot else { return nil }
        guard machine.hasUserManager else { return "sudo loginctl enable-linger $USER" }
        return "sudo mkdir -p /etc/systemd/system/user@.service.d"
            + " && printf '[Service]\\nDelegate=cpu memory pids\\n'"
            + " | sudo tee /etc/systemd/system/user@.service.d/velocitylab.conf"
            + " && sudo systemctl daemon-reload, and log in anew"
    }
}
