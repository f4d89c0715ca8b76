import ContainerRuntime
import Glibc
import NIOCore
import NIOPosix

/// What the network of a cluster costs: changes of rules, and bytes through a node port.
enum NetworkLoad {
    static func run() async throws {
        let runtime = try SandboxRuntime(images: .ofThisProgram(), logs: ContainerLogs())
        let services = try await median(31) { try await runtime.apply(rules(shiftedBy: $0)) }
        Report.line("200 Services x 3 endpoints, all replaced", Report.text(services), "target: under 10 ms")
        let judged = try await median(31) { try await runtime.apply(policies(shiftedBy: $0)) }
        Report.line("100 isolated pods, 20 kinds of rules, replaced", Report.text(judged), "")
        let (direct, through) = try await throughput(runtime)
        Report.line(
            "bytes through a node port", "\(megabytes(through)) MB/s, \(Int(through / direct * 100))%",
            "target: 60% of loopback, \(megabytes(direct)) MB/s")
        await runtime.shutDown()
    }

    private static func median(_ count: Int, _ body: (Int) async throws -> Void) async throws -> Duration {
        var times: [Duration] = []
        for turn in 0..<count {
            let start = ContinuousClock.now
            try await body(turn)
            times.append(.now - start)
        }
        return Report.percentile(times, 0.5)
    }

    private static func rules(shiftedBy turn: Int) -> [ServiceRule] {
        (0..<200).map { service in
            ServiceRule(
                address: "10.96.1.\(service)", port: 80, transport: .tcp,
                backends: (0..<3).map {
                    .init(address: "10.244.\($0).\((service + turn) % 250 + 2)", port: 8080)
                })
        }
    }

    private static func policies(shiftedBy turn: Int) -> PolicyRules {
        let isolations = (0..<100).map { pod in
            let peers = (0..<10).map { IPv4Address(10, 244, 1, UInt8((pod % 20 * 10 + $0 + turn) % 250)) }
            let allowance = PolicyRules.Allowance(
                peer: .pods(peers), ports: PolicyRules.Ports(transport: 6, numbers: 80...80))
            return PolicyRules.Isolation(
                pod: IPv4Address(10, 244, 0, UInt8(pod + 2)), direction: .ingress, allowed: [allowance])
        }
        return PolicyRules(isolations: isolations)
    }

    // MARK: Bytes

    private static let amount = 2 << 30

    private static func megabytes(_ rate: Double) -> Int { Int(rate / 1_000_000) }

    /// Bytes per second from a server on loopback, and from one in the cluster through the proxy of a node port.
    private static func throughput(_ runtime: SandboxRuntime) async throws -> (direct: Double, through: Double) {
        let threads = NIOThreadPool(numberOfThreads: 2)
        threads.start()
        func measure(_ server: Int32, _ client: Int) async throws -> Double {
            async let sent: Void = threads.runIfActive { pour(into: server) }
            let start = ContinuousClock.now
            let received = try await threads.runIfActive { try drain(from: client) }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            try await sent
            return Double(received) / seconds
        }
        let (local, localPort) = try Loopback.listen()
        let direct = try await measure(local, localPort)
        let inside = try await runtime.listen(.tcp, address: "10.244.255.9", port: 9000)
        let (front, port) = try Loopback.listen()
        let pump = try StreamPump(runtime)
        async let supplying: Void = pump.run()
        pump.lead(try pump.listen(on: front), to: [.init(address: "10.244.255.9", port: 9000)])
        let through = try await measure(inside, port)
        pump.end()
        await supplying
        try await threads.shutdownGracefully()
        return (direct, through)
    }

    /// Accepts one connection, fills it, and closes both sockets.
    private static func pour(into listener: Int32) {
        var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        poll(&waiting, 1, 10_000)
        let client = accept(listener, nil, nil)
        let block = [UInt8](repeating: 7, count: 256 * 1024)
        var left = amount
        while left > 0 {
            let count = write(client, block, min(left, block.count))
            if count <= 0 { break }
            left -= count
        }
        close(client)
        close(listener)
    }

    /// Reads all that comes from a port of 127.0.0.1.
    private static func drain(from port: Int) throws -> Int {
        let descriptor = try Loopback.connect(to: port)
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        var total = 0
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 { total += count }
        return total
    }
}
