import NIOCore

/// Sockets for those who speak over datagrams, one for each key, on one event loop; what is said before a socket is there waits for it.
final class DatagramSessions<Key: Hashable> {
    private enum Session {
        /// At most a handful, as with any queue of datagrams.
        case waiting([ByteBuffer])
        case joined(any Channel, SocketAddress)
    }

    private let countMax: Int
    private let earlyMax = 16
    private var sessions: [Key: Session] = [:]

    /// - Parameter countMax: Who comes when there are so many is not heard.
    init(countMax: Int) { self.countMax = countMax }

    /// Sends data on; true where a socket has to be made for it, which is then to be joined.
    ///
    /// - Parameter isGone: Whether a session's other end is no longer the one to speak with.
    func pass(_ data: ByteBuffer, of key: Key, isGone: (SocketAddress) -> Bool = { _ in false }) -> Bool {
        switch sessions[key] {
        case .joined(let channel, let address) where !isGone(address):
            channel.writeAndFlush(AddressedEnvelope(remoteAddress: address, data: data), promise: nil)
            return false
        case .joined(let channel, _):
            sessions[key] = .waiting([data])
            channel.close(promise: nil)
            return true
        case .waiting(let early):
            if early.count < earlyMax { sessions[key] = .waiting(early + [data]) }
            return false
        case nil:
            guard sessions.count < countMax else { return false }
            sessions[key] = .waiting([data])
            return true
        }
    }

    /// The socket is there, or there will be none.
    func join(_ key: Key, _ channel: (any Channel)?, _ address: SocketAddress?) {
        guard case .waiting(let early) = sessions.removeValue(forKey: key), let channel, let address else {
            channel?.close(promise: nil)
            return
        }
        sessions[key] = .joined(channel, address)
        for data in early { channel.write(AddressedEnvelope(remoteAddress: address, data: data), promise: nil) }
        channel.flush()
        channel.closeFuture.assumeIsolated().whenComplete { _ in
            // Another one may have taken its place.
            if case .joined(let present, _) = self.sessions[key], present === channel { self.sessions[key] = nil }
        }
    }

    func closeAll() {
        for case .joined(let channel, _) in sessions.values { channel.close(promise: nil) }
    }
}
