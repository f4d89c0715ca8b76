import Glibc

/// The control group (version 2) of a container that has one of its own: what the kernel has counted in it.
public struct ControlGroup: Sendable, Hashable {
    let path: String

    /// The group that `sandboxd` has made for a process; nil where it is not in one.
    public init?(ofProcess process: Int32) {
        guard let path = ProcessSnapshot.text("/proc/\(process)/cgroup").flatMap(Self.path) else { return nil }
        self.path = "/sys/fs/cgroup" + path
    }

    /// The place of a container's own group, of what `/proc/PID/cgroup` says: `…/velocitylab-PID/podUID/NAME.ATTEMPT`.
    static func path(in text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix("0::/") {
            let path = line.dropFirst(3)
            let parts = path.split(separator: "/")
            guard parts.count >= 3, parts[parts.count - 2].hasPrefix("pod"),
                parts[parts.count - 3].hasPrefix("velocitylab-")
            else { return nil }
            return String(path)
        }
        return nil
    }

    /// What is used in it; nil when it is gone.
    ///
    /// Memory is the working set, as Kubernetes counts it: without pages of files that have not been used for long.
    public func total() -> ProcessSnapshot.Total? {
        func text(_ name: String) -> String? { ProcessSnapshot.text("\(path)/\(name)") }
        guard let time = text("cpu.stat").flatMap({ Self.number("usage_usec", in: $0) }),
            let memory = text("memory.current").flatMap({ Int64($0.prefix { $0.isNumber }) }),
            let pages = text("memory.stat")
        else { return nil }
        let inactive = Self.number("inactive_file", in: pages) ?? 0
        return ProcessSnapshot.Total(cpuNanoseconds: time * 1000, memoryBytes: max(0, memory - inactive))
    }

    /// The number after a name, of a file with one such pair a line.
    static func number(_ name: String, in text: String) -> Int64? {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2, parts[0] == name { return Int64(parts[1]) }
        }
        return nil
    }
}
