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

        func arrive(_ count: Int = 1) {
            let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
                state.missing -= count
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

    /// Opens watches one after the other, some at a time; returns how many were refused.
    private func open(
        _ count: Int, _ uri: String, events: @escaping @Sendable (Int) -> Void
    ) async throws -> (channels: [any Channel], refused: Int) {
        let arrivals = Arrivals()
        let refused = Counter()
        let next = Counter()
        let channels = try await withThrowingTaskGroup(of: [any Channel].self) { group in
            for _ in 0..<Self.clients {
                group.addTask {
                    var channels: [any Channel] = []
                    while next.take() < count {
                        let reader = WatchReader { sign in
                            switch sign {
                            case .opened: arrivals.arrive()
                            case .events(let count): events(count)
                            case .refused, .ended:
                                refused.take()
                                arrivals.arrive()
                            }
                        }
                        arrivals.expect(1)
                        channels.append(try await target.get(uri, reader))
                    }
                    return channels
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        await arrivals.all()
        return (channels, refused.value)
    }

    private func close(_ channels: [any Channel]) async {
        for channel in channels { try? await channel.close() }
    }

    /// The time from a write until the last of many watchers has it.
    func fewWatchers(_ count: Int, writes: Int) async throws {
        let arrivals = Arrivals()
        let revision = try await prepare()
        let (channels, _) = try await open(count, Self.watchURI + revision) { arrivals.arrive($0) }
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
        await close(channels)
        Report.line(
            "\(count) watchers, PUT -> the last has it", Report.spread(times), "p50 2.9-3.3 ms, p99 4.4-5.3 ms")
    }

    /// Tells whether many watchers keep up with writes at a fixed pace, and what that does to the memory of the server.
    func manyWatchers(_ count: Int, rate: Int, seconds: Int) async throws {
        let seen = Counter()
        let revision = try await prepare()
        let start = Report.memory(of: process)
        let (channels, _) = try await open(count, Self.watchURI + revision) { seen.add($0) }
        let opened = Report.memory(of: process)
        let writes = rate * seconds
        let began = ContinuousClock.now
        let times = try await target.withConnection { connection in
            var times: [Duration] = []
            for write in 0..<writes {
                // Those who come late do not wait, so that the pace is kept if it can be.
                try await ContinuousClock().sleep(until: began + .seconds(1) * write / rate)
                let asked = ContinuousClock.now
                _ = try await connection.ask(.PUT, Self.base + "/watched", Self.body(write))
                times.append(ContinuousClock.now - asked)
            }
            return times
        }
        let took = ContinuousClock.now - began
        let behind = writes * count - seen.value
        let after = Report.memory(of: process)
        Report.line(
            "\(count) watchers, \(rate) writes/s for \(seconds) s",
            "\(Int(Double(writes) / (took / .seconds(1)))) /s, \(Report.spread(times))", "")
        Report.line("  events that had not come with the last answer", "\(behind) of \(writes * count)", "")
        Report.line(
            "  memory before, with watchers, after (MB)",
            [start, opened, after].map { Report.text($0) }.joined(separator: ", "), "")
        await close(channels)
    }

    /// Tells what watches cost that nothing happens to.
    func idleWatchers(_ count: Int) async throws {
        let revision = try await prepare()
        let start = Report.memory(of: process)
        let began = ContinuousClock.now
        let (channels, refused) = try await open(count, Self.watchURI + revision) { _ in }
        let took = ContinuousClock.now - began
        let opened = Report.memory(of: process)
        let times = try await target.withConnection { connection in
            var times: [Duration] = []
            for _ in 0..<200 {
                let asked = ContinuousClock.now
                _ = try await connection.ask(.GET, Self.base + "/watched")
                times.append(ContinuousClock.now - asked)
            }
            return times
        }
        Report.line("\(count) idle watches opened", "in \(Report.text(took)), \(refused) refused", "")
        Report.line("  get beside them", Report.spread(times), "")
        await close(channels)
        Report.line(
            "  memory before, with them, after (MB)",
            [start, opened, Report.memory(of: process)].map { Report.text($0) }.joined(separator: ", "), "")
    }
}
