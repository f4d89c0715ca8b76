import ControllerKit
import KubeModel
import Testing

@Suite("Work queue", .timeLimit(.minutes(5))) struct WorkQueueTests {
    private let a = ObjectKey(namespace: "default", name: "a")
    private let b = ObjectKey(namespace: "default", name: "b")

    @Test("a key is in it once, and the earlier of two times wins", arguments: [[5, 9], [9, 5]])
    func once(times: [Int]) {
        var queue = WorkQueue<Int>()
        for time in times { queue.add(a, at: time) }
        #expect(queue.nextTime == 5)
        let early = queue.take(now: 4)
        let due = queue.take(now: 5)
        let again = queue.take(now: 100)
        #expect([early, due, again] == [nil, a, nil])
    }

    @Test("the key that has been due for longest comes first")
    func order() {
        var queue = WorkQueue<Int>()
        queue.add(a, at: 3)
        queue.add(b, at: 2)
        let taken = [queue.take(now: 10), queue.take(now: 10)]
        #expect(taken == [b, a])
        #expect(queue.nextTime == nil)
    }

    @Test("a key in work is not handed out again until it is finished")
    func working() {
        var queue = WorkQueue<Int>()
        queue.add(a, at: 0)
        _ = queue.take(now: 0)
        queue.add(a, at: 1)
        let meanwhile = queue.take(now: 9)
        #expect(meanwhile == nil)
        #expect(queue.nextTime == nil)
        queue.finish(a)
        #expect(queue.nextTime == 1)
        let later = queue.take(now: 9)
        #expect(later == a)
    }

    @Test("a key that rests comes back when it has rested, whether it changed during the work or after it")
    func rest() {
        var queue = WorkQueue<Int>()
        for key in [a, b] {
            queue.add(key, at: 0)
            _ = queue.take(now: 0)
        }
        queue.add(a, at: 1)
        queue.finish(a, rest: 10)
        queue.finish(b, rest: 20)
        queue.add(b, at: 2)
        let early = queue.take(now: 9)
        #expect(early == nil)
        #expect(queue.nextTime == 10)
        let first = queue.take(now: 10)
        let second = queue.take(now: 20)
        #expect([first, second] == [a, b])
        queue.finish(b)
        queue.add(b, at: 30)
        #expect(queue.nextTime == 30)
    }

    @Test("failures in a row are counted, and forgotten with the first success")
    func failures() {
        var queue = WorkQueue<Int>()
        var counts: [Int] = []
        for _ in 0..<3 {
            queue.add(a, at: 0)
            _ = queue.take(now: 0)
            counts.append(queue.fail(a))
        }
        queue.add(a, at: 0)
        _ = queue.take(now: 0)
        queue.finish(a)
        counts.append(queue.fail(a))
        #expect(counts == [0, 1, 2, 0])
    }

    @Test(
        "back-off doubles from 5 ms and stops at 30 s",
        arguments: [(0, 5), (1, 10), (4, 80), (12, 20_480), (13, 30_000), (1000, 30_000)])
    func backoff(failures: Int, milliseconds: Int) {
        #expect(Backoff.delay(failures: failures) == .milliseconds(milliseconds))
    }
}
