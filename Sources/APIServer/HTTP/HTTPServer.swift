import Glibc
import KubeModel
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// The HTTPS side of the API server: HTTP/1.1, TLS by the cluster's own certificates.
///
/// A connection lives on one of a few event loops, and so do the tasks that work for it.
struct HTTPServer: Sendable {
    let port: Int
    let credentials: PKI
    let pipeline: RequestPipeline
    let authenticator: Authenticator
    var limits = RequestCollector.Limits()

    /// Serves until the task is cancelled.
    ///
    /// `whenBound` is called once, with the port.
    func run(whenBound: @Sendable (Int) -> Void) async throws {
        Self.raiseDescriptorLimit()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: Self.loopCount)
        do {
            try await serve(on: group, whenBound: whenBound)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try? await group.shutdownGracefully()
    }

    /// One for each processor, but no more than four: each costs memory.
    private static var loopCount: Int { min(4, max(1, System.coreCount)) }

    /// Lets as many connections in as the system allows this process, instead of the usual 1,024.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max
        else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Descriptors that are left for files, pods and those who are told that there is no more room.
    private static let descriptorsKept = 256

    /// So many connections the system lets this process hold.
    private static var connectionsAllowed: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        let count = Int(clamping: limit.rlim_cur)
        return max(count / 2, count - descriptorsKept)
    }

    private func serve(on group: MultiThreadedEventLoopGroup, whenBound: @Sendable (Int) -> Void) async throws {
        let tls = try makeTLS()
        let limits = limits
        let connectionsMax = min(limits.connectionsMax, Self.connectionsAllowed)
        let openCount = OpenCount()
        let budget = BodyBudget(bytesMax: limits.bodiesBytesMax)
        var heads = NIOHTTPDecoderLimitConfiguration()
        heads.maxHeaderListSize = limits.headBytesMax
        let headLimits = heads
        let listener: NIOAsyncChannel<any Channel, Never>
        do {
            listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                // Read from when somebody serves.
                .childChannelOption(.autoRead, value: false)
                .bind(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let operations = channel.pipeline.syncOperations
                        try operations.addHandler(NIOSSLServerHandler(context: tls))
                        try operations.addHandler(WriteJoiner())
                        // Assistance with pipelining would stop reading during an answer, and not see a client leave.
                        try operations.addHandlers([
                            HTTPResponseEncoder(),
                            // What a client sends ahead of an upgrade belongs to the other protocol.
                            ByteToMessageHandler(
                                HTTPRequestDecoder(
                                    leftOverBytesStrategy: .forwardBytes, limitConfiguration: headLimits)),
                            NIOHTTPResponseHeadersValidator(), HTTPServerProtocolErrorHandler(),
                        ])
                        try operations.addHandler(RequestCollector(limits: limits, budget: budget))
                        return channel
                    }
                }
        } catch {
            throw ServerError(port: port, error)
        }
        let executors = Dictionary(
            uniqueKeysWithValues: group.makeIterator().map { (ObjectIdentifier($0), LoopExecutor($0)) })
        let watchLoops = Dictionary(
            uniqueKeysWithValues: group.makeIterator().map {
                (ObjectIdentifier($0), WatchLoop(pipeline.registry.store, $0))
            })
        let spareMemory = SpareMemory(group.next())
        whenBound(listener.channel.localAddress?.port ?? port)
        try await listener.executeThenClose { inbound in
            try await withThrowingDiscardingTaskGroup { connections in
                do {
                    for try await channel in inbound {
                        let loop = ObjectIdentifier(channel.eventLoop)
                        let isOneTooMany = openCount.open() > connectionsMax
                        connections.addTask(executorPreference: executors[loop]) {
                            defer { openCount.close() }
                            guard let watches = watchLoops[loop], let channel = try? await HTTPConnection.take(channel)
                            else { return }
                            await HTTPConnection(
                                channel: channel, pipeline: pipeline, authenticator: authenticator, watches: watches,
                                spareMemory: spareMemory, isOneTooMany: isOneTooMany
                            ).serve()
                        }
                    }
                } catch is CancellationError {}
                // Watches would go on for an hour; clients of a server that leaves connect again.
                connections.cancelAll()
            }
        }
    }

    private func makeTLS() throws -> NIOSSLContext {
        let authority = try NIOSSLCertificate.fromPEMBytes(Array(credentials.authorityCertificate.utf8))
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(credentials.serverCertificate.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(credentials.serverKey.utf8), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        // A certificate is not needed, because there are tokens; one that is shown must be of our authority.
        configuration.certificateVerification = .optionalVerification
        configuration.trustRoots = .certificates(authority)
        configuration.applicationProtocols = ["http/1.1"]
        configuration.minimumTLSVersion = .tlsv12
        return try NIOSSLContext(configuration: configuration)
    }
}

/// How many connections there are.
private final class OpenCount: Sendable {
    private let count = Atomic(0)

    /// The number with the new one.
    func open() -> Int { count.add(1, ordering: .relaxed).newValue }

    func close() { count.subtract(1, ordering: .relaxed) }
}

/// Why the API server does not serve.
public struct ServerError: Error, Sendable, Hashable, CustomStringConvertible {
    public var message: String
    public var hint: String?
    public var description: String { hint.map { "\(message)\nhint: \($0)" } ?? message }

    init(message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    init(port: Int, _ error: any Error) {
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE:
            message = "The port \(port) is in use by another program."
            hint = "Choose another port, or end the program that uses it."
        case EACCES:
            message = "The port \(port) needs rights that this program does not have."
            hint = "Choose a port from 1024 on."
        default:
            message = "The API server cannot listen on port \(port): \(error)."
            hint = nil
        }
    }
}
