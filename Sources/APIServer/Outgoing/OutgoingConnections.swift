import NIOCore
import NIOHTTP1
import Synchronization

/// Connections that wait for the server's next call to the same program, so that it needs no new handshake.
///
/// One ends when the other side closes it, when nobody wants it for a minute and a half, or with this object.
final class OutgoingConnections: Sendable {
    typealias Connection = BackendConnection<HTTPClientResponsePart>

    /// What a connection is for: calls to the same place that believe and show the same certificates.
    struct Purpose: Hashable, Sendable {
        private let service: ServiceReference?
        private let host: String
        private let port: Int
        private let authorities: [UInt8]
        private let believesAnybody: Bool
        private let hasIdentity: Bool

        init(_ call: OutgoingCall, _ url: OutgoingURL) {
            if case .service(let service, _) = call.client.place { self.service = service } else { service = nil }
            (host, port) = (url.host, url.port)
            authorities = call.client.authorities
            believesAnybody = call.trust == .anybody
            hasIdentity = call.identity != nil
        }
    }

    /// As many as Kubernetes' own client keeps for one host.
    static let perPurposeMax = 25
    static let countMax = 100

    private let idleTime: TimeAmount
    private let idle = Mutex<[Purpose: [Connection]]>([:])

    init(idleTime: TimeAmount = .seconds(90)) { self.idleTime = idleTime }

    /// How many connections lie idle.
    var count: Int { idle.withLock { $0.values.reduce(0) { $0 + $1.count } } }

    /// The connection that was used last, if it has not ended; nil when there is none.
    func take(for purpose: Purpose) async -> Connection? {
        while let connection = idle.withLock({ $0[purpose]?.popLast() }) {
            if await connection.wake() { return connection }
        }
        return nil
    }

    /// Lets a connection, of whose last answer everything was read, wait for another call.
    func keep(_ connection: Connection, for purpose: Purpose) async {
        await connection.rest(
            idleTime, begin: { [weak self] in self?.add(connection, purpose) ?? false },
            end: { [weak self, weak connection] in
                if let connection { self?.remove(connection, purpose) }
            })
    }

    private func add(_ connection: Connection, _ purpose: Purpose) -> Bool {
        idle.withLock { idle in
            guard idle[purpose, default: []].count < Self.perPurposeMax,
                idle.values.reduce(0, { $0 + $1.count }) < Self.countMax
            else { return false }
            idle[purpose, default: []].append(connection)
            return true
        }
    }

    private func remove(_ connection: Connection, _ purpose: Purpose) {
        idle.withLock { idle in
            idle[purpose]?.removeAll { $0 === connection }
            if idle[purpose]?.isEmpty == true { idle[purpose] = nil }
        }
    }
}
