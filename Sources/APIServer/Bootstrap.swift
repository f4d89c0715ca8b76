import KubeModel
import ObjectStore
import Synchronization

/// What every cluster holds from its first start on.
extension Registry {
    static let firstNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"]

    /// Creates what every cluster has; objects that are there already stay as they are.
    ///
    /// Every door calls this before its first request, so that nobody meets an empty cluster.
    func prepare() async throws(Status) {
        while true {
            switch preparation.enter() {
            case .done: return
            case .wait: await preparation.wait()
            case .first:
                do throws(Status) { try await createFirstObjects() } catch {
                    preparation.leave(isDone: false)
                    throw error
                }
                return preparation.leave(isDone: true)
            }
        }
    }

    private func createFirstObjects() async throws(Status) {
        let namespaceKind = try kind(of: .namespaces)
        for name in Self.firstNamespaces {
            try await createIfMissing(namespaceKind, KubeObject(.namespaces, name: name))
        }
        for priority in SystemPriorityClass.allCases {
            try await createIfMissing(try kind(of: .priorityClasses), priority.object)
        }
        try await createIfMissing(try kind(of: .storageClasses), Self.standardStorage)
        var service = KubeObject(.services, namespace: "default", name: "kubernetes")
        service.labels = ["component": "apiserver", "provider": "kubernetes"]
        service.value["spec"] = [
            "type": "ClusterIP", "clusterIP": .string(services.firstAddress),
            "ports": [["name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443]],
        ]
        try await createIfMissing(try kind(of: .services), service)
        await createFirstRoles()
        await registerAPIServices()
    }

    /// Writes the default roles and bindings that are missing, all but the last at once.
    private func createFirstRoles() async {
        var items = BootstrapPolicy.items()
        guard let last = items.popLast(), store.get(last.key) == nil else { return }
        let time = now()
        await withDiscardingTaskGroup { group in
            for item in items { group.addTask { await self.store(item, time) } }
        }
        // It says at the next start that all are there.
        await store(last, time)
    }

    private func store(_ item: BootstrapPolicy.Item, _ time: Timestamp) async {
        var object = item.object
        object.uid = ObjectMetadata.newUID()
        object.value[["metadata", "creationTimestamp"]] = .string(time.text)
        _ = try? await store.put(item.key, object, .absent)
    }

    /// The class of claims that name none: folders of the machine, made by the cluster itself.
    static var standardStorage: KubeObject {
        var storage = KubeObject(.storageClasses, name: "standard")
        storage.annotations["storageclass.kubernetes.io/is-default-class"] = "true"
        storage.value["provisioner"] = "velocitylab.dev/host-path"
        return storage
    }

    func createIfMissing(_ kind: KindSchema, _ object: KubeObject) async throws(Status) {
        let target = Target(kind: kind, namespace: object.namespace, name: object.name)
        guard store.get(target.key) == nil else { return }
        do throws(Status) {
            _ = try await create(
                kind, namespace: object.namespace, body: object.value, WriteSettings(fieldManager: "kube-apiserver"))
        } catch {
            // Another door may be preparing the same cluster at the same moment.
            guard error.isAlreadyExists else { throw error }
        }
    }

    /// Takes note of the addresses and node ports that stored Services hold.
    func restoreServices() {
        guard let page = try? store.list(.all(resource: ResourceType.services.qualifiedPlural)) else { return }
        for item in page.items { services.restore(item.object) }
    }
}

/// Lets one caller through, and the others wait until it is done.
final class OneAtATime: Sendable {
    enum Entry { case done, first, wait }

    private struct State {
        var isDone = false
        var isTaken = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())

    func enter() -> Entry {
        state.withLock { state in
            if state.isDone { return .done }
            defer { state.isTaken = true }
            return state.isTaken ? .wait : .first
        }
    }

    func leave(isDone: Bool) {
        let waiters = state.withLock { state in
            state.isDone = isDone
            state.isTaken = false
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when the one inside has left.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.isTaken { state.waiters.append(continuation) }
                return !state.isTaken
            }
            if isOver { continuation.resume() }
        }
    }
}
