import ContainerRuntime
import Glibc
import NIOPosix
import Synchronization

/// What a node port costs: requests a second straight to a program, and through a Service to the same program in a pod.
struct PortLoad {
    /// The port of the program itself, on loopback.
    let direct: Int
    /// The node port of its Service.
    let through: Int
    /// What is said of the cluster, its level.
    let note: String

    private static let clients = 8
    private static let rounds = 3
    private static let roundTime = Duration.seconds(1)

    func run() async throws {
        let threads = NIOThreadPool(numberOfThreads: Self.clients)
        threads.start()
        try await compare("requests, keep-alive", keepsAlive: true, threads)
        try await compare("requests, a connection each", keepsAlive: false, threads)
        try await threads.shutdownGracefully()
    }

    /// Measures both in turns, so that what else the machine does falls on both.
    private func compare(_ what: String, keepsAlive: Bool, _ threads: NIOThreadPool) async throws {
        var rates: (direct: [Double], through: [Double]) = ([], [])
        for _ in 0..<Self.rounds {
            rates.direct.append(try await rate(of: direct, keepsAlive, threads))
            rates.through.append(try await rate(of: through, keepsAlive, threads))
        }
        let straight = rates.direct.sorted()[Self.rounds / 2]
        let here = rates.through.sorted()[Self.rounds / 2]
        Report.line(
            "node port (\(note)): \(what)", "\(Int(here)) /s, \(Int(here / straight * 100))%",
            "target: 60% of loopback, \(Int(straight)) /s")
    }

    private func rate(of port: Int, _ keepsAlive: Bool, _ threads: NIOThreadPool) async throws -> Double {
        let begun = ContinuousClock.now
        let end = begun + Self.roundTime
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<Self.clients {
                group.addTask {
                    try await threads.runIfActive { try Self.ask(port, keepsAlive: keepsAlive, until: end) }
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(count) / ((.now - begun) / .seconds(1))
    }

    /// Asks again and again; returns how often.
    private static func ask(_ port: Int, keepsAlive: Bool, until end: ContinuousClock.Instant) throws -> Int {
        let request = Array(
            "GET /version HTTP/1.1\r\nHost: bench\r\n\(keepsAlive ? "" : "Connection: close\r\n")\r\n".utf8)
        var count = 0
        var buffer = [UInt8](repeating: 0, count: 4096)
        while ContinuousClock.now < end {
            let descriptor = try Loopback.connect(to: port)
            defer { close(descriptor) }
            repeat {
                guard write(descriptor, request, request.count) == request.count,
                    isAnswered(descriptor, &buffer)
                else { throw ConnectError.system("port \(port) does not answer") }
                count += 1
            } while keepsAlive && ContinuousClock.now < end
        }
        return count
    }

    /// Reads one answer, which must be a good one.
    private static func isAnswered(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Bool {
        var length = 0
        var whole = Int.max
        while length < whole {
            let count = buffer.withUnsafeMutableBytes { bytes in
                read(descriptor, bytes.baseAddress.map { $0 + length }, bytes.count - length)
            }
            guard count > 0 else { return false }
            length += count
            if whole == .max { whole = answerLength(buffer[..<length]) ?? .max }
        }
        return buffer.starts(with: "HTTP/1.1 200".utf8)
    }

    /// The length of an answer whose head is there.
    private static func answerLength(_ bytes: ArraySlice<UInt8>) -> Int? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let headEnd = text.utf8.firstRange(of: "\r\n\r\n".utf8),
            let field = text.utf8.firstRange(of: "ontent-Length: ".utf8)
        else { return nil }
        let digits = text.utf8[field.upperBound...].prefix { $0 != UInt8(ascii: "\r") }
        return Int(Substring(digits)).map {
            text.utf8.distance(from: text.utf8.startIndex, to: headEnd.upperBound) + $0
        }
    }
}
