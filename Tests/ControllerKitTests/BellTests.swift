import ControllerKit
import Testing

@Suite("Bell", .timeLimit(.minutes(5)))
struct BellTests {
    @Test("a ring that comes before the wait ends it, once")
    func early() async {
        let bell = Bell()
        bell.ring()
        bell.ring()
        await bell.wait(until: nil)
        let began = ContinuousClock.now
        await bell.wait(until: began + .milliseconds(1))
        #expect(ContinuousClock.now >= began + .milliseconds(1))
    }

    @Test("a ring and a cancellation end a wait that would last")
    func late() async {
        let bell = Bell()
        let rung = Task { await bell.wait(until: .now + .seconds(3600)) }
        bell.ring()
        await rung.value
        let cancelled = Task { await bell.wait(until: nil) }
        cancelled.cancel()
        await cancelled.value
    }
}
