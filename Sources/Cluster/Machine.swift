import Glibc
import KubeModel

/// What this machine can give to pods.
enum MachineCapacity {
    /// - Parameter path: A folder on the disk that pods write to.
    static func measure(_ path: String) -> [String: Quantity] {
        let cores = max(1, Int64(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let memory = Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
        var disk = statvfs()
        let bytes = statvfs(path, &disk) == 0 ? Int64(disk.f_blocks) * Int64(disk.f_frsize) : 0
        return [
            "cpu": Quantity(cores), "memory": Quantity(memory / 1024 * 1024, format: .binary),
            "ephemeral-storage": Quantity(bytes / 1024 * 1024, format: .binary), "pods": Quantity(110),
        ]
    }
}

/// Ports of 127.0.0.1.
public enum LoopbackPort {
    public static func isFree(_ port: Int) -> Bool { bind(port) != nil }

    static func anyFree() -> Int? { bind(0) }

    /// Binds and lets go again; returns the port, or nil when it is taken.
    private static func bind(_ port: Int) -> Int? {
        guard let number = UInt16(exactly: port) else { return nil }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = number.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let outcome = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard Glibc.bind(descriptor, address, length) == 0, listen(descriptor, 1) == 0 else { return false }
                return getsockname(descriptor, address, &length) == 0
            }
        }
        return outcome ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }
}
