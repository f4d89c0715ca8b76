import ContainerRuntime
import NIOCore

/// The way out of the cluster: accepts in its network what pods send to the world outside, and connects there from this process.
///
/// A connection is accepted before it is known whether it leads anywhere; one that does not is reset. Datagrams have a
/// `DatagramGateway`.
struct EgressGateway: Sendable {
    let egress: Egress
    let address: IPv4Address
    let port: Int

    /// The way, made: where connections arrive, and what datagrams arrive through.
    struct Way: Sendable {
        let connections: StreamForwarder.Listener
        let datagrams: (any Channel)?

        func close() async {
            try? await connections.channel.close()
            try? await datagrams?.close()
        }
    }

    /// Makes the way, before the first policy is applied; nil where there is to be none.
    func open(_ datapath: any NetworkDatapath, _ forwarder: StreamForwarder) async throws -> Way? {
        guard egress != .none else { return nil }
        let descriptor = try await datapath.listen(.tcp, address: address.description, port: port)
        let listener = try await forwarder.listen(on: descriptor)
        do {
            let packets = try await datapath.divertOutgoing(to: address, port: port)
            guard let packets else { return Way(connections: listener, datagrams: nil) }
            let datagrams = try await DatagramGateway.open(packets, egress: egress, on: forwarder.eventLoops.next())
            return Way(connections: listener, datagrams: datagrams)
        } catch {
            try? await listener.channel.close()
            throw error
        }
    }

    func serve(_ way: Way, _ forwarder: StreamForwarder) async {
        let egress = egress
        await forwarder.serve(way.connections) { client in
            let wanted = try await Self.destination(of: client)
            guard let target = egress.target(of: wanted.address) else { throw ConnectError.refused }
            return try await StreamForwarder.dialHost(target.description, port: wanted.port, on: client.eventLoop)
        }
        await way.close()
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
