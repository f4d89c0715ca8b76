import CourseModel
import KubeModel
import Synchronization

/// What came of the requests of a load so far.
struct LoadCount: Hashable, Sendable {
    var sent = 0
    var failed = 0
    /// How long nobody answered, in all.
    var downtimeMilliseconds: Int64 = 0
    /// Why the first request failed that did.
    var reason: String?
}

/// Requests from this machine, one after the other, until it is stopped.
final class Load: Sendable {
    private struct State {
        var count = LoadCount()
        var lastAnswer: Moment?
        /// The latest request found nobody.
        var isDown = false
    }

    private let state: Mutex<State>
    private let task: Mutex<Task<Void, Never>?>

    /// Begins at once; `hosts` are tried in order for each request.
    init(_ http: HTTPExpectation, hosts: [String], options: CheckOptions) {
        state = Mutex(State(lastAnswer: options.now()))
        task = Mutex(nil)
        // A task of its own: requests must go on while the session waits for the cluster, and its owner stops it
        // when the check ends, however it ends.
        let running = Task { [weak self] in
            while !Task.isCancelled, let self {
                let failure = await Self.send(http, hosts, options)
                if !Task.isCancelled { note(failure, at: options.now()) }
                try? await options.clock.sleep(for: .milliseconds(20), tolerance: nil)
            }
        }
        task.withLock { $0 = running }
    }

    var count: LoadCount { state.withLock { $0.count } }

    func stop() { task.withLock { $0?.cancel() } }

    private func note(_ failure: String?, at now: Moment) {
        state.withLock { state in
            state.count.sent += 1
            if let failure {
                state.count.failed += 1
                state.isDown = true
                if state.count.reason == nil { state.count.reason = failure }
                return
            }
            if state.isDown, let last = state.lastAnswer {
                state.count.downtimeMilliseconds += (now - last).wholeMilliseconds
            }
            state.lastAnswer = now
            state.isDown = false
        }
    }

    /// Nil when the answer has the right status.
    private static func send(_ http: HTTPExpectation, _ hosts: [String], _ options: CheckOptions) async -> String? {
        var failure = "no address of a node is known"
        for host in hosts {
            let request = CheckOptions.Request(
                method: http.method, host: host, port: http.url.port, path: http.url.path,
                body: http.sends.map { JSONValue($0).text }, timeout: .seconds(5))
            do {
                let answer = try await options.fetch(request)
                return answer.status == http.status ? nil : "status \(answer.status)"
            } catch {
                failure = "\(error)"
            }
        }
        return failure
    }
}
