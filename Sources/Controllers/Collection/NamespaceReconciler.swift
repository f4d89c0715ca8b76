import ControllerKit
import KubeClient
import KubeModel

/// Empties a namespace that is being deleted, then lets it go.
struct NamespaceReconciler: Reconciler {
    let client: any ClusterClient
    /// Every kind that lives in namespaces.
    let kinds: @Sendable () -> [ResourceType]

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard var namespace = try await client.find(.namespaces, key), namespace.isBeingDeleted else { return .settled }
        var left = 0
        for kind in kinds() {
            let items = try await client.list(kind, in: key.name).items
            for item in items where !item.isBeingDeleted {
                try await client.deleteIfPresent(
                    kind, item.name, in: key.name, options: DeleteOptions(propagation: .background))
            }
            left += try await client.list(kind, in: key.name).items.count
        }
        // Pods announce their end; other kinds may wait for a finalizer, which nothing here follows.
        guard left == 0 else { return .again(after: .seconds(2)) }
        namespace.value[["spec", "finalizers"]] = nil
        _ = try await client.call(
            "PUT", .namespaces, namespace: nil, name: key.name, subresource: "finalize", body: namespace.value)
        return .settled
    }
}

/// Gives every namespace its ServiceAccount `default` and the cluster's root certificate.
struct NamespaceDefaultsReconciler: Reconciler {
    let client: any ClusterClient
    /// PEM; what pods verify the API server with.
    let rootCertificate: String

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let namespace = try await client.find(.namespaces, key), !namespace.isBeingDeleted else {
            return .settled
        }
        if try await client.find(.serviceAccounts, ObjectKey(namespace: key.name, name: "default")) == nil {
            try await createOnce(.serviceAccounts, KubeObject(.serviceAccounts, namespace: key.name, name: "default"))
        }
        let name = "kube-root-ca.crt"
        let data: JSONValue = ["ca.crt": .string(rootCertificate)]
        if var present = try await client.find(.configMaps, ObjectKey(namespace: key.name, name: name)) {
            guard present.value["data"] != data else { return .settled }
            present.value["data"] = data
            _ = try await client.update(.configMaps, present, subresource: nil, options: WriteOptions())
        } else {
            var map = KubeObject(.configMaps, namespace: key.name, name: name)
            map.annotations = [
                "kubernetes.io/description": "The certificate authority that pods verify the API server with."
            ]
            map.value["data"] = data
            try await createOnce(.configMaps, map)
        }
        return .settled
    }

    private func createOnce(_ resource: ResourceType, _ object: KubeObject) async throws {
        do throws(Status) { _ = try await client.create(resource, object) } catch {
            guard error.isAlreadyExists else { throw error }
        }
    }
}
