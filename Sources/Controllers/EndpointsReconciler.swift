import ControllerKit
import KubeClient
import KubeModel

/// Writes the Endpoints and the EndpointSlices of a Service with a selector, and mirrors the Endpoints of one without.
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
        guard service.type != "ExternalName" else { return .settled }
        guard service.selector != nil else {
            try await mirror(key)
            return .settled
        }
        let pods = try await client.list(.pods, in: key.namespace).items.map(Pod.init)
        let plan = EndpointsPlan(service: service, pods: pods)
        try await writeEndpoints(plan, service)
        // A Service without pods keeps one empty slice, so that a watcher sees that there is nothing.
        let slices = plan.slices.isEmpty ? [(.array([]), .array([]))] : plan.slices
        var labels = service.object.labels
        if service.isHeadless { labels["service.kubernetes.io/headless"] = "" }
        try await writeSlices(slices, owner: service.object, labels, manager: Self.manager)
        return .settled
    }

    private func mirror(_ key: ObjectKey) async throws {
        guard let endpoints = try await client.find(.endpoints, key) else { return }
        let slices = EndpointsMirror(endpoints)?.slices ?? []
        try await writeSlices(slices, owner: endpoints, endpoints.labels, manager: EndpointsMirror.manager)
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

    /// Brings the slices of one manager in line; they bear the labels of their owner, and whose they are.
    private func writeSlices(
        _ wanted: [(ports: JSONValue, endpoints: JSONValue)], owner: KubeObject, _ labels: [String: String],
        manager: String
    ) async throws {
        let own = [Self.serviceLabel: owner.name, Self.managerLabel: manager]
        let labels = labels.merging(own) { _, own in own }
        let options = ListOptions(
            labelSelector: "\(Self.serviceLabel)=\(owner.name),\(Self.managerLabel)=\(manager)")
        var present = try await client.list(.endpointSlices, namespace: owner.namespace, options: options).items
        for (ports, endpoints) in wanted {
            guard !present.isEmpty else {
                _ = try await client.create(.endpointSlices, newSlice(owner, labels, ports, endpoints))
                continue
            }
            var slice = present.removeFirst()
            guard slice.value["ports"] != ports || slice.value["endpoints"] != endpoints || slice.labels != labels
            else { continue }
            slice.labels = labels
            slice.value["ports"] = ports
            slice.value["endpoints"] = endpoints
            _ = try await client.update(.endpointSlices, slice, subresource: nil, options: WriteOptions())
        }
        for left in present { try await client.deleteIfPresent(.endpointSlices, left.name, in: left.namespace) }
    }

    private func newSlice(
        _ owner: KubeObject, _ labels: [String: String], _ ports: JSONValue, _ endpoints: JSONValue
    ) -> KubeObject {
        var slice = KubeObject([
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": ["generateName": .string("\(owner.name)-")], "addressType": "IPv4",
        ])
        slice.namespace = owner.namespace
        slice.labels = labels
        slice.ownerReferences = [OwnerReference(controller: owner)]
        slice.value["endpoints"] = endpoints
        slice.value["ports"] = ports
        return slice
    }
}
