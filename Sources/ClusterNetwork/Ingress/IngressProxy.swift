import ContainerRuntime
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization

/// The ingress controller's servers: HTTP and HTTPS on two sockets in the cluster's network.
final class IngressProxy: Sendable {
    let dialer: IngressDialer
    private let eventLoops: any EventLoopGroup
    private let current: Mutex<(table: IngressTable, certificates: IngressCertificates)>
    private let turns = Atomic(0)
    private let open = Mutex<[ObjectIdentifier: any Channel]>([:])

    /// - Throws: If no certificate can be made.
    init(dialer: IngressDialer, eventLoops: any EventLoopGroup) throws {
        self.dialer = dialer
        self.eventLoops = eventLoops
        current = Mutex((IngressTable(), try IngressCertificates()))
    }

    /// Decides by these from the next request on.
    func replace(_ table: IngressTable, _ certificates: IngressCertificates) {
        current.withLock { $0 = (table, certificates) }
    }

    var table: IngressTable { current.withLock { $0.table } }
    var certificates: IngressCertificates { current.withLock { $0.certificates } }

    /// The backends in the order in which to try them: each is the first one in its turn.
    func turn(_ backends: [ServiceRule.Backend]) -> [ServiceRule.Backend] {
        let start = (turns.wrappingAdd(1, ordering: .relaxed).newValue & 0xFFFF) % backends.count
        return Array(backends[start...] + backends[..<start])
    }

    /// Takes over a listening socket; the caller closes the channel.
    func listen(on descriptor: Int32, isTLS: Bool) async throws -> any Channel {
        guard descriptor >= 0 else { throw ConnectError.system("there is no socket to listen on") }
        return try await ServerBootstrap(group: eventLoops)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                self.track(channel)
                return channel.eventLoop.makeCompletedFuture {
                    let operations = channel.pipeline.syncOperations
                    guard isTLS else { return try self.addHandlers(channel, isTLS: false) }
                    let hello = SNIHandler { result in
                        let name: String? = if case .hostname(let name) = result { name } else { nil }
                        return channel.eventLoop.makeCompletedFuture {
                            try operations.addHandler(
                                NIOSSLServerHandler(context: self.certificates.context(for: name)))
                            try self.addHandlers(channel, isTLS: true)
                        }
                    }
                    try operations.addHandler(ByteToMessageHandler(hello))
                }
            }
            .withBoundSocket(descriptor).get()
    }

    private func addHandlers(_ channel: any Channel, isTLS: Bool) throws {
        try channel.pipeline.syncOperations.addHandlers(
            IdleStateHandler(allTimeout: .seconds(75)), HTTPResponseEncoder(),
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes)),
            HTTPServerPipelineHandler(), HTTPServerProtocolErrorHandler(),
            IngressFrontHandler(ingress: self, isTLS: isTLS))
    }

    private func track(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        open.withLock { $0[id] = channel }
        channel.closeFuture.whenComplete { _ in self.open.withLock { $0[id] = nil } }
    }

    /// Closes every connection that is still open.
    func closeAll() {
        for channel in open.withLock({ Array($0.values) }) { channel.close(promise: nil) }
    }
}
