public import ControllerKit
public import KubeClient
import KubeModel

/// The kinds that the network follows; whoever follows some of them already shares those.
public struct NetworkInformers: Sendable {
    let services: Informer
    let endpointSlices: Informer
    let pods: Informer
    let namespaces: Informer
    let networkPolicies: Informer
    let ingresses: Informer
    let ingressClasses: Informer
    let secrets: Informer
    /// Those that nobody else runs.
    let own: [Informer]

    /// Informers that are given are run by the giver.
    public init(
        client: any ClusterClient, services: Informer? = nil, endpointSlices: Informer? = nil, pods: Informer? = nil,
        namespaces: Informer? = nil, secrets: Informer? = nil
    ) {
        var own: [Informer] = []
        func informer(_ resource: ResourceType, _ given: Informer?) -> Informer {
            if let given { return given }
            let made = Informer(client: client, resource: resource)
            own.append(made)
            return made
        }
        self.services = informer(.services, services)
        self.endpointSlices = informer(.endpointSlices, endpointSlices)
        self.pods = informer(.pods, pods)
        self.namespaces = informer(.namespaces, namespaces)
        self.secrets = informer(.secrets, secrets)
        networkPolicies = informer(.networkPolicies, nil)
        ingresses = informer(.ingresses, nil)
        ingressClasses = informer(.ingressClasses, nil)
        self.own = own
    }
}
