import ControllerKit
import KubeClient
import KubeModel

extension ControllerManager {
    /// The controllers that run pods, and the Jobs of CronJobs.
    static func workloadLoops(
        _ informers: InformerSet, client: any ClusterClient, pace: Pace
    ) -> [ControllerLoop] {
        let events = { EventRecorder(client: client, component: $0) }
        return [
            ControllerLoop(
                ReplicaSetReconciler(client: client, events: events("replicaset-controller")),
                sources: [
                    .own(informers.replicaSets), .owner(informers.pods, kind: "ReplicaSet").when(countsAnew),
                    .orphans(informers.pods, of: informers.replicaSets) { ReplicaSet($0).selector },
                ], rest: countRest),
            ControllerLoop(
                ReplicaSetReconciler(
                    client: client, events: events("replication-controller"), resource: .replicationControllers),
                sources: [
                    .own(informers.replicationControllers),
                    .owner(informers.pods, kind: "ReplicationController").when(countsAnew),
                    .orphans(informers.pods, of: informers.replicationControllers) { ReplicaSet($0).selector },
                ], rest: countRest),
            ControllerLoop(
                StatefulSetReconciler(client: client, events: events("statefulset-controller")),
                sources: [
                    .own(informers.statefulSets), .owner(informers.pods, kind: "StatefulSet"),
                    .owner(informers.controllerRevisions, kind: "StatefulSet"),
                    .orphans(informers.pods, of: informers.statefulSets) { StatefulSet($0).selector },
                    endedClaims(informers),
                ]),
            ControllerLoop(
                DaemonSetReconciler(client: client, events: events("daemonset-controller"), pace: pace),
                sources: [
                    .own(informers.daemonSets), .owner(informers.pods, kind: "DaemonSet"),
                    .owner(informers.controllerRevisions, kind: "DaemonSet"),
                    .orphans(informers.pods, of: informers.daemonSets) { DaemonSet($0).selector },
                    changedNodes(informers),
                ]),
            ControllerLoop(
                JobReconciler(client: client, events: events("job-controller"), pace: pace),
                sources: [
                    .own(informers.jobs), .owner(informers.pods, kind: "Job"),
                    .orphans(informers.pods, of: informers.jobs) { Job($0).selector },
                ]),
            ControllerLoop(
                CronJobReconciler(client: client, events: events("cronjob-controller")),
                sources: [.own(informers.cronJobs), .owner(informers.jobs, kind: "CronJob")]),
        ]
    }

    /// Pods that become ready one after the other are counted together.
    private static let countRest = Duration.milliseconds(10)

    /// Whether a pod changed in what a count of replicas looks at.
    ///
    /// Half of a pod's changes on its way up are none of its business.
    private static func countsAnew(_ change: Informer.Change) -> Bool {
        guard let old = change.old.map(Pod.init), let new = change.new.map(Pod.init) else { return true }
        return old.phase != new.phase || old.object.isBeingDeleted != new.object.isBeingDeleted
            || old.conditions["Ready"] != new.conditions["Ready"]
            || old.object.value[["metadata", "labels"]] != new.object.value[["metadata", "labels"]]
            || old.object.value[["metadata", "ownerReferences"]] != new.object.value[["metadata", "ownerReferences"]]
    }

    /// A claim that is gone may make room for the next pod of a StatefulSet.
    private static func endedClaims(_ informers: InformerSet) -> ControllerLoop.Source {
        ControllerLoop.Source(informers.persistentVolumeClaims) { change in
            guard change.new == nil else { return [] }
            let claim = change.object
            return informers.statefulSets.list(namespace: claim.namespace).filter { set in
                StatefulSet(set).claimTemplates.contains {
                    claim.name.hasPrefix("\(KubeObject($0).name)-\(set.name)-")
                }
            }.map(ObjectKey.init)
        }
    }

    /// A node that came, went, or changed in what decides about pods concerns every DaemonSet.
    private static func changedNodes(_ informers: InformerSet) -> ControllerLoop.Source {
        ControllerLoop.Source(informers.nodes) { change in
            if let old = change.old, let new = change.new, old.labels == new.labels,
                old.value[["spec", "taints"]] == new.value[["spec", "taints"]],
                old.value[["spec", "unschedulable"]] == new.value[["spec", "unschedulable"]],
                old.isBeingDeleted == new.isBeingDeleted
            {
                return []  // A heartbeat.
            }
            return informers.daemonSets.list().map(ObjectKey.init)
        }
    }

    /// The slices beside Endpoints that somebody writes by hand; they, their Service and their slices have one name for a key.
    static func mirrorLoop(_ informers: InformerSet, client: any ClusterClient) -> ControllerLoop {
        let services = ControllerLoop.Source(informers.services) { change in
            let hasSelector = [change.old, change.new].map { $0.map { KubeService($0).selector != nil } }
            return hasSelector == [true, true] ? [] : [ObjectKey(change.object)]
        }
        return ControllerLoop(
            EndpointsMirrorReconciler(client: client),
            sources: [
                .own(informers.endpoints), services, .owner(informers.endpointSlices, kind: "Endpoints"),
            ])
    }

    /// What namespaces use of what they may.
    static func quotaLoop(
        _ informers: InformerSet, client: any ClusterClient, kinds: @escaping @Sendable () -> [ResourceType]
    ) -> ControllerLoop {
        let sources = informers.all.filter { $0.resource.isNamespaced && $0.resource != .resourceQuotas }
            .map { quotaSource($0, informers) }
        let peers = ControllerLoop.Source(informers.resourceQuotas) { change in
            informers.resourceQuotas.list(namespace: change.object.namespace).map(ObjectKey.init)
        }
        return ControllerLoop(
            ResourceQuotaReconciler(client: client, kinds: kinds),
            sources: [.own(informers.resourceQuotas), peers] + sources)
    }

    /// Counts anew when objects of one kind more come and go.
    static func quotaLoop(
        after informer: Informer, _ informers: InformerSet, client: any ClusterClient,
        kinds: @escaping @Sendable () -> [ResourceType]
    ) -> ControllerLoop {
        ControllerLoop(
            ResourceQuotaReconciler(client: client, kinds: kinds), sources: [quotaSource(informer, informers)])
    }

    private static func quotaSource(_ informer: Informer, _ informers: InformerSet) -> ControllerLoop.Source {
        ControllerLoop.Source(informer) { change in
            // A change of an object that stays matters only where amounts stand.
            if change.old != nil, change.new != nil,
                ![.pods, .services, .persistentVolumeClaims].contains(informer.resource)
            {
                return []
            }
            return informers.resourceQuotas.list(namespace: change.object.namespace).map(ObjectKey.init)
        }
    }
}

extension ControllerLoop.Source {
    /// Owners that could adopt a changed object that has none.
    static func orphans(
        _ informer: Informer, of owners: Informer, selector: @escaping @Sendable (KubeObject) -> LabelSelector
    ) -> ControllerLoop.Source {
        ControllerLoop.Source(informer) { change in
            guard let object = change.new, object.controllerOwner == nil else { return [] }
            return owners.list(namespace: object.namespace).filter { selector($0).matches(object.labels) }
                .map(ObjectKey.init)
        }
    }
}
