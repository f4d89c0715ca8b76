import NIOCore
import NIOHTTP1
import Synchronization

/// A number that several tasks count up.
final class Counter: Sendable {
    private let number = Atomic(0)

    /// The number before it is counted up.
    @discardableResult
    func take() -> Int { number.wrappingAdd(1, ordering: .relaxed).oldValue }

    func add(_ count: Int) { number.wrappingAdd(count, ordering: .relaxed) }

    var value: Int { number.load(ordering: .relaxed) }
}

/// The phases of the load.
struct Load: Sendable {
    let target: LoadTarget
    /// The server's process, to see its memory.
    let process: Int?

    static let clients = 16
    private static let namespace = "load"

    // MARK: The same request by many clients

    /// Does something `count` times over several connections, and tells how long each time took.
    private func fan(
        _ count: Int, _ job: @escaping @Sendable (LoadConnection, Int) async throws -> LoadConnection.Answer
    ) async throws -> (times: [Duration], rate: Int) {
        let next = Counter()
        let clock = ContinuousClock()
        let start = clock.now
        let times = try await withThrowingTaskGroup(of: [Duration].self) { group in
            for _ in 0..<Self.clients {
                group.addTask {
                    try await target.withConnection { connection in
                        var times: [Duration] = []
                        while true {
                            let index = next.take()
                            guard index < count else { return times }
                            let began = clock.now
                            let answer = try await job(connection, index)
                            times.append(clock.now - began)
                            guard answer.code < 300 else {
                                throw LoadFailure(message: "Refused: \(String(buffer: answer.start))")
                            }
                        }
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        return (times, Int(Double(count) / ((clock.now - start) / .seconds(1))))
    }

    private func measure(
        _ what: String, _ count: Int, real: String,
        _ job: @escaping @Sendable (LoadConnection, Int) async throws -> LoadConnection.Answer
    ) async throws {
        let before = Report.processorTime(of: process)
        let (times, rate) = try await fan(count, job)
        let after = Report.processorTime(of: process)
        Report.line(what, "\(rate) /s, \(Report.spread(times))", real)
        // On a busy machine this says more than the rate.
        if let before, let after {
            let each = Int((after - before) / .microseconds(1)) / count
            Report.line("  processor time of the server, each", "\(each) us", "")
        }
    }

    func makeNamespace() async throws {
        try await target.withConnection { connection in
            let body = #"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"\#(Self.namespace)"}}"#
            let answer = try await connection.ask(.POST, "/api/v1/namespaces", body)
            guard answer.code == 201 || answer.code == 409 else {
                throw LoadFailure(message: "No namespace: \(String(buffer: answer.start))")
            }
        }
    }

    func configMaps(_ count: Int) async throws {
        let base = "/api/v1/namespaces/\(Self.namespace)/configmaps"
        @Sendable func body(_ index: Int, _ value: String) -> String {
            #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cm-\#(index)","labels":{"app":"load"}},"#
                + #""data":{"key":"\#(value)\#(String(repeating: "x", count: 250))"}}"#
        }
        let note = "\(Self.clients) clients"
        try await measure("create ConfigMaps, \(note)", count, real: "1,640-3,260 /s, p50 4.5-8.9 ms") {
            try await $0.ask(.POST, base, body($1, "first"))
        }
        try await measure("get", count, real: "4,900-6,500 /s, p50 2.3-2.8 ms") {
            try await $0.ask(.GET, "\(base)/cm-\($1)")
        }
        try await measure("update", count, real: "2,050-3,900 /s, p50 3.6-7.1 ms") {
            try await $0.ask(.PUT, "\(base)/cm-\($1)", body($1, "other"))
        }
        try await measure("delete", count, real: "2,100-2,270 /s") {
            try await $0.ask(.DELETE, "\(base)/cm-\($1)")
        }
    }

    // MARK: Long lists

    func pods(_ count: Int) async throws {
        let base = "/api/v1/namespaces/\(Self.namespace)/pods"
        let filler = String(repeating: "x", count: 2100)
        let (times, rate) = try await fan(count) { connection, index in
            try await connection.ask(
                .POST, base,
                #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"pod-\#(index)","labels":{"app":"load","shard":""#
                    + #"\#(index % 10)"},"annotations":{"filler":"\#(filler)"}},"spec":{"schedulerName":"nobody","#
                    + #""containers":[{"name":"web","image":"web:1","ports":[{"containerPort":8080}]}]}}"#)
        }
        Report.line("create pods of 2.5 KB", "\(rate) /s, \(Report.spread(times))", "")
        try await list("list \(count) pods, JSON", base, real: "190-310 ms")
        try await list(
            "the same as a Table", base, accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
            real: "205-320 ms")
        try await list("one in ten by a label", base + "?labelSelector=shard%3D3", real: "")
        try await list("the first 500", base + "?limit=500", real: "")
        _ = try await fan(count) { connection, index in
            try await connection.ask(.DELETE, "\(base)/pod-\(index)?gracePeriodSeconds=0")
        }
    }

    private func list(_ what: String, _ uri: String, accept: String = "application/json", real: String) async throws {
        let (times, byteCount) = try await target.withConnection { connection in
            var times: [Duration] = []
            var byteCount = 0
            for _ in 0..<7 {
                let began = ContinuousClock.now
                byteCount = try await connection.ask(.GET, uri, accept: accept).byteCount
                times.append(ContinuousClock.now - began)
            }
            return (times, byteCount)
        }
        Report.line(
            what, "\(Report.text(Report.percentile(times, 0.5))) (\(byteCount / 1_000_000) MB)", real)
    }

    func deleteNamespace() async throws {
        _ = try await target.withConnection {
            try await $0.ask(.DELETE, "/api/v1/namespaces/\(Self.namespace)").code
        }
    }
}
