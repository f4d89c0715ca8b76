import Glibc
import NIOCore

/// Finds out whether a client on this machine has gone although its last bytes are still to be read.
///
/// A client that is killed while its connection is full leaves its end behind the bytes that nobody reads, and TCP does not
/// tell. The kernel's table does: the client's socket belongs to no program any more.
enum AbandonedSocket {
    /// Whether the socket at the other end of a connection is gone, or belongs to nobody.
    static func isPeerGone(_ channel: any Channel) -> Bool {
        guard let own = channel.localAddress, let peer = channel.remoteAddress, let near = entry(peer),
            let far = entry(own), let table = readTable()
        else { return false }
        return isAbandoned(near, far, in: table)
    }

    /// Whether a table in the form of `/proc/net/tcp` has no owner for the connection between two addresses.
    static func isAbandoned(_ local: String, _ remote: String, in table: String) -> Bool {
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count > 9, fields[1] == local, fields[2] == remote else { continue }
            return fields[9] == "0"
        }
        return true
    }

    /// An IPv4 address and port as the table has them; nil for addresses of another kind.
    static func entry(_ address: SocketAddress) -> String? {
        guard let octets = address.ipAddress?.split(separator: ".").map({ UInt8($0) }), octets.count == 4,
            let port = address.port
        else { return nil }
        let host = octets.reversed().map { hex(Int($0 ?? 0), digits: 2) }.joined()
        return host + ":" + hex(port, digits: 4)
    }

    private static func hex(_ number: Int, digits: Int) -> String {
        let text = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    private static func readTable() -> String? {
        let descriptor = open("/proc/net/tcp", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(descriptor, &piece, piece.count)
            guard count >= 0 else { return nil }
            if count == 0 { return String(decoding: text, as: UTF8.self) }
            text += piece[..<count]
        }
    }
}

extension Mailbox {
    private static var lookInterval: Duration { .seconds(2) }

    /// Sends, and closes the connection that the element came from if its client goes while there is no room.
    func send(_ element: Element, cost: Int, from wire: WireWriter) async {
        guard !offer(element, cost: cost) else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitForRoom() }
            group.addTask {
                // Nothing tells of this, so somebody has to look; only while a program does not read its input.
                while (try? await ContinuousClock().sleep(for: Self.lookInterval)) != nil {
                    if AbandonedSocket.isPeerGone(wire.channel) { return wire.close() }
                }
            }
            await group.next()
            group.cancelAll()
        }
    }
}
