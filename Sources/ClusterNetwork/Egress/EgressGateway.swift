import ContainerRuntime
import NIOCore

/// The way out of the cluster: accepts in its network what pods send to the world outside, and connects there from this process.
///
/// A connection is accepted before it is known whether it leads anywhere; one that does not is reset.
struct EgressGateway: Sendable {
    let egress: Egress
    let address: IPv4Address
    let port: Int

    /// Makes the way, before the first policy is applied; nil where there is to be none.
    func open(_ datapath: any NetworkDatapath, _ forwarder: StreamForwarder) async throws -> StreamForwarder.Listener? {
        guard egress != .none else { return nil }
        let descriptor = try await datapath.listen(.tcp, address: address.description, port: port)
        let listener = try await forwarder.listen(on: descriptor)
        do { try await datapath.divertOutgoing(to: address, port: port) } catch {
            try? await listener.channel.close()
            throw error
        }
        return listener
    }

    func serve(_ listener: StreamForwarder.Listener, _ forwarder: StreamForwarder) async {
        let egress = egress
        await forwarder.serve(listener) { client in
            let wanted = try await Self.destination(of: client)
            guard let target = egress.target(of: wanted.address) else { throw ConnectError.refused }
            return try await StreamForwarder.dialHost(target.description, port: wanted.port, on: client.eventLoop)
        }
    }

    /// Where a connection was going to before it was diverted: SO_ORIGINAL_DST gives it as a `sockaddr_in`.
    private static func destination(of client: any Channel) async throws -> (address: IPv4Address, port: Int) {
        guard let options = client as? any SocketOptionProvider else { throw ConnectError.unreachable }
        let original = NIOBSDSocket.Option(rawValue: 80)
        let raw: (UInt64, UInt64) = try await options.unsafeGetSocketOption(
            level: NIOBSDSocket.OptionLevel(rawValue: 0), name: original
        ).get()
        let bytes = withUnsafeBytes(of: raw.0) { Array($0) }
        return (IPv4Address(bytes[4], bytes[5], bytes[6], bytes[7]), Int(bytes[2]) << 8 | Int(bytes[3]))
    }
}
