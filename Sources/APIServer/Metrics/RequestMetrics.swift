import Synchronization

/// Counts requests on their way through, for `/metrics`.
///
/// A request touches one of several tables under its own lock; texts are made only when somebody asks.
final class RequestMetrics: Sendable {
    /// What requests are told apart by.
    struct Key: Hashable, Sendable {
        let verb: String
        let group: String
        let version: String
        let resource: String
        let subresource: String
        let scope: String
    }

    /// The requests of one sort.
    struct Series: Sendable {
        var codes: [Int: Int] = [:]
        var buckets = [Int](repeating: 0, count: RequestMetrics.bounds.count)
        var count = 0
        var nanoseconds: Int64 = 0
        var open = 0
    }

    /// Upper bounds of the duration histogram, in seconds.
    static let bounds = [
        0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
    ]
    private static let boundsInNanoseconds = bounds.map { Int64($0 * 1_000_000_000) }

    private static let shardCount = 8
    private let shards = (0..<shardCount).map { _ in Shard() }
    private let reading = Atomic<Int>(0)
    private let writing = Atomic<Int>(0)

    private final class Shard: Sendable {
        let table = Mutex<[Key: Series]>([:])
    }

    /// Requests that are being worked on, long-running ones aside.
    var inFlight: (reading: Int, writing: Int) {
        (reading.load(ordering: .relaxed), writing.load(ordering: .relaxed))
    }

    /// All series.
    var series: [(key: Key, series: Series)] {
        shards.flatMap { shard in shard.table.withLock { table in table.map { ($0.key, $0.value) } } }
    }

    func begin(_ info: RequestInfo) {
        if info.isLongRunning {
            let key = Self.key(info)
            shard(key).table.withLock { $0[key, default: Series()].open += 1 }
        } else {
            countInFlight(info, by: 1)
        }
    }

    func end(_ info: RequestInfo, code: Int, taking duration: Duration) {
        if !info.isLongRunning { countInFlight(info, by: -1) }
        let key = Self.key(info)
        let parts = duration.components
        let nanoseconds = parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
        shard(key).table.withLock { table in
            Self.count(&table[key, default: Series()], code, nanoseconds, isLong: info.isLongRunning)
        }
    }

    private static func count(_ series: inout Series, _ code: Int, _ nanoseconds: Int64, isLong: Bool) {
        series.codes[code, default: 0] += 1
        guard !isLong else {
            series.open -= 1
            return
        }
        series.count += 1
        series.nanoseconds += nanoseconds
        if let bucket = boundsInNanoseconds.firstIndex(where: { nanoseconds <= $0 }) { series.buckets[bucket] += 1 }
    }

    private func countInFlight(_ info: RequestInfo, by number: Int) {
        if ["get", "list", "head"].contains(info.verb) {
            reading.wrappingAdd(number, ordering: .relaxed)
        } else {
            writing.wrappingAdd(number, ordering: .relaxed)
        }
    }

    private func shard(_ key: Key) -> Shard { shards[Int(UInt(bitPattern: key.hashValue) % UInt(Self.shardCount))] }

    private static func key(_ info: RequestInfo) -> Key {
        guard info.isResourceRequest else {
            return Key(verb: verb(info), group: "", version: "", resource: "", subresource: info.path, scope: "")
        }
        let isOne = !info.name.isEmpty && info.verb != "list" && info.verb != "watch" || info.verb == "create"
        return Key(
            verb: verb(info), group: info.apiGroup, version: info.apiVersion, resource: info.resource,
            subresource: info.subresource,
            scope: isOne ? "resource" : info.namespace.isEmpty ? "cluster" : "namespace")
    }

    /// The verb as the metrics of Kubernetes name it.
    private static func verb(_ info: RequestInfo) -> String {
        switch info.verb {
        case "create": "POST"
        case "update": "PUT"
        case "deletecollection": "DELETECOLLECTION"
        default: info.verb.uppercased()
        }
    }
}
