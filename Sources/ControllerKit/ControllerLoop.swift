public import KubeModel
public import ServiceLifecycle
import Synchronization

/// Makes objects of one kind right.
public protocol Reconciler: Sendable {
    /// Makes the object at `key` right, or cleans up after it if it is gone. Idempotent; a throw means back-off.
    func reconcile(_ key: ObjectKey) async throws -> Outcome
}

/// What a reconciler wants next.
public enum Outcome: Equatable, Sendable {
    case settled
    case again(after: Duration)
}

/// Feeds a reconciler with the keys that informers say have changed, one key at a time and several keys side by side.
public final class ControllerLoop: Sendable, Service {
    /// Changes of one kind, and the keys that each of them concerns.
    public struct Source: Sendable {
        let informer: Informer
        let keys: @Sendable (Informer.Change) -> [ObjectKey]

        public init(_ informer: Informer, _ keys: @escaping @Sendable (Informer.Change) -> [ObjectKey]) {
            self.informer = informer
            self.keys = keys
        }

        /// The same, for some of the changes only.
        public func when(_ matters: @escaping @Sendable (Informer.Change) -> Bool) -> Source {
            Source(informer) { change in matters(change) ? keys(change) : [] }
        }

        /// The changed object itself.
        public static func own(_ informer: Informer) -> Source { Source(informer) { [ObjectKey($0.object)] } }

        /// The owner of a kind that controls the changed object, before or after the change.
        public static func owner(_ informer: Informer, kind: String) -> Source {
            Source(informer) { change in
                [change.old, change.new].compactMap { object in
                    guard let object, let owner = object.controllerOwner, owner.kind == kind else { return nil }
                    return ObjectKey(namespace: object.namespace, name: owner.name)
                }
            }
        }
    }

    private let reconciler: any Reconciler
    private let sources: [Source]
    private let workersMax: Int
    private let rest: Duration
    private let queue = Mutex(WorkQueue<ContinuousClock.Instant>())
    private let news = Bell()

    /// - Parameters:
    ///   - workersMax: So many keys are worked on side by side at most.
    ///   - rest: A key that was worked on is not worked on again for so long: what happens to it meanwhile is one change.
    public init(
        _ reconciler: any Reconciler, sources: [Source], workersMax: Int = .max, rest: Duration = .zero
    ) {
        self.rest = rest
        self.reconciler = reconciler
        self.sources = sources
        self.workersMax = workersMax
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown { await self.runLoop() }
    }

    private func runLoop() async {
        let observations = sources.map { source in source.informer.observe { self.add(source.keys($0)) } }
        defer { for observation in observations { observation.end() } }
        // Reconciling on half-filled caches would create what is there already.
        for source in sources { await source.informer.waitUntilSynced() }
        await withDiscardingTaskGroup { group in
            await dispatch(in: &group)
            group.cancelAll()
        }
    }

    /// Hands due keys to workers, and sleeps until the next one is due or news arrives.
    private func dispatch(in group: inout DiscardingTaskGroup) async {
        while !Task.isCancelled {
            let (key, next) = queue.withLock { queue -> (ObjectKey?, ContinuousClock.Instant?) in
                // Whoever ends its work tells.
                guard queue.workingCount < workersMax else { return (nil, nil) }
                return (queue.take(now: .now), queue.nextTime)
            }
            if let key {
                group.addTask { await self.work(on: key) }
                continue
            }
            await news.wait(until: next)
        }
    }

    private func work(on key: ObjectKey) async {
        do {
            let outcome = try await reconciler.reconcile(key)
            queue.withLock { queue in
                queue.finish(key, rest: rest > .zero ? .now + rest : nil)
                if case .again(let delay) = outcome { queue.add(key, at: .now + delay) }
            }
        } catch {
            queue.withLock { queue in
                let failures = queue.fail(key)
                queue.add(key, at: .now + Backoff.delay(failures: failures))
            }
        }
        news.ring()
    }

    private func add(_ keys: [ObjectKey]) {
        guard !keys.isEmpty else { return }
        queue.withLock { queue in for key in keys { queue.add(key, at: .now) } }
        news.ring()
    }
}
