import KubeModel
import Synchronization

/// Takes note of every request, for the audit journal and the metrics.
final class RequestLedger: Sendable {
    let journal: AuditJournal
    let metrics = RequestMetrics()
    private let ids = AuditIDs()

    init(journal: AuditJournal = AuditJournal()) { self.journal = journal }

    /// - Parameter uri: As it was sent; nil for requests from inside, which have none.
    func begin(_ info: RequestInfo, _ user: UserInfo, uri: String? = nil, origin: RequestOrigin = .inside)
        -> OpenRequest
    {
        metrics.begin(info)
        return OpenRequest(ledger: self, id: ids.next(), info: info, user: user, uri: uri, origin: origin)
    }
}

extension RequestOrigin {
    /// The server's own process.
    static let inside = RequestOrigin(userAgent: "velocity", address: "127.0.0.1")
}

/// Ids for requests: unique, and cheaper than random ones.
private final class AuditIDs: Sendable {
    private let high = UInt64.random(in: .min ... .max)
    private let low = Atomic<UInt64>(UInt64.random(in: .min ... .max) >> 24)

    func next() -> AuditID {
        AuditID(high: high, low: low.wrappingAdd(1, ordering: .relaxed).newValue)
    }
}

/// The id of one request; reads as a UUID.
struct AuditID: Sendable {
    let high: UInt64
    let low: UInt64

    var text: String {
        let version = high & ~0xF000 | 0x4000
        let variant = low & ~(0xC000 << 48) | 0x8000 << 48
        return String(unsafeUninitializedCapacity: 36) { text in
            var place = 0
            for digit in 0..<32 {
                if [8, 12, 16, 20].contains(digit) {
                    text[place] = UInt8(ascii: "-")
                    place += 1
                }
                let number = UInt8(truncatingIfNeeded: (digit < 16 ? version : variant) >> (60 - digit % 16 * 4)) & 15
                text[place] = number < 10 ? UInt8(ascii: "0") + number : UInt8(ascii: "a") - 10 + number
                place += 1
            }
            return place
        }
    }
}

/// One request from its arrival to the end of its answer.
///
/// It ends when its last owner lets go of it, at the latest: an answer that is streamed owns it, and however the stream
/// ends (served, cut, cancelled), that is the end of the request.
final class OpenRequest: Sendable {
    private struct State {
        var user: UserInfo
        var impersonated: UserInfo?
        var decision: Decision?
        var annotations: [(name: String, value: String)] = []
        var warnings: [String] = []
        var code = 0
        var refusal: Status?
        var isOver = false
    }

    private let ledger: RequestLedger
    private let id: AuditID
    private let info: RequestInfo
    private let uri: String?
    private let origin: RequestOrigin
    private let received = Timestamp.now
    private let start = ContinuousClock.now
    private let state: Mutex<State>

    fileprivate init(
        ledger: RequestLedger, id: AuditID, info: RequestInfo, user: UserInfo, uri: String?, origin: RequestOrigin
    ) {
        self.ledger = ledger
        self.id = id
        self.info = info
        self.uri = uri
        self.origin = origin
        state = Mutex(State(user: user))
    }

    deinit { finish() }

    var auditID: String { id.text }

    func impersonating(_ user: UserInfo) { state.withLock { $0.impersonated = user } }

    func decided(_ decision: Decision) { state.withLock { $0.decision = decision } }

    /// Adds a remark to the audit event.
    func annotate(_ name: String, _ value: String) { state.withLock { $0.annotations.append((name, value)) } }

    /// Adds a text that the client is shown, whatever the answer; said twice, it is shown once.
    func warn(_ text: String) {
        state.withLock { if !$0.warnings.contains(text) { $0.warnings.append(text) } }
    }

    var warnings: [String] { state.withLock { $0.warnings } }

    func refused(_ status: Status) {
        state.withLock { state in
            state.code = status.code
            state.refusal = status
        }
        finish()
    }

    func answered(code: Int) {
        state.withLock { $0.code = code }
        finish()
    }

    /// The answer has begun and goes on.
    func streaming(code: Int) {
        state.withLock { $0.code = code }
        if info.isLongRunning { ledger.journal.record(event(.responseStarted)) }
    }

    /// Ends the request once.
    func finish() {
        let isFirst = state.withLock { state in
            defer { state.isOver = true }
            return !state.isOver
        }
        guard isFirst else { return }
        let event = event(.responseComplete)
        ledger.journal.record(event)
        ledger.metrics.end(info, code: event.code, taking: ContinuousClock.now - start)
    }

    private func event(_ stage: AuditEvent.Stage) -> AuditEvent {
        let state = state.withLock { $0 }
        return AuditEvent(
            stage: stage, id: id, user: state.user, impersonatedUser: state.impersonated, verb: info.verb,
            resource: info.resource, apiGroup: info.apiGroup, subresource: info.subresource,
            namespace: info.namespace, name: info.name, code: state.code, received: received,
            reached: .now,
            facts: AuditEvent.Facts(
                uri: uri ?? info.uri, apiVersion: info.apiVersion, userAgent: origin.userAgent,
                sourceAddress: origin.address, refusal: state.refusal, decision: state.decision,
                annotations: state.annotations))
    }
}

extension RequestInfo {
    /// The path of a request that came without one.
    fileprivate var uri: String {
        guard isResourceRequest else { return path }
        let resource = ResourceType(
            group: apiGroup, version: apiVersion, kind: "", plural: resource, isNamespaced: !namespace.isEmpty)
        return resource.path(
            namespace: namespace.isEmpty ? nil : namespace, name: name.isEmpty ? nil : name,
            subresource: subresource.isEmpty ? nil : subresource)
    }
}
