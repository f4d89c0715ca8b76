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
        guard !isPrepared.load(ordering: .acquiring) else { return }
        let namespaceKind = try kind(of: .namespaces)
        for name in Self.firstNamespaces {
            try await createIfMissing(namespaceKind, KubeObject(.namespaces, name: name))
        }
        var service = KubeObject(.services, namespace: "default", name: "kubernetes")
        service.labels = ["component": "apiserver", "provider": "kubernetes"]
        service.value["spec"] = [
            "type": "ClusterIP", "clusterIP": .string(services.firstAddress),
            "ports": [["name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443]],
        ]
        try await createIfMissing(try kind(of: .services), service)
        isPrepared.store(true, ordering: .releasing)
    }

    private func createIfMissing(_ kind: KindSchema, _ object: KubeObject) async throws(Status) {
        let target = Target(kind: kind, namespace: object.namespace, name: object.name)
        guard store.get(target.key) == nil else { return }
        do throws(Status) {
            _ = try await create(kind, namespace: object.namespace, body: object.value, WriteSettings())
        } catch {
            // Another door may be preparing the same cluster at the same moment.
            guard store.get(target.key) == nil else { return }
            throw error
        }
    }

    /// Takes note of the addresses and node ports that stored Services hold.
    func restoreServices() {
        guard let page = try? store.list(.all(resource: ResourceType.services.qualifiedPlural)) else { return }
        for item in page.items { services.restore(item.object) }
    }
}
