import KubeModel
import NIOCore
import ObjectStore

/// All watches whose connections live on one event loop, told together.
///
/// A writer tells the loop once that there is news, however many watch. The loop then takes the changes from the store in one
/// go, sorts them to the watchers by resource, namespace and name, encodes them once for all who want them in the same
/// form, and writes. With many watchers it does so in turns, between which requests are answered; what is written meanwhile
/// waits and is told together. So a crowd makes the batches longer, not the queue.
///
/// Lives on its loop only.
final class LoopWatchers {
    private let store: ObjectStore
    private let loop: any EventLoop
    private var shapes: [WatchShape: WatchGroup] = [:]
    private var shapesByRange: [KeyRange: Set<WatchShape>] = [:]
    /// What the store knows this loop by; nil while nobody watches.
    private var follower: StoreFollower?
    private var work: [(watcher: LoopWatcher, batch: WatchBatch)] = []
    private var workDone = 0
    private var hasNews = false
    private var isResting = false
    /// Up to here everything has been told to those who are not behind.
    private var seen = Revision(0)
    private var ringing: [LoopWatcher] = []

    /// So many watchers are told in one turn.
    private static let turnMax = 32
    /// After a turn that was not the last, the loop does something else for so many times as long.
    private static let restFactor = 4
    private static let restMax = TimeAmount.milliseconds(20)

    init(_ store: ObjectStore, _ loop: any EventLoop) {
        self.store = store
        self.loop = loop
    }

    // MARK: Coming and going

    /// Serves a watch until its end.
    ///
    /// - Parameter whenOver: Called at the end, unless that is `finish`.
    func join(_ stream: WatchStream, _ wire: WatchWire, whenOver: @escaping () -> Void) -> LoopWatcher {
        let watcher = LoopWatcher(stream, wire) { [self] watcher in
            leave(watcher, stream)
            whenOver()
        }
        let shape = WatchShape(stream, of: watcher)
        let follower = follower ?? makeFollower()
        // Before it catches up, so that nothing falls in between.
        store.follow(shape.range.resource, by: follower)
        let group = shapes[shape] ?? WatchGroup(stream)
        shapes[shape] = group
        shapesByRange[shape.range, default: []].insert(shape)
        group.members[ObjectIdentifier(watcher)] = watcher
        arm(watcher, stream.schedule, after: .zero, start: .now())
        watcher.begin()
        return watcher
    }

    private func leave(_ watcher: LoopWatcher, _ stream: WatchStream) {
        let shape = WatchShape(stream, of: watcher)
        guard let group = shapes[shape], group.members.removeValue(forKey: ObjectIdentifier(watcher)) != nil,
            let follower
        else { return }
        store.unfollow(shape.range.resource, by: follower)
        guard group.members.isEmpty else { return }
        shapes[shape] = nil
        shapesByRange[shape.range]?.remove(shape)
        if shapesByRange[shape.range]?.isEmpty == true { shapesByRange[shape.range] = nil }
        // It holds this object, which holds it.
        if shapes.isEmpty { self.follower = nil }
    }

    private func makeFollower() -> StoreFollower {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let follower = StoreFollower { [loop] in loop.execute { bound.value.newsCame() } }
        self.follower = follower
        return follower
    }

    // MARK: News

    private func newsCame() {
        hasNews = true
        if work.isEmpty, !isResting { tellNews() }
    }

    /// Takes what is new and begins to tell it.
    private func tellNews() {
        guard let follower else { return }
        hasNews = false
        do throws(StoreError) {
            let news = try store.take(follower)
            seen = news.upTo
            plan(news.events)
        } catch {
            // The history has gone on without this loop: everybody sees for himself whether he can follow.
            for watcher in shapes.values.flatMap({ Array($0.members.values) }) { watcher.goAlone(seen: seen) }
        }
        takeTurn()
    }

    private func plan(_ events: [StoreEvent]) {
        var concerned: [WatchGroup] = []
        for event in events {
            for range in KeyRange.around(event.object.key) {
                for shape in shapesByRange[range] ?? [] {
                    guard let group = shapes[shape] else { continue }
                    if group.events.isEmpty { concerned.append(group) }
                    group.events.append(event)
                }
            }
        }
        for group in concerned {
            let batch = WatchBatch(group.events, group.stream)
            group.events = []
            for watcher in group.members.values { work.append((watcher, batch)) }
        }
    }

    /// Tells some, and comes back for the rest.
    private func takeTurn() {
        let start = NIODeadline.now()
        let end = min(work.count, workDone + Self.turnMax)
        while workDone < end {
            let (watcher, batch) = work[workDone]
            workDone += 1
            watcher.tell(batch)
        }
        let isCrowded = work.count > Self.turnMax
        if workDone == work.count {
            work.removeAll(keepingCapacity: isCrowded)
            workDone = 0
            answerRings()
        }
        guard isCrowded else {
            if hasNews { tellNews() }
            return
        }
        isResting = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        let rest = min((NIODeadline.now() - start) * Self.restFactor, Self.restMax)
        loop.scheduleTask(in: rest) { bound.value.goOn() }
    }

    private func goOn() {
        isResting = false
        if !work.isEmpty {
            takeTurn()
        } else if hasNews || !ringing.isEmpty {
            tellNews()
        }
    }

    // MARK: The clock

    private func arm(_ watcher: LoopWatcher, _ schedule: WatchSchedule, after moment: Duration, start: NIODeadline) {
        guard !watcher.isOver, let ring = schedule.next(after: moment) else { return }
        let bound = NIOLoopBound((self, watcher), eventLoop: loop)
        watcher.alarm = loop.scheduleTask(deadline: start + TimeAmount(ring.at)) {
            let (loopWatchers, watcher) = bound.value
            loopWatchers.rang(watcher, ring)
            loopWatchers.arm(watcher, schedule, after: ring.at, start: start)
        }
    }

    private func rang(_ watcher: LoopWatcher, _ ring: WatchSchedule.Ring) {
        watcher.ring(ring)
        ringing.append(watcher)
        // A bookmark is to say how far things are now, not how far they were when something last happened.
        if work.isEmpty, !isResting { tellNews() }
    }

    private func answerRings() {
        guard !ringing.isEmpty else { return }
        let all = ringing
        ringing = []
        for watcher in all { watcher.answerRings(seen: seen) }
    }
}
