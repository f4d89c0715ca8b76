import CourseModel
import KubeClient
import KubeModel

/// One run of a checkpoint: the witness's view, and everything that waits on it.
///
/// A session belongs to one task. All that happens reaches it as signals on one stream, so it needs no lock.
struct CheckSession {
    let client: any ClusterClient
    let options: CheckOptions
    let namespace: String
    let progress: @Sendable (CheckProgress) -> Void
    private let signals: AsyncStream<Signal>.Continuation
    private var iterator: AsyncStream<Signal>.Iterator
    private(set) var view = ClusterView()
    private var timers = 0

    /// What the present check has seen and done.
    var evidence: [Evidence] = []
    var victims: [String: Victim] = [:]
    var undo: [Undo] = []
    var loads: [String: Load] = [:]
    var measured: [String: Int64] = [:]
    var current = CheckID(rawValue: "")

    /// A check that floods its own record helps nobody.
    private static let evidenceMax = 200

    init(
        client: any ClusterClient, options: CheckOptions, namespace: String, signals: AsyncStream<Signal>,
        continuation: AsyncStream<Signal>.Continuation, progress: @escaping @Sendable (CheckProgress) -> Void
    ) {
        self.client = client
        self.options = options
        self.namespace = namespace
        self.signals = continuation
        self.progress = progress
        iterator = signals.makeAsyncIterator()
    }

    var judge: ConditionJudge {
        ConditionJudge(
            view: view, namespace: namespace, victims: victims, loads: loads.mapValues(\.count),
            answers: options.answers)
    }

    mutating func record(_ what: String, _ object: KubeObject? = nil, _ resource: ResourceType? = nil) {
        guard evidence.count < Self.evidenceMax else { return }
        let path = object.flatMap { object in resource.map { object.path($0) } }
        evidence.append(Evidence(at: options.now(), what: what, object: path, uid: object?.uid))
    }

    /// Waits for the next signal and takes it in; the number of a timer that has run out, or nil.
    ///
    /// False: the stream has ended, because the run was cancelled.
    private mutating func step() async -> (goesOn: Bool, timer: Int?) {
        guard let signal = await iterator.next(isolation: #isolation) else { return (false, nil) }
        var changes: [ObjectChange] = []
        switch signal {
        case .listed(let resource, let objects): changes = view.replace(resource, with: objects)
        case .changed(let resource, let event): changes = view.apply(resource, event).map { [$0] } ?? []
        case .broken(let resource, let status): view.fail(resource, status)
        case .timer(let number): return (true, number)
        }
        for change in changes {
            let room = max(0, Self.evidenceMax - evidence.count)
            evidence += Chronicle.lines(for: change, at: options.now()).prefix(room)
        }
        return (true, nil)
    }

    /// Waits until `isDone` of the view, at most for `limit`; false when that ran out.
    mutating func wait(_ limit: Duration, until isDone: (borrowing CheckSession) -> Bool) async -> Bool {
        if isDone(self) { return true }
        timers += 1
        let number = timers
        let (clock, signals) = (options.clock, signals)
        let started = options.now()
        async let _ = Self.ring(number, after: limit, clock, signals)
        while true {
            let (goesOn, rung) = await step()
            if isDone(self) { return true }
            // The bell may stand behind a thousand changes in the queue: then the time is over all the same.
            if !goesOn || rung == number || options.now() - started > limit { return false }
        }
    }

    private static func ring(
        _ number: Int, after limit: Duration, _ clock: any Clock<Duration>, _ signals: AsyncStream<Signal>.Continuation
    ) async {
        do { try await clock.sleep(for: limit, tolerance: nil) } catch { return }
        signals.yield(.timer(number))
    }

    /// Waits until the present objects of all kinds are known, or it is known why not.
    mutating func waitUntilSynced(_ resources: [ResourceType]) async {
        _ = await wait(.seconds(20)) { session in
            resources.allSatisfy { session.view.isSynced($0) || session.view.failures[$0] != nil }
        }
    }

    /// Waits for a condition; what it looked like when it came true, when waiting became useless, or at the deadline.
    mutating func expect(_ condition: ClusterCondition, within limit: Duration) async -> Assessment {
        let limit = options.limit(limit)
        var last = judge.assess(condition)
        if last.state == .holds || limit == .zero { return last }
        let (check, progress) = (current, progress)
        progress(.waiting(check, for: last.expected, found: last.found, limit: limit))
        let started = options.now()
        while true {
            _ = await wait(limit - (options.now() - started)) { session in
                let now = session.judge.assess(condition)
                if now.found != last.found {
                    progress(.waiting(check, for: now.expected, found: now.found, limit: limit))
                }
                last = now
                return now.state != .notYet
            }
            guard last.state == .stuck else { return last }
            // What has just lost its room may find another: schedulers try again within seconds.
            let moves = await wait(min(options.patience, limit - (options.now() - started))) { session in
                last = session.judge.assess(condition)
                return last.state != .stuck
            }
            if !moves || last.state != .notYet { return last }
        }
    }
}

/// Something that a check has changed and must set back.
struct Undo: Sendable {
    let resource: ResourceType
    let namespace: String?
    let name: String
    let change: Change

    enum Change: Sendable {
        case replicas(Int)
        /// The members of an object as they were before; nil where there was none.
        case members([String: JSONValue?])
    }
}
