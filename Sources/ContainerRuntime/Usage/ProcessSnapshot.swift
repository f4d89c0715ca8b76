import Glibc

/// The processes of this machine at one moment, as `/proc` shows them.
public struct ProcessSnapshot: Sendable {
    private struct Entry {
        let parent: Int32
        let memoryPages: Int64
        /// Time that children took which have ended, in clock ticks.
        let endedTicks: Int64
    }

    /// What some processes have used since they began.
    public struct Total: Sendable, Hashable {
        public var cpuNanoseconds: Int64 = 0
        public var memoryBytes: Int64 = 0

        public init(cpuNanoseconds: Int64 = 0, memoryBytes: Int64 = 0) {
            self.cpuNanoseconds = cpuNanoseconds
            self.memoryBytes = memoryBytes
        }
    }

    private let entries: [Int32: Entry]
    private let children: [Int32: [Int32]]

    public init() {
        var entries: [Int32: Entry] = [:]
        for name in Self.names(in: "/proc") {
            guard let process = Int32(name), let entry = Self.read(process) else { continue }
            entries[process] = entry
        }
        self.entries = entries
        children = Dictionary(grouping: entries.keys) { entries[$0]?.parent ?? 0 }
    }

    /// What a container has used: its first process and everything that lives in its files or comes from it.
    public func total(of process: Int32) -> Total {
        var total = Total()
        let page = Int64(sysconf(Int32(_SC_PAGESIZE)))
        let tick = 1_000_000_000 / max(1, Int64(sysconf(Int32(_SC_CLK_TCK))))
        for member in members(of: process) {
            guard let entry = entries[member] else { continue }
            total.memoryBytes += entry.memoryPages * page
            total.cpuNanoseconds += entry.endedTicks * tick + Self.runTime(of: member)
        }
        return total
    }

    private func members(of process: Int32) -> Set<Int32> {
        var members: Set<Int32> = []
        var open = entries[process] == nil ? [] : [process]
        while let next = open.popLast() {
            guard members.insert(next).inserted else { continue }
            open += children[next] ?? []
        }
        // Whoever lost its parent is a child of the pod's first process; it still has the container's files.
        guard let files = Self.link("/proc/\(process)/ns/mnt"), files != Self.link("/proc/self/ns/mnt") else {
            return members
        }
        for other in entries.keys where !members.contains(other) {
            if Self.link("/proc/\(other)/ns/mnt") == files { members.insert(other) }
        }
        return members
    }

    // MARK: /proc

    private static func read(_ process: Int32) -> Entry? {
        guard let text = text("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 21, let parent = Int32(fields[1]), let pages = Int64(fields[21]) else { return nil }
        return Entry(
            parent: parent, memoryPages: pages, endedTicks: (Int64(fields[13]) ?? 0) + (Int64(fields[14]) ?? 0))
    }

    /// Nanoseconds that the threads of a process have run.
    private static func runTime(of process: Int32) -> Int64 {
        names(in: "/proc/\(process)/task").reduce(0) { sum, thread in
            let text = text("/proc/\(process)/task/\(thread)/schedstat") ?? ""
            return sum + (text.split(separator: " ").first.flatMap { Int64($0) } ?? 0)
        }
    }

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let item = readdir(stream) {
            let name = withUnsafePointer(to: &item.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.first?.isNumber == true { names.append(name) }
        }
        return names
    }

    /// A small file, read at once.
    static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        return count >= 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}

/// What the whole machine has used.
public enum MachineUsage {
    /// Processor time since it started, without the time in which nothing ran, and memory that is taken.
    public static func total() -> ProcessSnapshot.Total {
        var total = ProcessSnapshot.Total()
        let line = ProcessSnapshot.text("/proc/stat")?.split(separator: "\n").first ?? ""
        let ticks = line.split(separator: " ").dropFirst().prefix(8).map { Int64($0) ?? 0 }
        // user nice system idle iowait irq softirq steal
        let busy = ticks.enumerated().reduce(0) { $1.offset == 3 || $1.offset == 4 ? $0 : $0 + $1.element }
        total.cpuNanoseconds = busy * (1_000_000_000 / max(1, Int64(sysconf(Int32(_SC_CLK_TCK)))))
        var amounts: [Substring: Int64] = [:]
        for line in ProcessSnapshot.text("/proc/meminfo")?.split(separator: "\n") ?? [] {
            let parts = line.split(separator: " ")
            if parts.count > 1 { amounts[parts[0]] = Int64(parts[1]) }
        }
        total.memoryBytes = ((amounts["MemTotal:"] ?? 0) - (amounts["MemAvailable:"] ?? 0)) * 1024
        return total
    }
}
