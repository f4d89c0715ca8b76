public import ControllerKit
public import KubeClient
import KubeModel

/// One informer for each kind that anybody follows, shared by all controllers.
public struct InformerSet: Sendable {
    public let namespaces: Informer
    public let nodes: Informer
    public let pods: Informer
    public let replicaSets: Informer
    public let deployments: Informer
    public let services: Informer
    public let endpoints: Informer
    public let endpointSlices: Informer
    public let serviceAccounts: Informer
    public let configMaps: Informer
    public let autoscalers: Informer
    public let podDisruptionBudgets: Informer
    public let persistentVolumeClaims: Informer
    public let persistentVolumes: Informer
    public let storageClasses: Informer

    public init(client: any ClusterClient) {
        func informer(_ resource: ResourceType) -> Informer { Informer(client: client, resource: resource) }
        namespaces = informer(.namespaces)
        nodes = informer(.nodes)
        pods = informer(.pods)
        replicaSets = informer(.replicaSets)
        deployments = informer(.deployments)
        services = informer(.services)
        endpoints = informer(.endpoints)
        endpointSlices = informer(.endpointSlices)
        serviceAccounts = informer(.serviceAccounts)
        configMaps = informer(.configMaps)
        autoscalers = informer(.horizontalPodAutoscalers)
        podDisruptionBudgets = informer(.podDisruptionBudgets)
        persistentVolumeClaims = informer(.persistentVolumeClaims)
        persistentVolumes = informer(.persistentVolumes)
        storageClasses = informer(.storageClasses)
    }

    public var all: [Informer] {
        [
            namespaces, nodes, pods, replicaSets, deployments, services, endpoints, endpointSlices, serviceAccounts,
            configMaps, autoscalers, podDisruptionBudgets, persistentVolumeClaims, persistentVolumes, storageClasses,
        ]
    }
}
