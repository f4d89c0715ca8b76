import NIOCore
import NIOHTTP1
import Synchronization

extension Load {
    /// What the watchers have seen of one write, and who waits for the last of them.
    private final class Arrivals: Sendable {
        private struct State {
            var missing = 0
            var waiter: CheckedContinuation<Void, Never>?
        }

        private let state = Mutex(State())

        /// Expects so many; call before the write.
        func expect(_ count: Int) { state.withLock { $0.missing += count } }

        func arrive() {
            let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
                state.missing -= 1
                guard state.missing <= 0 else { return nil }
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }

        /// Returns when all have arrived.
        func all() async {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.missing > 0 { state.waiter = continuation }
                    return state.missing <= 0
                }
                if isOver { continuation.resume() }
            }
        }
    }

    private static let base = "/api/v1/namespaces/load/configmaps"
    private static let watchURI = base + "?watch=1&fieldSelector=metadata.name%3Dwatched&resourceVersion="

    private static func body(_ value: Int) -> String {
        #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"watched"},"data":{"v":"\#(value)"}}"#
    }

    /// The revision from which to watch, after the object is there.
    private func prepare() async throws -> String {
        try await target.withConnection { connection in
            _ = try await connection.ask(.POST, Self.base, Self.body(0))
            let answer = try await connection.ask(.PUT, Self.base + "/watched", Self.body(-1))
            let text = String(buffer: answer.start)
            guard let mark = text.firstRange(of: #""resourceVersion":""#) else {
                throw LoadFailure(message: "No revision: \(text)")
            }
            return String(text[mark.upperBound...].prefix { $0 != "\"" })
        }
    }

    /// The time from a write until the last of many watchers has it.
    func fewWatchers(_ count: Int, writes: Int) async throws {
        let arrivals = Arrivals()
        let revision = try await prepare()
        arrivals.expect(count)
        let times = try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    try await target.withConnection { connection in
                        try await connection.watch(Self.watchURI + revision, opened: arrivals.arrive) { _ in
                            arrivals.arrive()
                            return true
                        }
                    }
                }
            }
            await arrivals.all()
            let times = try await target.withConnection { connection in
                var times: [Duration] = []
                for write in 0..<writes {
                    arrivals.expect(count)
                    let began = ContinuousClock.now
                    _ = try await connection.ask(.PUT, Self.base + "/watched", Self.body(write))
                    await arrivals.all()
                    times.append(ContinuousClock.now - began)
                }
                return times
            }
            group.cancelAll()
            while await group.nextResult() != nil {}
            return times
        }
        Report.line(
            "\(count) watchers, PUT -> the last has it", Report.spread(times), "p50 2.9-3.3 ms, p99 4.4-5.3 ms")
    }

    /// Tells whether many watchers keep up with writes at a fixed pace, and what that does to the memory of the server.
    func manyWatchers(_ count: Int, rate: Int, seconds: Int) async throws {
        let arrivals = Arrivals()
        let seen = Counter()
        let revision = try await prepare()
        let start = Report.memory(of: process)
        arrivals.expect(count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    try await target.withConnection { connection in
                        try await connection.watch(Self.watchURI + revision, opened: arrivals.arrive) { _ in
                            seen.take()
                            return true
                        }
                    }
                }
            }
            await arrivals.all()
            let opened = Report.memory(of: process)
            let writes = rate * seconds
            let began = ContinuousClock.now
            let behind = try await target.withConnection { connection in
                for write in 0..<writes {
                    try await ContinuousClock().sleep(until: began + .seconds(1) * write / rate)
                    _ = try await connection.ask(.PUT, Self.base + "/watched", Self.body(write))
                }
                return writes * count - seen.value
            }
            let took = ContinuousClock.now - began
            let after = Report.memory(of: process)
            Report.line(
                "\(count) watchers, \(rate) writes/s for \(seconds) s",
                "\(Int(Double(writes) / (took / .seconds(1)))) /s, \(behind) of \(writes * count) events behind", "")
            func text(_ memory: Int?) -> String { memory.map { "\($0)" } ?? "?" }
            Report.line(
                "  memory before, with watchers, after (MB)", "\(text(start)), \(text(opened)), \(text(after))", "")
            group.cancelAll()
            while await group.nextResult() != nil {}
        }
    }
}
