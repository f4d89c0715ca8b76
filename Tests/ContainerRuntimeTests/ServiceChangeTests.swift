import ContainerRuntime
import Glibc
import LabTesting
import NIOCore
import NIOPosix
import Testing

/// Changes touch what differs: that has to come to the same as everything made anew.
@Suite(
    "Changes of service rules", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: RuntimeProbe.run().level == .sandbox, "this machine denies namespaces, so there are no rules to test")
)
struct ServiceChangeTests {
    /// Rules in which anything may change: few addresses, so that services come, change and go.
    private struct Rules {
        var random: SeededGenerator
        private var bySocket: [String: ServiceRule] = [:]

        init(seed: UInt64) { random = SeededGenerator(seed: seed) }

        var all: [ServiceRule] { Array(bySocket.values) }

        mutating func step() {
            let number = Int.random(in: 1..<12, using: &random)
            let transport: TransportProtocol = Bool.random(using: &random) ? .tcp : .udp
            // Some are for two networks, which come and go by themselves.
            let source = number > 8 ? IPv4Address(10, 244, UInt8.random(in: 0..<2, using: &random), 0) : nil
            let socket = "\(number) \(transport) \(source?.description ?? "")"
            if Int.random(in: 0..<5, using: &random) == 0 {
                bySocket[socket] = nil
                return
            }
            let count = Int.random(in: 0..<5, using: &random)
            bySocket[socket] = ServiceRule(
                address: "10.96.0.\(number)", port: 80, transport: transport,
                backends: (0..<count).map { _ in
                    .init(
                        address: "10.244.0.\(Int.random(in: 2..<9, using: &random))",
                        port: Int.random(in: 80..<82, using: &random))
                }, affinitySeconds: [0, 0, 0, 600, 700].randomElement(using: &random) ?? 0, source: source)
        }
    }

    @Test(
        "after any changes the kernel has what it would have from the last rules alone",
        arguments: [1, 2, 3] as [UInt64])
    func sameAsWhole(seed: UInt64) async throws {
        var rules = Rules(seed: seed)
        let changed = try SandboxRuntime(images: .ofThisProgram(), logs: ContainerLogs())
        for turn in 0..<25 {
            for _ in 0..<Int.random(in: 1..<6, using: &rules.random) {
                rules.step()
                try await changed.apply(rules.all)
            }
            guard turn.isMultiple(of: 3) else { continue }
            let whole = try SandboxRuntime(images: .ofThisProgram(), logs: ContainerLogs())
            try await whole.apply(rules.all)
            let sums = (try await changed.sumOfRules(), try await whole.sumOfRules())
            #expect(sums.0 == sums.1, "seed \(seed), turn \(turn)")
            await whole.shutDown()
        }
        await changed.shutDown()
    }

    @Test("the sum tells rules apart")
    func sums() async throws {
        let runtime = try SandboxRuntime(images: .ofThisProgram(), logs: ContainerLogs())
        func sum(_ backends: [Int], affinity: Int = 0, port: Int = 80) async throws -> String {
            try await runtime.apply([
                ServiceRule(
                    address: "10.96.0.1", port: port, transport: .tcp,
                    backends: backends.map { .init(address: "10.244.0.\($0)", port: 80) }, affinitySeconds: affinity)
            ])
            return try await runtime.sumOfRules()
        }
        let sums = [
            try await sum([]), try await sum([2]), try await sum([3]), try await sum([2, 3]), try await sum([3, 2]),
            try await sum([2], affinity: 60), try await sum([2], port: 81),
        ]
        #expect(Set(sums).count == sums.count)
        #expect(try await sum([2, 3]) == sums[3])
        await runtime.shutDown()
    }

    @Test("a connection goes on, and new ones find their way, while everything around it changes")
    func established() async throws {
        let runtime = try SandboxRuntime(images: .ofThisProgram(), logs: ContainerLogs())
        let (first, second) = (try await Echo.start(runtime, 2), try await Echo.start(runtime, 3))
        func rules(_ backends: [Int], around: Int) -> [ServiceRule] {
            (0...around).map { number in
                ServiceRule(
                    address: "10.96.0.\(number + 1)", port: 80, transport: .tcp,
                    backends: (number == 0 ? backends : [number % 200 + 2]).map {
                        .init(address: "10.244.255.\($0)", port: 80)
                    })
            }
        }
        try await runtime.apply(rules([2], around: 1))
        let connection = try await runtime.connect(
            address: "10.96.0.1", port: 80, insidePod: nil, timeout: .seconds(5))
        for turn in 1...60 {
            // Its own Service loses its pod, and gets it back; others come and go.
            try await runtime.apply(
                rules(turn.isMultiple(of: 3) ? [2, 3] : turn.isMultiple(of: 2) ? [3] : [], around: turn))
            #expect(try await Echo.ask(connection, UInt8(turn)) == [2, UInt8(turn)])
        }
        try await runtime.apply(rules([3], around: 0))
        #expect(try await Echo.ask(connection, 99) == [2, 99])
        let new = try await runtime.connect(address: "10.96.0.1", port: 80, insidePod: nil, timeout: .seconds(5))
        #expect(try await Echo.ask(new, 7) == [3, 7])
        close(connection)
        close(new)
        for server in [first, second] { try await server.close() }
        await runtime.shutDown()
    }
}

/// A server in the cluster's network that answers each byte with its own number and that byte.
private final class Echo: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let number: UInt8

    private init(number: UInt8) { self.number = number }

    /// Listens at 10.244.255.`number`, port 80.
    static func start(_ runtime: SandboxRuntime, _ number: UInt8) async throws -> any Channel {
        let socket = try await runtime.listen(.tcp, address: "10.244.255.\(number)", port: 80)
        return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Echo(number: number))
                }
            }
            .withBoundSocket(socket).get()
    }

    /// Sends a byte and waits for what comes back.
    static func ask(_ descriptor: Int32, _ byte: UInt8) async throws -> [UInt8] {
        try await NIOThreadPool.singleton.runIfActive {
            var answer: [UInt8] = []
            guard send(descriptor, [byte], 1, Int32(MSG_NOSIGNAL)) == 1 else { return [] }
            while answer.count < 2 {
                var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&ready, 1, 10_000) == 1 else { break }
                var buffer = [UInt8](repeating: 0, count: 2)
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                answer += buffer.prefix(count)
            }
            return answer
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for byte in unwrapInboundIn(data).readableBytesView {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: [number, byte])), promise: nil)
        }
    }
}
