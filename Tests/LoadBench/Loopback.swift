import ContainerRuntime
import Glibc

/// Sockets on 127.0.0.1, as plainly as the system gives them: what measures must cost less than what is measured.
enum Loopback {
    private static func place(_ port: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt16(AF_INET)) { Array($0) }
            + [UInt8(port >> 8), UInt8(port & 255), 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
    }

    /// A listening socket on a free port.
    static func listen() throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = place(0)
        var size = socklen_t(address.count)
        let isListening = address.withUnsafeMutableBytes { bytes -> Bool in
            guard let pointer = bytes.bindMemory(to: sockaddr.self).baseAddress else { return false }
            return bind(descriptor, pointer, size) == 0 && Glibc.listen(descriptor, 16) == 0
                && getsockname(descriptor, pointer, &size) == 0
        }
        guard isListening else { throw ConnectError.system("no port is free") }
        return (descriptor, Int(address[2]) << 8 | Int(address[3]))
    }

    /// A connection to a port.
    static func connect(to port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let isConnected = place(port).withUnsafeBytes { bytes in
            bytes.bindMemory(to: sockaddr.self).baseAddress.map {
                Glibc.connect(descriptor, $0, socklen_t(bytes.count))
            } == 0
        }
        guard isConnected else {
            close(descriptor)
            throw ConnectError.refused
        }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        return descriptor
    }
}
