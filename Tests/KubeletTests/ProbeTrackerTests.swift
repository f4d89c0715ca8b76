import KubeModel
import Testing

@testable import Kubelet

@Suite("Probe tracker", .timeLimit(.minutes(5))) struct ProbeTrackerTests {
    /// `+` is a success and `-` a failure; the answer marks healthy with `h`, unhealthy with `u`, no change with a dot.
    private func play(_ results: String, success: Int = 1, failure: Int = 3) -> String {
        var tracker = ProbeTracker(successThreshold: success, failureThreshold: failure)
        return String(
            results.map { result in
                switch tracker.record(success: result == "+") {
                case .becameHealthy?: "h"
                case .becameUnhealthy?: "u"
                case nil: "."
                }
            })
    }

    @Test(
        "results count in a row only, and only a change is told",
        arguments: [
            ("+++", 1, 3, "h.."), ("---", 1, 3, "..u"), ("-----", 1, 3, "..u.."), ("--+--", 1, 3, "..h.."),
            ("+---", 1, 3, "h..u"), ("+---+", 1, 3, "h..uh"), ("++", 2, 3, ".h"), ("+-+-++", 2, 3, ".....h"),
            ("-", 1, 1, "u"), ("--++", 2, 2, ".u.h"),
        ])
    func thresholds(results: String, success: Int, failure: Int, changes: String) {
        #expect(play(results, success: success, failure: failure) == changes)
    }

    @Test("nothing is known before a threshold is reached")
    func unknown() {
        var tracker = ProbeTracker(successThreshold: 2, failureThreshold: 2)
        _ = tracker.record(success: true)
        #expect(tracker.isHealthy == nil)
        _ = tracker.record(success: true)
        #expect(tracker.isHealthy == true)
        _ = tracker.record(success: false)
        #expect(tracker.isHealthy == true)
    }

    @Test("without thresholds of its own a probe has those of Kubernetes: one success, three failures")
    func defaults() {
        #expect(ProbeTracker(Probe(.liveness, [:])) == ProbeTracker(successThreshold: 1, failureThreshold: 3))
        let own = Probe(.readiness, ["successThreshold": 2, "failureThreshold": 5])
        #expect(ProbeTracker(own) == ProbeTracker(successThreshold: 2, failureThreshold: 5))
    }

    @Test("the first restart comes at once; the pauses after it double from 10 s to 5 minutes")
    func restarts() {
        var backoff = RestartBackoff()
        let seconds = (0..<8).map { _ in backoff.next(ranFor: .seconds(1)).components.seconds }
        #expect(seconds == [0, 10, 20, 40, 80, 160, 300, 300])
    }

    @Test("ten minutes of running make the pauses forgotten, less do not", arguments: [(600, 0), (599, 40)])
    func forgotten(ranSeconds: Int, expected: Int) {
        var backoff = RestartBackoff()
        for _ in 0..<3 { _ = backoff.next(ranFor: .seconds(1)) }
        #expect(backoff.next(ranFor: .seconds(ranSeconds)) == .seconds(expected))
    }

    @Test("the pauses between pulls double from 10 s to 5 minutes")
    func pulls() {
        var backoff = PullBackoff()
        #expect((0..<7).map { _ in backoff.next().components.seconds } == [10, 20, 40, 80, 160, 300, 300])
    }
}
