public import ControllerKit
public import KubeClient
import KubeModel

/// One informer for each kind that anybody follows, shared by all controllers.
public struct InformerSet: Sendable {
    public let namespaces: Informer
    public let nodes: Informer
    public let pods: Informer
    public let replicaSets: Informer
    public let replicationControllers: Informer
    public let deployments: Informer
    public let statefulSets: Informer
    public let daemonSets: Informer
    public let controllerRevisions: Informer
    public let jobs: Informer
    public let cronJobs: Informer
    public let services: Informer
    public let endpoints: Informer
    public let endpointSlices: Informer
    public let serviceAccounts: Informer
    public let configMaps: Informer
    public let autoscalers: Informer
    public let secrets: Informer
    public let resourceQuotas: Informer
    public let podDisruptionBudgets: Informer
    public let persistentVolumeClaims: Informer
    public let persistentVolumes: Informer
    public let storageClasses: Informer
    public let certificateSigningRequests: Informer
    /// Kinds that have no controller here, but owners and quotas.
    private let others: [Informer]

    public init(client: any ClusterClient) {
        func informer(_ resource: ResourceType) -> Informer { Informer(client: client, resource: resource) }
        namespaces = informer(.namespaces)
        nodes = informer(.nodes)
        pods = informer(.pods)
        replicaSets = informer(.replicaSets)
        replicationControllers = informer(.replicationControllers)
        deployments = informer(.deployments)
        statefulSets = informer(.statefulSets)
        daemonSets = informer(.daemonSets)
        controllerRevisions = informer(.controllerRevisions)
        jobs = informer(.jobs)
        cronJobs = informer(.cronJobs)
        services = informer(.services)
        endpoints = informer(.endpoints)
        endpointSlices = informer(.endpointSlices)
        serviceAccounts = informer(.serviceAccounts)
        configMaps = informer(.configMaps)
        autoscalers = informer(.horizontalPodAutoscalers)
        secrets = informer(.secrets)
        resourceQuotas = informer(.resourceQuotas)
        podDisruptionBudgets = informer(.podDisruptionBudgets)
        persistentVolumeClaims = informer(.persistentVolumeClaims)
        persistentVolumes = informer(.persistentVolumes)
        storageClasses = informer(.storageClasses)
        certificateSigningRequests = informer(.certificateSigningRequests)
        others = [.ingresses, .leases, .limitRanges, .networkPolicies, .podTemplates, .roleBindings, .roles].map(
            informer)
    }

    public var all: [Informer] {
        [
            namespaces, nodes, pods, replicaSets, replicationControllers, deployments, statefulSets, daemonSets,
            controllerRevisions, jobs, cronJobs, services, endpoints, endpointSlices, serviceAccounts, configMaps,
            secrets, autoscalers, resourceQuotas, podDisruptionBudgets, persistentVolumeClaims, persistentVolumes,
            storageClasses, certificateSigningRequests,
        ] + others
    }
}
