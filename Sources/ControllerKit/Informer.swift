public import KubeClient
public import KubeModel
public import ServiceLifecycle
import Synchronization

/// A cache of the objects of one kind, kept up to date by a watch, for many readers.
///
/// It lists, then watches; an expired or broken watch lists again and swaps the cache in one step, so that readers never see
/// half a list and consumers get the difference as changes.
public final class Informer: Sendable, Service {
    /// What happened to one object: nil is absence.
    public struct Change: Sendable {
        public let old: KubeObject?
        public let new: KubeObject?

        public var object: KubeObject { new ?? old ?? KubeObject(.null) }
    }

    private struct Shared {
        var objects: [ObjectKey: KubeObject] = [:]
        /// The keys of objects that have owners, by the uid of each owner.
        var owned: [String: Set<ObjectKey>] = [:]
        var isSynced = false
        /// It does not run any more: nobody is to wait for it.
        var isOver = false
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var waiterCount = 0
        var consumers: [AsyncStream<Change>.Continuation] = []
        var observers: [Observation] = []

        /// Hands a change to everybody who listens, and forgets who does not any more.
        mutating func tell(_ change: Change) {
            consumers.removeAll { consumer in
                if case .terminated = consumer.yield(change) { true } else { false }
            }
        }

        mutating func rememberOwners(of object: KubeObject) {
            for owner in Self.owners(of: object) { owned[owner, default: []].insert(ObjectKey(object)) }
        }

        mutating func forgetOwners(of object: KubeObject?) {
            guard let object else { return }
            for owner in Self.owners(of: object) {
                owned[owner]?.remove(ObjectKey(object))
                if owned[owner]?.isEmpty == true { owned[owner] = nil }
            }
        }

        private static func owners(of object: KubeObject) -> [String] {
            object.value[["metadata", "ownerReferences"]]?.array?.compactMap { $0["uid"]?.string } ?? []
        }
    }

    public let resource: ResourceType
    private let client: any ClusterClient
    private let namespace: String?
    private let labelSelector: String?
    private let fieldSelector: String?
    private let shared = Mutex(Shared())

    public init(
        client: any ClusterClient, resource: ResourceType, namespace: String? = nil, labelSelector: String? = nil,
        fieldSelector: String? = nil
    ) {
        self.client = client
        self.resource = resource
        self.namespace = namespace
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
    }

    public func get(_ key: ObjectKey) -> KubeObject? { shared.withLock { $0.objects[key] } }

    /// The cached objects in no particular order; nil means all namespaces.
    public func list(namespace: String? = nil) -> [KubeObject] {
        shared.withLock { shared in
            guard let namespace else { return Array(shared.objects.values) }
            return shared.objects.values.filter { $0.namespace == namespace }
        }
    }

    /// The cached objects that name an owner, by its uid, in no particular order.
    public func list(ownedBy uid: String) -> [KubeObject] {
        shared.withLock { shared in shared.owned[uid]?.compactMap { shared.objects[$0] } ?? [] }
    }

    /// The first list is in the cache.
    public var isSynced: Bool { shared.withLock { $0.isSynced } }

    /// Returns when the first list is in the cache, when the informer has ended, or when whoever waits is cancelled.
    public func waitUntilSynced() async {
        let number = shared.withLock { shared in
            shared.waiterCount += 1
            return shared.waiterCount
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = shared.withLock { shared in
                    if shared.isSynced || shared.isOver || Task.isCancelled { return true }
                    shared.waiters[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            shared.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }

    /// Every change from now on, the present objects as additions first.
    ///
    /// The stream ends with the informer.
    public func changes() -> AsyncStream<Change> {
        let (stream, continuation) = AsyncStream<Change>.makeStream()
        shared.withLock { shared in
            for object in shared.objects.values { continuation.yield(Change(old: nil, new: object)) }
            if shared.isOver { continuation.finish() } else { shared.consumers.append(continuation) }
        }
        return stream
    }

    /// Calls `body` with every change from now on, the present objects as additions first, until the observation is ended.
    ///
    /// Cheaper than a stream for those who mostly have nothing to do: nobody is woken. `body` is called in the informer's own
    /// task, so it must not wait, and may be told of a change of a present object before its addition.
    public func observe(_ body: @escaping @Sendable (Change) -> Void) -> Observation {
        let observation = Observation(informer: self, observe: body)
        let present = shared.withLock { shared in
            shared.observers.append(observation)
            return Array(shared.objects.values)
        }
        for object in present { body(Change(old: nil, new: object)) }
        return observation
    }

    /// Somebody who is told of changes.
    public final class Observation: Sendable {
        private let informer: Informer
        fileprivate let observe: @Sendable (Change) -> Void

        fileprivate init(informer: Informer, observe: @escaping @Sendable (Change) -> Void) {
            self.informer = informer
            self.observe = observe
        }

        public func end() { informer.shared.withLock { $0.observers.removeAll { $0 === self } } }
    }

    /// Runs until the task is cancelled or the service group shuts down.
    public func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var backoff = Backoff()
            while !Task.isCancelled {
                do {
                    try await self.follow { backoff.reset() }
                } catch is CancellationError {
                    break
                } catch {
                    try await ContinuousClock().sleep(for: backoff.next())
                }
            }
        }
        let consumers = shared.withLock { shared in
            defer {
                shared.waiters = [:]
                shared.consumers = []
                shared.isOver = true
            }
            for waiter in shared.waiters.values { waiter.resume() }
            return shared.consumers
        }
        for consumer in consumers { consumer.finish() }
    }

    /// One list and the watch after it.
    private func follow(_ listed: () -> Void) async throws {
        let list = try await client.list(
            resource, namespace: namespace,
            options: ListOptions(labelSelector: labelSelector, fieldSelector: fieldSelector))
        listed()
        replace(with: list.items)
        let events = try await client.watch(
            resource, namespace: namespace,
            options: WatchOptions(
                labelSelector: labelSelector, fieldSelector: fieldSelector, resourceVersion: list.resourceVersion))
        for try await event in events {
            switch event {
            case .added(let object), .modified(let object): put(object)
            case .deleted(let object): remove(object)
            case .bookmark: break
            }
        }
    }

    private func put(_ object: KubeObject) {
        change { shared in
            let old = shared.objects.updateValue(object, forKey: ObjectKey(object))
            shared.forgetOwners(of: old)
            shared.rememberOwners(of: object)
            return [Change(old: old, new: object)]
        }
    }

    private func remove(_ object: KubeObject) {
        change { shared in
            shared.forgetOwners(of: shared.objects.removeValue(forKey: ObjectKey(object)))
            return [Change(old: object, new: nil)]
        }
    }

    private func replace(with items: [KubeObject]) {
        let fresh = Dictionary(items.map { (ObjectKey($0), $0) }, uniquingKeysWith: { _, last in last })
        change { shared in
            let old = shared.objects
            shared.objects = fresh
            shared.owned = [:]
            for object in fresh.values { shared.rememberOwners(of: object) }
            shared.isSynced = true
            var changes: [Change] = []
            for (key, object) in fresh where old[key] != object {
                if let before = old[key], before.uid != object.uid {
                    // Another object of the same name: that the first one went must not be lost.
                    changes += [Change(old: before, new: nil), Change(old: nil, new: object)]
                } else {
                    changes.append(Change(old: old[key], new: object))
                }
            }
            for (key, object) in old where fresh[key] == nil { changes.append(Change(old: object, new: nil)) }
            return changes
        }
    }

    /// Changes the cache and tells of it: streams under the lock, so that they begin with what is there, observers after it,
    /// because they look into caches themselves.
    private func change(_ body: (inout Shared) -> [Change]) {
        let (changes, observers, waiters) = shared.withLock { shared in
            let changes = body(&shared)
            for change in changes { shared.tell(change) }
            defer { if shared.isSynced { shared.waiters = [:] } }
            return (changes, shared.observers, shared.isSynced ? Array(shared.waiters.values) : [])
        }
        for change in changes { for observer in observers { observer.observe(change) } }
        for waiter in waiters { waiter.resume() }
    }
}

/// The pause before the next try: doubles from 5 ms to 30 s.
public struct Backoff: Sendable {
    private var failures = 0

    public init() {}

    public mutating func next() -> Duration {
        defer { failures += 1 }
        return Self.delay(failures: failures)
    }

    public mutating func reset() { failures = 0 }

    public static func delay(failures: Int) -> Duration {
        .milliseconds(min(30_000, 5 << min(failures, 13)))
    }
}
