import ContainerRuntime
import Foundation
import KubeClient
import LabTesting
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import ClusterNetwork

@Suite("Datagrams that leave the cluster", .serialized, .timeLimit(.minutes(5))) struct DatagramGatewayTests {
    /// A frame with a UDP packet from 10.244.0.2:4000 to 198.51.100.7:53.
    private static func frame(_ data: [UInt8], flags: [UInt8] = [0x40, 0], transport: UInt8 = 17) -> [UInt8] {
        let length = [UInt8((28 + data.count) >> 8), UInt8((28 + data.count) & 255)]
        return [2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 7, 8, 0, 0x45, 0] + length + [0, 1] + flags
            + [64, transport, 0, 0, 10, 244, 0, 2, 198, 51, 100, 7]
            + [0x0F, 0xA0, 0, 53, 0, UInt8(8 + data.count), 0xAB, 0xCD] + data
    }

    @Test("a frame is read as what is in it, and an answer turns it round")
    func codec() throws {
        let frame = try #require(IPv4Frame(Self.frame([1, 2, 3]) + [0, 0]))
        #expect(frame.source == IPv4Address(10, 244, 0, 2) && frame.destination == IPv4Address(198, 51, 100, 7))
        let datagram = try #require(frame.datagram)
        #expect(datagram.sourcePort == 4000 && datagram.destinationPort == 53 && Array(datagram.data) == [1, 2, 3])
        let bytes = try #require(frame.answer([9, 8], number: 0x1234))
        #expect(Array(bytes.prefix(6)) == [2, 0, 0, 0, 0, 7])
        let answer = try #require(IPv4Frame(bytes))
        #expect(answer.source == frame.destination && answer.destination == frame.source)
        let back = try #require(answer.datagram)
        #expect(back.sourcePort == 53 && back.destinationPort == 4000 && Array(back.data) == [9, 8])
        #expect(answer.packet[4..<6] == [0x12, 0x34])
        // Summed up with itself, a right checksum gives nothing.
        #expect(IPv4Frame.checksum(Array(answer.packet.prefix(20))) == 0)
        let error = try #require(IPv4Frame(frame.refused(.port)))
        #expect(error.transport == 1 && error.datagram == nil)
        #expect(Array(error.packet[20..<22]) == [3, 3])
        #expect(Array(error.packet[28...]) == Array(frame.packet.prefix(28)))
        #expect(IPv4Frame.checksum(Array(error.packet[20...])) == 0)
    }

    @Test("a ping is answered with its own number, whatever it had on the way")
    func echo() throws {
        var ping = Self.frame([7, 7, 7], transport: 1)
        // What of a datagram would be ports and length: kind and code, checksum, identifier, sequence.
        ping.replaceSubrange(34..<42, with: [8, 0, 0, 0, 0x12, 0x34, 0, 9])
        let frame = try #require(IPv4Frame(ping))
        let echo = try #require(frame.echo)
        #expect(echo.identifier == 0x1234 && echo.sequence == 9 && echo.data == [7, 7, 7])
        let own = echo.with(identifier: 5)
        #expect(own.bytes.prefix(2) == [8, 0] && IPv4Frame.checksum(own.bytes) == 0)
        var reply = try #require(ICMPEcho(own.bytes[...]))
        reply.kind = .reply
        let answer = try #require(IPv4Frame(frame.answer(reply.with(identifier: echo.identifier), number: 1)))
        #expect(answer.source == frame.destination && answer.destination == frame.source && answer.echo == nil)
        let heard = try #require(ICMPEcho(answer.packet[20...]))
        #expect(heard.kind == .reply && heard.identifier == 0x1234 && heard.sequence == 9 && heard.data == [7, 7, 7])
        for other in [[3, 0, 0, 0, 0, 0, 0, 0], [8, 1, 0, 0, 0, 0, 0, 0], [8, 0, 0, 0, 0, 0, 0]] as [[UInt8]] {
            #expect(ICMPEcho(other[...]) == nil)
        }
    }

    @Test("what is no whole packet is none")
    func malformed() {
        let good = Self.frame([1, 2, 3])
        for length in 0..<good.count { #expect(IPv4Frame(Array(good.prefix(length))) == nil) }
        for (index, byte) in [(12, UInt8(0x86)), (14, 0x65), (14, 0x44), (14, 0x4F), (16, 0xFF)] {
            var bad = good
            bad[index] = byte
            #expect(IPv4Frame(bad)?.datagram == nil, "byte \(index)")
        }
        // Pieces of a packet, the first and a later one.
        #expect(
            IPv4Frame(Self.frame([1], flags: [0x20, 0])) == nil && IPv4Frame(Self.frame([1], flags: [0, 9])) == nil)
        #expect(IPv4Frame(Self.frame([1], transport: 1))?.datagram == nil)
        var short = good
        short[39] = 200
        #expect(IPv4Frame(short)?.datagram == nil)
    }

    @Test("what may not leave is refused at once, and nothing is said about errors")
    func refusals() throws {
        let channel = EmbeddedChannel(handler: DatagramGateway(egress: .host))
        let udp = Self.frame([1])
        var ping = Self.frame([1], transport: 1)
        ping.replaceSubrange(34...35, with: [8, 0])
        var error = ping
        error[34] = 3
        var empty = Array(ping.prefix(34))
        empty[17] = 20
        for (frame, isRefused) in [
            (udp, true), (ping, true), (error, false), (empty, false), (Array(udp.prefix(20)), false),
        ] {
            try channel.writeInbound(ByteBuffer(bytes: frame))
            let answer = try channel.readOutbound(as: ByteBuffer.self)
            #expect((answer != nil) == isRefused)
            if let answer { #expect(IPv4Frame(Array(answer.readableBytesView))?.packet[20..<22] == [3, 13]) }
        }
        _ = try channel.finish()
    }

    /// An address of this machine at which it is outside.
    private static let ownAddress = (try? System.enumerateDevices())?.compactMap { $0.address?.ipAddress }
        .compactMap { IPv4Address(parsing: $0) }.first { Egress.outside.target(of: $0) != nil }

    @Test(
        "an answer from outside counts only from where the question went",
        .enabled(if: ownAddress != nil, "this machine has loopback addresses only"))
    func foreignAnswer() async throws {
        let own = try #require(Self.ownAddress)
        let group = MultiThreadedEventLoopGroup.singleton
        let stranger = try await DatagramBootstrap(group: group).bind(host: own.description, port: 0).get()
        let server = try await DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AfterAnother(stranger))
                }
            }
            .bind(host: own.description, port: 0).get()
        let port = server.localAddress?.port ?? 0
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &ends) == 0)
        let gateway = try await DatagramGateway.open(ends[0], egress: .outside, on: group.next())
        let pod = try await NIOPipeBootstrap(group: group).takingOwnershipOfDescriptor(inputOutput: ends[1]) {
            channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        var frame = Self.frame([1])
        frame.replaceSubrange(30..<34, with: own.bytes)
        frame.replaceSubrange(36..<38, with: [UInt8(port >> 8), UInt8(port & 255)])
        let heard = try await pod.executeThenClose { [frame] inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: frame))
            for try await bytes in inbound { return IPv4Frame(Array(bytes.readableBytesView)) }
            return nil
        }
        #expect(heard?.datagram.map { String(decoding: $0.data, as: UTF8.self) } == "the server's")
        for channel in [gateway, server, stranger] { try? await channel.close() }
    }

    private static var canPing: Bool {
        guard RuntimeProbe.run().level == .sandbox, FileManager.default.isExecutableFile(atPath: "/usr/bin/ping"),
            let socket = EchoSocket()
        else { return false }
        close(socket.descriptor)
        return true
    }

    @Test(
        "a pod pings this machine, and no Service",
        .enabled(if: canPing, "this machine denies namespaces, or pings to this user, or has no ping"))
    func ping() async throws {
        let runtime = try SandboxRuntime(images: .ofThisProgram(), logs: ContainerLogs())
        let forwarder = StreamForwarder()
        let log = NSTemporaryDirectory() + "/ping-\(UUID().uuidString).log"
        defer { try? FileManager.default.removeItem(atPath: log) }
        do {
            try await runtime.runPodSandbox(
                PodSandboxConfiguration(
                    podUID: "a", name: "a", namespace: "default", hostName: "a", address: "10.244.0.2",
                    resolverConfiguration: "", hosts: ""))
            try await runtime.apply([
                ServiceRule(
                    address: "10.96.0.7", port: 80, transport: .tcp, backends: [.init(address: "10.244.0.2", port: 80)])
            ])
            let gateway = EgressGateway(egress: .host, address: IPv4Address(169, 254, 1, 1), port: 15001)
            let opened = try await gateway.open(runtime, forwarder)
            let way = try #require(opened)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await gateway.serve(way, forwarder) }
                let script = """
                    ping -c 2 -i 0.2 -W 5 \(Egress.hostAddress) || exit 1
                    ping -c 1 -W 5 -s 4000 \(Egress.hostAddress) || exit 2
                    ping -c 1 -W 5 198.51.100.7 | grep filtered || exit 3
                    ! ping -c 1 -W 1 10.96.0.7 || exit 4
                    """
                let id = try await runtime.startContainer(
                    ContainerConfiguration(
                        podUID: "a", name: "ping", image: try await runtime.pullImage("debian"),
                        arguments: ["bash", "-c", script], logPath: log))
                let code = await runtime.waitForExit(id).code
                #expect(code == 0, "\((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
                group.cancelAll()
            }
        } catch {
            await runtime.shutDown()
            throw error
        }
        await runtime.shutDown()
    }

    @Test(
        "a pod asks a server of this machine by UDP and hears it, learns at once that nobody is there, and reaches no pod that is not there",
        .enabled(if: RuntimeProbe.run().level == .sandbox, "this machine denies namespaces: pods are outside anyway"))
    func host() async throws {
        let server = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.recvAllocator, value: DatagramAnswers.room)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Upper()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = server.localAddress?.port ?? 0
        let unheard = try UnheardPort()
        let runtime = try SandboxRuntime(images: .ofThisProgram(), logs: ContainerLogs())
        let forwarder = StreamForwarder()
        do {
            try await runtime.runPodSandbox(
                PodSandboxConfiguration(
                    podUID: "a", name: "a", namespace: "default", hostName: "a", address: "10.244.0.2",
                    resolverConfiguration: "", hosts: ""))
            let gateway = EgressGateway(egress: .host, address: IPv4Address(169, 254, 1, 1), port: 15001)
            let opened = try await gateway.open(runtime, forwarder)
            let way = try #require(opened)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await gateway.serve(way, forwarder) }
                func run(_ script: String) async throws -> Int {
                    let log = NSTemporaryDirectory() + "/udp-\(UUID().uuidString).log"
                    defer { try? FileManager.default.removeItem(atPath: log) }
                    let id = try await runtime.startContainer(
                        ContainerConfiguration(
                            podUID: "a", name: "client-\(UUID().uuidString.prefix(8))",
                            image: try await runtime.pullImage("busybox"), arguments: ["bash", "-c", script],
                            logPath: log))
                    return await runtime.waitForExit(id).code
                }
                let address = Egress.hostAddress.description
                // Two conversations, the first of more than one packet.
                let ask = """
                    exec 3<>/dev/udp/\(address)/\(port) 4<>/dev/udp/\(address)/\(port)
                    for word in one two; do
                      echo -n $word >&3; [ $(timeout 5 head -c 3 <&3) = ${word^^} ] || exit 1
                    done
                    echo -n six >&4; [ $(timeout 5 head -c 3 <&4) = SIX ] || exit 2
                    echo -n many >&4; [ $(timeout 5 dd bs=65536 count=1 <&4 | wc -c) = 60000 ] || exit 3
                    dd bs=50000 count=1 if=/dev/zero >&4
                    [ $(timeout 5 dd bs=65536 count=1 <&4 | wc -c) = 50000 ] || exit 4
                    """
                var codes = [try await run(ask)]
                // A second word fails where the first one was refused.
                func refused(_ address: String, _ port: Int) -> String {
                    "exec 3<>/dev/udp/\(address)/\(port); echo one >&3; timeout 5 head -c 1 <&3; [ $? = 1 ]"
                }
                codes.append(try await run(refused(address, unheard.number)))
                codes.append(try await run(refused("198.51.100.7", port)))
                #expect(codes == [0, 0, 0])
                // Policies judge what leaves before it does.
                try await runtime.apply(
                    PolicyRules(
                        isolations: [.init(pod: IPv4Address(10, 244, 0, 2), direction: .egress, allowed: [])]))
                let silence =
                    "exec 3<>/dev/udp/\(address)/\(port); echo one >&3; timeout 0.3 head -c 1 <&3; [ $? = 124 ]"
                let silent = try await run(silence)
                try await runtime.apply(PolicyRules())
                let open = try await run(ask)
                #expect(silent == 0 && open == 0)
                await #expect(throws: ConnectError.unreachable) {
                    try await runtime.connect(address: "10.244.0.77", port: 80, insidePod: "a", timeout: .seconds(5))
                }
                group.cancelAll()
            }
        } catch {
            await runtime.shutDown()
            throw error
        }
        try await server.close()
        await runtime.shutDown()
    }
}

/// Answers in capital letters; to "many" with 60,000 of them.
private final class Upper: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let heard = String(buffer: envelope.data)
        let words = heard == "many" ? String(repeating: "X", count: 60_000) : heard.uppercased()
        let answer = AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: ByteBuffer(string: words))
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
    }
}

/// Answers only when somebody else has.
private final class AfterAnother: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>
    private let stranger: any Channel

    init(_ stranger: any Channel) { self.stranger = stranger }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let client = unwrapInboundIn(data).remoteAddress
        let channel = context.channel
        stranger.writeAndFlush(AddressedEnvelope(remoteAddress: client, data: ByteBuffer(string: "a stranger's")))
            .whenComplete { _ in
                let answer = AddressedEnvelope(remoteAddress: client, data: ByteBuffer(string: "the server's"))
                channel.writeAndFlush(answer, promise: nil)
            }
    }
}
