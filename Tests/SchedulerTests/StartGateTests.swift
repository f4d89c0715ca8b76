import KubeModel
import Testing

@testable import Scheduler

@Suite("Pods on their way to a process")
struct StartGateTests {
    private let pods = (0..<4).map { ObjectKey(namespace: "default", name: "pod-\($0)") }

    @Test("a pod waits until one of those before it is through")
    func room() async {
        let gate = StartGate(countMax: 2, timeMax: .seconds(3600))
        await gate.enter(pods[0])
        await gate.enter(pods[1])
        let (order, note) = AsyncStream<String>.makeStream()
        await withDiscardingTaskGroup { group in
            group.addTask {
                await gate.enter(pods[2])
                note.yield("in")
            }
            group.addTask {
                for _ in 0..<100 { await Task.yield() }
                gate.leave(pods[3])  // It never was on the way.
                note.yield("left")
                gate.leave(pods[1])
            }
        }
        note.finish()
        var seen: [String] = []
        for await what in order { seen.append(what) }
        #expect(seen == ["left", "in"])
        // There are two again: nobody gets in but by the end of one of them.
        let late = Task { await gate.enter(pods[3]) }
        gate.leave(pods[0])
        await late.value
    }

    @Test("a pod that does not start is not waited for for ever")
    func time() async {
        let gate = StartGate(countMax: 1, timeMax: .milliseconds(1))
        for pod in pods { await gate.enter(pod) }
    }

    @Test("who does not wait any more does not wait")
    func cancellation() async {
        let gate = StartGate(countMax: 1, timeMax: .seconds(3600))
        await gate.enter(pods[0])
        let waiting = Task { await gate.enter(pods[1]) }
        waiting.cancel()
        await waiting.value
    }

    @Test(
        "a pod is through when it runs or has ended, or when it only stands on its node",
        arguments: [
            (#"{"phase": "Pending"}"#, false),
            (#"{"phase": "Pending", "startTime": "2026-01-01T00:00:00Z"}"#, true),
            (#"{"phase": "Pending", "startTime": "2026-01-01T00:00:00Z", "podIP": "10.244.0.9"}"#, false),
            (#"{"phase": "Running", "startTime": "2026-01-01T00:00:00Z", "podIP": "10.244.0.9"}"#, true),
            (#"{"phase": "Failed"}"#, true),
        ])
    func through(_ status: String, _ isThrough: Bool) throws {
        var pod = KubeObject(["metadata": ["name": "web"]])
        pod.value["status"] = try JSONValue(parsing: status)
        #expect(StartGate.isThrough(Pod(pod)) == isThrough)
    }
}
