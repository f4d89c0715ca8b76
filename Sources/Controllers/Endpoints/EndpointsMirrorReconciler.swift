import ControllerKit
import KubeClient
import KubeModel

/// Keeps EndpointSlices beside the Endpoints that somebody writes for a Service without a selector.
struct EndpointsMirrorReconciler: Reconciler {
    static let manager = "endpointslicemirroring-controller.k8s.io"
    private static let skipLabel = "endpointslice.kubernetes.io/skip-mirror"
    private static let leaderAnnotation = "control-plane.alpha.kubernetes.io/leader"
    /// Written by controllers and kubectl into Endpoints; says nothing about slices.
    private static let ownAnnotations: Set<String> = [
        "endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration",
    ]

    let client: any ClusterClient

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        let endpoints = try await client.find(.endpoints, key)
        let selector =
            "\(EndpointsReconciler.serviceLabel)=\(key.name),\(EndpointsReconciler.managerLabel)=\(Self.manager)"
        var present = try await client.list(
            .endpointSlices, namespace: key.namespace, options: ListOptions(labelSelector: selector)
        ).items
        if let endpoints, try await isMirrored(endpoints) {
            try await write(EndpointsMirror(endpoints).slices, of: endpoints, over: &present)
        }
        for left in present { try await client.deleteIfPresent(.endpointSlices, left.name, in: left.namespace) }
        return .settled
    }

    /// Nobody else writes slices for the Service, and nobody has said that there shall be none.
    private func isMirrored(_ endpoints: KubeObject) async throws -> Bool {
        guard endpoints.labels[Self.skipLabel] != "true", endpoints.annotations[Self.leaderAnnotation] == nil,
            !endpoints.isBeingDeleted, let service = try await client.find(.services, ObjectKey(endpoints))
        else { return false }
        return KubeService(service).selector == nil
    }

    /// Takes from `present` what it uses; what is left there is superfluous.
    private func write(
        _ slices: [EndpointsMirror.Slice], of endpoints: KubeObject, over present: inout [KubeObject]
    ) async throws {
        for slice in slices {
            // What a slice holds may change, but not the family of its addresses.
            guard let index = present.firstIndex(where: { $0.value["addressType"]?.string == slice.addressType }) else {
                _ = try await client.create(.endpointSlices, make(slice, of: endpoints))
                continue
            }
            var object = present.remove(at: index)
            let before = object
            fill(&object, with: slice, of: endpoints)
            guard object != before else { continue }
            _ = try await client.update(.endpointSlices, object, subresource: nil, options: WriteOptions())
        }
    }

    private func make(_ slice: EndpointsMirror.Slice, of endpoints: KubeObject) -> KubeObject {
        var object = KubeObject([
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": ["generateName": .string("\(endpoints.name)-")], "addressType": .string(slice.addressType),
        ])
        object.namespace = endpoints.namespace
        object.ownerReferences = [OwnerReference(controller: endpoints)]
        fill(&object, with: slice, of: endpoints)
        return object
    }

    private func fill(_ object: inout KubeObject, with slice: EndpointsMirror.Slice, of endpoints: KubeObject) {
        var labels = endpoints.labels
        labels[EndpointsReconciler.serviceLabel] = endpoints.name
        labels[EndpointsReconciler.managerLabel] = Self.manager
        object.labels = labels
        object.annotations = endpoints.annotations.filter { !Self.ownAnnotations.contains($0.key) }
        object.value["endpoints"] = .array(slice.endpoints)
        object.value["ports"] = slice.ports
    }
}
