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
    private let bound = BoundPort()

    /// A server over a store; what is in the store is taken over, and its Services keep their addresses and node ports.
    public init(
        store: ObjectStore, catalog: KindCatalog = .builtIn,
        configuration: APIServerConfiguration = APIServerConfiguration()
    ) {
        guard let block = AddressBlock(parsing: configuration.serviceCIDR) else {
            preconditionFailure("'\(configuration.serviceCIDR)' is not a block of IPv4 addresses for Services")
        }
        let pool = ServicePool(
            block: block, nodePorts: configuration.nodePorts, kept: [block.first + 1, block.first + 10])
        let signer = configuration.credentials.flatMap { TokenSigner(pem: $0.serviceAccountKey) } ?? TokenSigner()
        registry = Registry(
            store: store, catalog: catalog, services: ServiceAllocator(pool), signer: signer,
            authorityCertificate: configuration.credentials?.authorityCertificate ?? "",
            frontProxy: configuration.credentials.flatMap {
                try? ClientIdentity(certificate: $0.frontProxyCertificate, key: $0.frontProxyKey)
            },
            disabledPlugins: configuration.disabledAdmissionPlugins)
        self.configuration = configuration
        registry.restoreServices()
        registry.customResources.refresh(registry)
    }

    /// A client inside the process, for a user of the cluster's own.
    ///
    /// `system:kube-scheduler` and `system:node:NAME` have the rights that Kubernetes gives them; a service account has
    /// its own; any other name may do everything.
    public func client(user: String) -> any ClusterClient { client(user: .component(user)) }

    /// A client inside the process for any user: it may do what that user may do over the network.
    public func client(user: UserInfo) -> any ClusterClient { InProcessClient(registry: registry, user: user) }

    /// The last requests, as evidence of who did what.
    public var auditJournal: AuditJournal { registry.ledger.journal }

    /// Every resource that lives in namespaces and can be deleted, custom ones included, as of now.
    public var namespacedResources: [ResourceType] {
        registry.catalog.storedKinds.map(\.resource).filter(\.isNamespaced)
    }

    /// The resource of a kind of object that is served now.
    public func resource(apiVersion: String, kind: String) -> ResourceType? {
        registry.catalog.kind(apiVersion: apiVersion, kind: kind)?.resource
    }

    /// Connects the API server to a node, for logs.
    public func setNodeAgent(_ agent: any NodeAgent, node: String) { registry.nodes.set(agent, node: node) }

    /// The port on which the server listens; waits until it does, and throws `ServerError` when it cannot.
    public var boundPort: Int { get async throws { try await bound.value } }

    /// Serves until the service group shuts down or the task is cancelled; then watches end and connections close.
    ///
    /// - Throws: `ServerError` when the port is taken.
    public func run() async throws {
        do {
            try await registry.prepare()
            guard let port = configuration.port else {
                bound.resolve(.failure(ServerError(message: "The API server was set up without a port.")))
                try? await gracefulShutdown()
                return
            }
            guard let credentials = configuration.credentials else {
                throw ServerError(message: "The API server has a port but no certificates.")
            }
            let server = HTTPServer(
                port: port, credentials: credentials, pipeline: RequestPipeline(registry: registry),
                authenticator: Authenticator(tokens: configuration.tokens, accounts: registry.tokens))
            let journal = auditJournal
            let file = configuration.auditFile.map { AuditFile(path: $0) }
            try await cancelWhenGracefulShutdown { [bound, registry] in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    // It goes on until the server has ended, so that the last requests are in it.
                    if let file { group.addTask { await file.follow(journal) } }
                    group.addTask {
                        if let port = try? await bound.value {
                            await registry.announce(ServerAddress(port: port), credentials)
                        }
                        await registry.aggregator.run(registry)
                    }
                    defer { group.cancelAll() }
                    do {
                        try await server.run { bound.resolve(.success($0)) }
                    } catch {
                        bound.resolve(.failure(error as? ServerError ?? ServerError(message: "\(error)")))
                        throw error
                    }
                    // A server that ended before it listened leaves nobody waiting for its port.
                    bound.resolve(.failure(ServerError(message: "The API server has ended.")))
                }
            }
        } catch {
            bound.resolve(.failure(error as? ServerError ?? ServerError(message: "\(error)")))
            throw error
        }
        bound.resolve(.failure(ServerError(message: "The API server has ended.")))
    }
}
