import ContainerRuntime
import Glibc
import LabTesting
import NIOPosix
import Synchronization
import Testing

/// Connections through the pump, made and looked at with plain sockets: what is said and how it ends has to be the same as without it.
@Suite("Pumped connections", .timeLimit(.minutes(5)))
struct StreamPumpTests {
    /// A pump that joins connections to the port `front` with a listener's.
    private struct Bed: Sendable {
        let pump: StreamPump
        let sockets: HostSockets
        let listener: StreamPump.Listener
        let front: Int
        let backs: [PlainSocket]

        /// A connection through the pump: the client's end, and the server's.
        func connect(_ index: Int = 0) async throws -> (client: PlainSocket, server: PlainSocket) {
            let client = try await PlainSocket.connect(to: front)
            return (client, try await backs[index].accept())
        }

        /// Returns when so many connections are open.
        func waitForCount(_ count: Int) async { while pump.openCount != count { await Task.yield() } }
    }

    /// Runs `body` with a pump; afterwards nothing may be open.
    private func withPump(
        backs: Int = 1, timeout: Duration = .seconds(5), affinitySeconds: Int = 0,
        _ body: @Sendable (Bed) async throws -> Void
    ) async throws {
        let sockets = HostSockets()
        let pump = try StreamPump(sockets, timeout: timeout)
        let (front, backs) = (try PlainSocket.listen(), try (0..<backs).map { _ in try PlainSocket.listen() })
        let port = front.port
        let listener = try pump.listen(on: front.handOver())
        pump.lead(
            listener, to: backs.map { .init(address: "127.0.0.1", port: $0.port) }, affinitySeconds: affinitySeconds)
        let bed = Bed(pump: pump, sockets: sockets, listener: listener, front: port, backs: backs)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await pump.run() }
            do { try await body(bed) } catch {
                pump.end()
                throw error
            }
            await bed.waitForCount(0)
            pump.end()
        }
    }

    /// Throws what becomes of a connection that ends before anything is said, be it in the midst of connecting.
    private func end(of port: Int) async throws { _ = try await PlainSocket.connect(to: port).hearAll() }

    @Test("what each side says reaches the other", arguments: [1, 1000, 20_000_000])
    func bothWays(count: Int) async throws {
        try await withPump { bed in
            let (client, server) = try await bed.connect()
            let words = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            for (from, to) in [(client, server), (server, client)] {
                async let said: Void = from.say(words)
                let heard = try await to.hear(count)
                try await said
                #expect(heard == words)
            }
        }
    }

    @Test("one direction ends before the other", arguments: [true, false])
    func halfClose(clientFirst: Bool) async throws {
        try await withPump { bed in
            let (client, server) = try await bed.connect()
            let (first, second) = clientFirst ? (client, server) : (server, client)
            try await first.say(Array("question".utf8))
            first.shutDown()
            #expect(try await second.hearAll() == Array("question".utf8))
            #expect(bed.pump.openCount == 1)
            try await second.say(Array("answer".utf8))
            second.shutDown()
            #expect(try await first.hearAll() == Array("answer".utf8))
        }
    }

    @Test("a reset of one side is a reset of the other", arguments: [true, false])
    func reset(byClient: Bool) async throws {
        try await withPump { bed in
            let (client, server) = try await bed.connect()
            let (first, second) = byClient ? (client, server) : (server, client)
            try await second.say([1])
            #expect(try await first.hear(1) == [1])
            first.reset()
            await #expect(throws: PlainSocket.Failure(code: ECONNRESET)) { try await second.hearAll() }
        }
    }

    @Test("a side that vanishes with words unread resets the other, and leaves nothing")
    func unread() async throws {
        try await withPump { bed in
            let (client, server) = try await bed.connect()
            try await server.say([UInt8](repeating: 7, count: 100_000))
            #expect(try await client.hear(1) == [7])
            client.close()
            await #expect(throws: PlainSocket.Failure.self) {
                while true { try await server.say([UInt8](repeating: 7, count: 100_000)) }
            }
        }
    }

    @Test("who says more than the other side takes is held up, and goes on when it is taken")
    func backPressure() async throws {
        try await withPump { bed in
            let (client, server) = try await bed.connect()
            client.setBuffers(64 << 10)
            server.setBuffers(64 << 10)
            // All that fits into the sockets and the pump; the peer takes nothing.
            var said = 0
            while let count = try client.sayWhatFits() { said += count }
            #expect(said < 24 << 20)
            // The other way is free.
            try await server.say([1, 2, 3])
            #expect(try await client.hear(3) == [1, 2, 3])
            #expect(try await server.hear(said).count == said)
            client.close()
            #expect(try await server.hearAll().isEmpty)
        }
    }

    @Test("many connections at a time do not mix, and leave no descriptor")
    func many() async throws {
        try await withPump { bed in
            for _ in 0..<3 {
                let answers = try await withThrowingTaskGroup(of: (UInt8, [UInt8])?.self) { group in
                    for index in UInt8(0)..<100 {
                        group.addTask {
                            let client = try await PlainSocket.connect(to: bed.front)
                            try await client.say([index])
                            let answer = try await client.hear(1)
                            client.close()
                            return (index, answer)
                        }
                        group.addTask {
                            let server = try await bed.backs[0].accept()
                            try await server.say(try await server.hear(1))
                            #expect(try await server.hearAll().isEmpty)
                            return nil
                        }
                    }
                    var answers: [(UInt8, [UInt8])] = []
                    for try await answer in group { if let answer { answers.append(answer) } }
                    return answers
                }
                #expect(answers.count == 100)
                #expect(answers.allSatisfy { $0.1 == [$0.0] })
                await bed.waitForCount(0)
                #expect(bed.sockets.openCount <= 128, "there is more than the pump's store of sockets")
            }
        }
    }

    @Test("a backend that refuses is passed over, and where all do, the connection is reset")
    func refusal() async throws {
        try await withPump { bed in
            let unheard = try UnheardPort()
            let refusing = ServiceRule.Backend(address: "127.0.0.1", port: unheard.number)
            bed.pump.lead(bed.listener, to: [refusing, .init(address: "127.0.0.1", port: bed.backs[0].port)])
            for _ in 0..<8 {
                let (client, server) = try await bed.connect()
                try await server.say([9])
                #expect(try await client.hear(1) == [9])
            }
            bed.pump.lead(bed.listener, to: [refusing])
            await #expect(throws: PlainSocket.Failure(code: ECONNRESET)) { try await end(of: bed.front) }
        }
    }

    @Test("a backend that does not answer is given up after a while, also when its client has gone")
    func silence() async throws {
        try await withPump(timeout: .milliseconds(50)) { bed in
            // A listener whose line is full lets everybody wait.
            let full = try PlainSocket.listen(line: 0)
            var line = [try await PlainSocket.connect(to: full.port)]
            while let next = try? PlainSocket.begin(full.port, milliseconds: 50) { line.append(next) }
            bed.pump.lead(bed.listener, to: [.init(address: "127.0.0.1", port: full.port)])
            await #expect(throws: PlainSocket.Failure(code: ECONNRESET)) { try await end(of: bed.front) }
            bed.pump.lead(
                bed.listener,
                to: [
                    .init(address: "127.0.0.1", port: full.port), .init(address: "127.0.0.1", port: bed.backs[0].port),
                ])
            for _ in 0..<4 { _ = try await bed.connect() }
            line.removeAll()
        }
    }

    @Test("new connections go where the listener leads now; those that are there stay, also when it is closed")
    func leading() async throws {
        try await withPump(backs: 2) { bed in
            bed.pump.lead(bed.listener, to: [.init(address: "127.0.0.1", port: bed.backs[0].port)])
            let old = try await bed.connect(0)
            bed.pump.lead(bed.listener, to: [.init(address: "127.0.0.1", port: bed.backs[1].port)])
            let new = try await bed.connect(1)
            bed.pump.close(bed.listener)
            await #expect(throws: PlainSocket.Failure(code: ECONNREFUSED)) {
                try await PlainSocket.connect(to: bed.front)
            }
            for (client, server) in [old, new] {
                try await client.say([1])
                #expect(try await server.hear(1) == [1])
            }
        }
    }

    @Test("with an affinity connections follow the last one, and move on when its backend is gone")
    func affinity() async throws {
        try await withPump(backs: 3, affinitySeconds: 600) { bed in
            let arrivals = Mutex<[Int]>([])
            func arrive() async throws -> Int {
                let client = try await PlainSocket.connect(to: bed.front)
                try await client.say([1])
                // Whoever of them it is.
                let index = try await PlainSocket.firstReady(bed.backs)
                let server = try await bed.backs[index].accept()
                #expect(try await server.hear(1) == [1])
                arrivals.withLock { $0.append(index) }
                return index
            }
            let first = try await arrive()
            for _ in 0..<12 { #expect(try await arrive() == first) }
            let others = bed.backs.indices.filter { $0 != first }
            bed.pump.lead(
                bed.listener, to: others.map { .init(address: "127.0.0.1", port: bed.backs[$0].port) },
                affinitySeconds: 600)
            let second = try await arrive()
            #expect(others.contains(second))
            for _ in 0..<12 { #expect(try await arrive() == second) }
        }
    }

    @Test("without sockets to connect with, connections are reset; they come again")
    func noSockets() async throws {
        let sockets = HostSockets()
        sockets.refuse(true)
        let pump = try StreamPump(sockets)
        let (front, back) = (try PlainSocket.listen(), try PlainSocket.listen())
        let port = front.port
        let listener = try pump.listen(on: front.handOver())
        pump.lead(listener, to: [.init(address: "127.0.0.1", port: back.port)])
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await pump.run() }
            await #expect(throws: PlainSocket.Failure(code: ECONNRESET)) { try await end(of: port) }
            sockets.refuse(false)
            let again = try await PlainSocket.connect(to: port)
            try await again.say([1])
            #expect(try await back.accept().hear(1) == [1])
            pump.end()
        }
    }

    @Test("the end of the pump is the end of everything in it")
    func end() async throws {
        let sockets = HostSockets()
        let pump = try StreamPump(sockets)
        let (front, back) = (try PlainSocket.listen(), try PlainSocket.listen())
        let port = front.port
        let listener = try pump.listen(on: front.handOver())
        pump.lead(listener, to: [.init(address: "127.0.0.1", port: back.port)])
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await pump.run() }
            let client = try await PlainSocket.connect(to: port)
            try await client.say([1])
            let server = try await back.accept()
            #expect(try await server.hear(1) == [1])
            pump.end()
            #expect(try await client.hearAll().isEmpty)
            #expect(try await server.hearAll().isEmpty)
            await #expect(throws: PlainSocket.Failure(code: ECONNREFUSED)) { try await PlainSocket.connect(to: port) }
        }
        #expect(pump.openCount == 0)
        #expect(throws: RuntimeError.self) { try pump.listen(on: try PlainSocket.listen().handOver()) }
        #expect(sockets.openCount == 0)
    }
}
