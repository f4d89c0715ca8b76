import KubeClient
import KubeModel
import ObjectStore
import Synchronization

/// Events are forgotten after an hour, as in Kubernetes, so that a cluster that runs for days does not fill up with them.
///
/// There is no clock that ticks for this: a new event now and then looks for old ones.
final class EventExpiry: Sendable {
    static let lifetime = Duration.seconds(3600)
    private static let pause = Duration.seconds(60)

    private let lastSweep = Mutex<Timestamp?>(nil)

    /// Whether it is time to look; says yes once per pause.
    func isDue(now: Timestamp) -> Bool {
        lastSweep.withLock { last in
            if let last, now - last < Self.pause { return false }
            last = now
            return true
        }
    }

    /// Whether an event has had its hour since it was last seen.
    static func isOver(_ event: KubeObject, now: Timestamp) -> Bool {
        let times = [
            ["lastTimestamp"], ["series", "lastObservedTime"], ["eventTime"], ["metadata", "creationTimestamp"],
        ]
        let seen = times.compactMap { event.value[$0]?.string.flatMap(Timestamp.init(parsing:)) }.max()
        return seen.map { now - $0 > lifetime } ?? false
    }
}

extension Registry {
    /// Called after an event was written.
    func expireEvents() async {
        let moment = now()
        guard eventExpiry.isDue(now: moment),
            let page = try? store.list(.all(resource: ResourceType.events.qualifiedPlural))
        else { return }
        for item in page.items where EventExpiry.isOver(item.object, now: moment) {
            // One that has changed meanwhile is not old.
            _ = try? await store.delete(item.key, .revision(item.revision))
        }
    }
}
