public import KubeClient
public import KubeModel
public import ObjectStore
public import ServiceLifecycle

/// The cluster's API: everything that is read or written goes through here, from inside the process or over HTTPS.
///
/// The in-process client works as soon as the server is made; `run()` is needed for the network only.
public final class APIServer: Service {
    let registry: Registry
    private let configuration: APIServerConfiguration

    /// - Parameter store: What is in it is taken over: the addresses and node ports of its Services stay theirs.
    public init(
        store: ObjectStore, catalog: KindCatalog = .builtIn,
        configuration: APIServerConfiguration = APIServerConfiguration()
    ) {
        guard let block = AddressBlock(parsing: configuration.serviceCIDR) else {
            preconditionFailure("'\(configuration.serviceCIDR)' is not a block of IPv4 addresses for Services")
        }
        let pool = ServicePool(
            block: block, nodePorts: configuration.nodePorts, kept: [block.first + 1, block.first + 10])
        registry = Registry(store: store, catalog: catalog, services: ServiceAllocator(pool))
        self.configuration = configuration
        registry.restoreServices()
    }

    /// A client inside the process, for `user` (shown in messages only: everything inside is trusted).
    public func client(user: String) -> any ClusterClient { InProcessClient(registry: registry, user: user) }

    /// Connects the API server to a node, for logs.
    public func setNodeAgent(_ agent: any NodeAgent, node: String) { registry.nodes.set(agent, node: node) }

    public func run() async throws {
        try await registry.prepare()
        try await gracefulShutdown()
    }
}
