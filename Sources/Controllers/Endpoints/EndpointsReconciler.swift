import ControllerKit
import KubeClient
import KubeModel

/// Writes the Endpoints and the EndpointSlices of a Service with a selector.
struct EndpointsReconciler: Reconciler {
    static let serviceLabel = "kubernetes.io/service-name"
    static let managerLabel = "endpointslice.kubernetes.io/managed-by"
    static let manager = "endpointslice-controller.k8s.io"

    let client: any ClusterClient

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let object = try await client.find(.services, key), !object.isBeingDeleted else {
            // The slices go with their owner; Endpoints have none and are removed here.
            try await client.deleteIfPresent(.endpoints, key.name, in: key.namespace)
            return .settled
        }
        let service = KubeService(object)
        guard service.selector != nil, service.type != "ExternalName" else { return .settled }
        let pods = try await client.list(.pods, in: key.namespace).items.map(Pod.init)
        let plan = EndpointsPlan(service: service, pods: pods)
        try await writeEndpoints(plan, service)
        try await writeSlices(plan, service)
        return .settled
    }

    private func writeEndpoints(_ plan: EndpointsPlan, _ service: KubeService) async throws {
        let subsets = plan.subsets
        let wanted = subsets.array?.isEmpty ?? true ? nil : subsets
        var labels = service.object.labels
        if service.isHeadless { labels["service.kubernetes.io/headless"] = "" }
        if var present = try await client.find(.endpoints, service.key) {
            guard present.value["subsets"] != wanted || present.labels != labels else { return }
            present.labels = labels
            present.value["subsets"] = wanted
            _ = try await client.update(.endpoints, present, subresource: nil, options: WriteOptions())
        } else {
            var endpoints = KubeObject(.endpoints, namespace: service.key.namespace, name: service.key.name)
            endpoints.labels = labels
            endpoints.value["subsets"] = wanted
            _ = try await client.create(.endpoints, endpoints)
        }
    }

    private func writeSlices(_ plan: EndpointsPlan, _ service: KubeService) async throws {
        let options = ListOptions(
            labelSelector: "\(Self.serviceLabel)=\(service.object.name),\(Self.managerLabel)=\(Self.manager)")
        var present = try await client.list(.endpointSlices, namespace: service.key.namespace, options: options).items
        // A Service without pods keeps one empty slice, so that a watcher sees that there is nothing.
        var wanted = plan.slices
        if wanted.isEmpty { wanted = [(.array([]), .array([]))] }
        for (ports, endpoints) in wanted {
            guard !present.isEmpty else {
                _ = try await client.create(.endpointSlices, newSlice(service, ports, endpoints))
                continue
            }
            var slice = present.removeFirst()
            let labels = labels(of: service)
            guard slice.value["ports"] != ports || slice.value["endpoints"] != endpoints || slice.labels != labels
            else { continue }
            slice.labels = labels
            slice.value["ports"] = ports
            slice.value["endpoints"] = endpoints
            _ = try await client.update(.endpointSlices, slice, subresource: nil, options: WriteOptions())
        }
        for left in present { try await client.deleteIfPresent(.endpointSlices, left.name, in: left.namespace) }
    }

    private func newSlice(_ service: KubeService, _ ports: JSONValue, _ endpoints: JSONValue) -> KubeObject {
        var slice = KubeObject([
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": ["generateName": .string("\(service.object.name)-")], "addressType": "IPv4",
        ])
        slice.namespace = service.object.namespace
        slice.labels = labels(of: service)
        slice.ownerReferences = [OwnerReference(controller: service.object)]
        slice.value["endpoints"] = endpoints
        slice.value["ports"] = ports
        return slice
    }
    /// The labels of the slices of a Service: its own, and whose they are.
    private func labels(of service: KubeService) -> [String: String] {
        var labels = service.object.labels
        labels[Self.serviceLabel] = service.object.name
        labels[Self.managerLabel] = Self.manager
        if service.isHeadless { labels["service.kubernetes.io/headless"] = "" }
        return labels
    }
}
