import ControllerKit
public import KubeClient
public import KubeModel
public import ServiceLifecycle

/// All controllers of the cluster, and the informers that they share.
public struct ControllerManager: Sendable {
    public let informers: InformerSet
    private let loops: [ControllerLoop]
    private let customKinds: CustomKindCollection

    /// - Parameters:
    ///   - client: What the controllers read and write with.
    ///   - rootCertificate: PEM of the cluster's certificate authority, for the pods.
    ///   - namespacedKinds: Every kind that lives in namespaces at the moment, so that deleting a namespace empties it.
    ///   - resources: The resource of a kind of object; what autoscalers scale.
    ///   - volumes: Where volumes of the class `standard` are made; nil makes none.
    ///   - issue: Signs wishes for certificates; nil signs none.
    ///   - timeFactor: Divides the waits that Kubernetes prescribes, such as those between the pods of a failing Job.
    public init(
        client: any ClusterClient, rootCertificate: String, namespacedKinds: @escaping @Sendable () -> [ResourceType],
        resources: @escaping @Sendable (_ apiVersion: String, _ kind: String) -> ResourceType?,
        volumes: VolumeFolders? = nil, issue: CertificateIssuer? = nil, timeFactor: Double = 1
    ) {
        let informers = InformerSet(client: client)
        let followed = FollowedKinds(informers.all, resources: resources)
        self.informers = informers
        let events = { EventRecorder(client: client, component: $0) }
        // A change to a pod concerns every Service whose selector takes it in, before or after.
        let podServices = ControllerLoop.Source(informers.pods) { change in
            informers.services.list(namespace: change.object.namespace).filter { service in
                guard let selector = KubeService(service).selector else { return false }
                return [change.old, change.new].contains { $0.map { selector.matches($0.labels) } ?? false }
            }.map(ObjectKey.init)
        }
        // A Deployment of the kind Recreate waits for the pods of its old ReplicaSets.
        let podDeployments = ControllerLoop.Source(informers.pods) { change in
            guard change.new == nil, let owner = change.object.controllerOwner, owner.kind == "ReplicaSet",
                let set = informers.replicaSets.get(ObjectKey(namespace: change.object.namespace, name: owner.name)),
                let deployment = set.controllerOwner, deployment.kind == "Deployment"
            else { return [] }
            return [ObjectKey(namespace: set.namespace, name: deployment.name)]
        }
        let podBudgets = ControllerLoop.Source(informers.pods) { change in
            informers.podDisruptionBudgets.list(namespace: change.object.namespace).filter { budget in
                [change.old, change.new].contains { $0.map { DisruptionBudget(budget).selects($0.labels) } ?? false }
            }.map(ObjectKey.init)
        }
        // Endpoints have no owner: they bear the name of their Service.
        let endedEndpoints = ControllerLoop.Source(informers.endpoints) { change in
            change.new == nil ? [ObjectKey(change.object)] : []
        }
        let endedPods = ControllerLoop.Source(informers.pods) { change in
            guard change.new == nil, let name = change.object.namespace,
                informers.namespaces.get(ObjectKey(namespace: nil, name: name))?.isBeingDeleted ?? false
            else { return [] }
            return [ObjectKey(namespace: nil, name: name)]
        }
        loops =
            [
                ControllerLoop(
                    DeploymentReconciler(client: client, events: events("deployment-controller")),
                    sources: [
                        .own(informers.deployments), .owner(informers.replicaSets, kind: "Deployment"), podDeployments,
                    ]),
                ControllerLoop(
                    EndpointsReconciler(client: client),
                    sources: [
                        .own(informers.services), podServices, .owner(informers.endpointSlices, kind: "Service"),
                        endedEndpoints,
                    ]),
                Self.mirrorLoop(informers, client: client),
                ControllerLoop(
                    DisruptionReconciler(client: client, events: events("controllermanager")),
                    sources: [.own(informers.podDisruptionBudgets), podBudgets]),
                ControllerLoop(
                    AutoscalerReconciler(
                        client: client, events: events("horizontal-pod-autoscaler"), resources: resources,
                        timeFactor: timeFactor),
                    sources: [.own(informers.autoscalers)]),
                ControllerLoop(
                    NamespaceReconciler(client: client, kinds: namespacedKinds),
                    sources: [.own(informers.namespaces), endedPods]),
                ControllerLoop(
                    NamespaceDefaultsReconciler(client: client, rootCertificate: rootCertificate),
                    sources: [
                        .own(informers.namespaces), .namespace(of: informers.serviceAccounts),
                        .namespace(of: informers.configMaps),
                    ]),
            ] + Self.workloadLoops(informers, client: client, pace: Pace(factor: timeFactor))
            + Self.nodeLoops(informers, client: client, pace: Pace(factor: timeFactor))
            + [Self.quotaLoop(informers, client: client, kinds: namespacedKinds)]
            + Self.storage(informers, client: client, volumes: volumes)
            + Self.certificates(informers, client: client, issue: issue)
            + informers.all.map {
                GarbageCollector.loop($0, others: informers.all, followed: followed, client: client)
            }
        customKinds = CustomKindCollection(client: client, followed: followed) {
            Self.quotaLoop(after: $0, informers, client: client, kinds: namespacedKinds)
        }
    }

    public var services: [any Service] { informers.all + loops + [customKinds] }
}

extension ControllerLoop.Source {
    /// The namespace of one of the objects that every namespace has, when it went or changed.
    static func namespace(of informer: Informer) -> ControllerLoop.Source {
        let names = ["default", "kube-root-ca.crt"]
        return ControllerLoop.Source(informer) { change in
            guard change.old != nil, names.contains(change.object.name) else { return [] }
            return [ObjectKey(namespace: nil, name: change.object.namespace ?? "")]
        }
    }
}
