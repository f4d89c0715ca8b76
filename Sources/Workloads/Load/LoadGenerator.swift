import Glibc
import KubeModel
import Synchronization

/// A client that asks at an even pace, whether or not it has been answered, and counts what came back: for rolling updates.
///
/// `Workloads load URL [--rate 200] [--seconds 5] [--keep-alive] [--post JSON] [--sign FILE]`. One JSON object at the end; exit code 1
/// when a request failed. Without `--keep-alive` each request is a connection of its own. The file is made with the first answer, for
/// whoever waits for the load to be on.
enum LoadGenerator {
    private struct Order: Sendable {
        var host = ""
        var port: UInt16 = 80
        var path = "/"
        var rate = 200
        var seconds = 5
        var keepsAlive = false
        var body: String?
        var sign: String?

        var request: [UInt8] {
            var text = "\(body == nil ? "GET" : "POST") \(path) HTTP/1.1\r\nHost: \(host):\(port)\r\n"
            if let body { text += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n" }
            text += keepsAlive ? "\r\n" : "Connection: close\r\n\r\n"
            return Array((text + (body ?? "")).utf8)
        }
    }

    private struct Tally {
        var milliseconds: [Int] = []
        var statuses: [Int: Int] = [:]
        var versions: [String: Int] = [:]
        var pods: Set<String> = []
        var failures: [String] = []
        var threadsLeft = 0
    }

    private static let tally = Mutex(Tally())

    static func run(_ arguments: [String]) -> Never {
        signal(SIGPIPE, SIG_IGN)
        let order = read(arguments)
        let next = Counter()
        let begun = Moment.steady
        let threads = min(64, max(4, order.rate / 4))
        tally.withLock { $0.threadsLeft = threads }
        let done = Pipe()
        for _ in 0..<threads {
            WorkerThreads.start {
                var stream: SocketStream?
                while case let number = next.take(), number < order.rate * order.seconds {
                    let due = begun + number * 1000 / order.rate
                    usleep(UInt32(max(0, due - Moment.steady)) * 1000)
                    send(order, &stream, due: due)
                }
                if tally.withLock({ tally in
                    tally.threadsLeft -= 1
                    return tally.threadsLeft == 0
                }) {
                    done.put()
                }
            }
        }
        _ = done.take()
        let result = tally.withLock { $0 }
        print(report(result).text)
        exit(result.failures.isEmpty ? 0 : 1)
    }

    private final class Counter: Sendable {
        private let value = Atomic(0)
        func take() -> Int { value.add(1, ordering: .relaxed).oldValue }
    }

    private static func send(_ order: Order, _ stream: inout SocketStream?, due: Int) {
        do throws(SocketError) {
            let connection: SocketStream
            if let stream {
                connection = stream
            } else {
                connection = try SocketStream(host: order.host, port: order.port, patienceMilliseconds: 10_000)
            }
            try connection.write(order.request)
            let (status, isClosing, body) = try response(connection)
            stream = order.keepsAlive && !isClosing ? connection : nil
            let value = try? JSONValue(parsing: body)
            tally.withLock { tally in
                if tally.milliseconds.isEmpty, let sign = order.sign { close(creat(sign, 0o600)) }
                tally.milliseconds.append(Moment.steady - due)
                tally.statuses[status, default: 0] += 1
                tally.versions[value?["version"]?.string ?? "-", default: 0] += 1
                if let pod = value?["pod"]?.string { tally.pods.insert(pod) }
                if status >= 400 { tally.failures.append("HTTP \(status)") }
            }
        } catch {
            stream = nil
            tally.withLock { $0.failures.append("\(due % 1_000_000) ms: \(error.reason)") }
        }
    }

    private static func response(_ stream: SocketStream) throws(SocketError) -> (Int, Bool, [UInt8]) {
        let words = try stream.readLine().split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { throw SocketError(reason: "no HTTP answer") }
        var count = 0
        var isClosing = false
        while case let line = try stream.readLine().lowercased(), !line.isEmpty {
            if line.hasPrefix("content-length:") { count = Int(line.dropFirst(15).drop { $0 == " " }) ?? 0 }
            if line == "connection: close" { isClosing = true }
        }
        return (status, isClosing, try stream.read(count))
    }

    private static func report(_ tally: Tally) -> JSONValue {
        let sorted = tally.milliseconds.sorted()
        func percentile(_ share: Int) -> JSONValue {
            sorted.isEmpty ? .null : .int(Int64(sorted[min(sorted.count - 1, sorted.count * share / 100)]))
        }
        func counts(_ pairs: [(String, Int)]) -> JSONValue {
            .object(JSONObject(pairs.sorted { $0.0 < $1.0 }.map { ($0.0, .int(Int64($0.1))) }))
        }
        return [
            "requests": .int(Int64(sorted.count + tally.failures.count { !$0.hasPrefix("HTTP") })),
            "failed": .int(Int64(tally.failures.count)),
            "statuses": counts(tally.statuses.map { ("\($0.key)", $0.value) }),
            "versions": counts(tally.versions.map { ($0.key, $0.value) }), "pods": .int(Int64(tally.pods.count)),
            "p50ms": percentile(50), "p99ms": percentile(99),
            "failures": .array(tally.failures.prefix(20).map { .string($0) }),
        ]
    }

    private static func read(_ arguments: [String]) -> Order {
        var order = Order()
        var rest = arguments[...]
        func number(_ name: String, _ range: ClosedRange<Int>) -> Int {
            guard let text = rest.popFirst(), let value = Int(text), range.contains(value) else {
                Workloads.fail(
                    "\(name) takes a number from \(range.lowerBound) to \(range.upperBound).", code: 64)
            }
            return value
        }
        while let word = rest.popFirst() {
            switch word {
            case "--rate": order.rate = number(word, 1...20_000)
            case "--seconds": order.seconds = number(word, 1...3600)
            case "--keep-alive": order.keepsAlive = true
            case "--post": order.body = rest.popFirst()
            case "--sign": order.sign = rest.popFirst()
            case _ where word.hasPrefix("http://"):
                let parts = word.dropFirst(7).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
                let place = parts[0].split(separator: ":", maxSplits: 1)
                order.host = place.first.map(String.init) ?? ""
                if place.count > 1 { order.port = UInt16(place[1]) ?? 0 }
                if parts.count > 1 { order.path = "/\(parts[1])" }
            default: Workloads.fail("'\(word)' is not an option of load.", code: 64)
            }
        }
        guard !order.host.isEmpty, order.port > 0 else {
            Workloads.fail("load takes a URL: http://HOST:PORT/PATH.", code: 64)
        }
        return order
    }
}
