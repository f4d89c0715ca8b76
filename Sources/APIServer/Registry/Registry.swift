import KubeClient
import KubeModel
import ObjectStore
import Synchronization

/// The verbs of the API over the store, whatever the transport: what is asked, checked, filled in, written.
///
/// The in-process client and the HTTPS server both end here, so that admission, defaults and validation are the same.
final class Registry: Sendable {
    let store: ObjectStore
    let liveCatalog: LiveCatalog
    let customResources = CustomResources()
    let services: ServiceAllocator
    let nodes = NodeAgents()
    let eventExpiry = EventExpiry()
    let eventLines = EventLines()
    let webhooks = WebhookBook()
    let connections = OutgoingConnections()
    let aggregator: Aggregator
    let policies = PolicyBook()
    let now: @Sendable () -> Timestamp
    /// Who may do what; every door asks it before anything else.
    let authorizer: RoleAuthorizer
    /// Issues and knows the tokens of service accounts.
    let tokens: ServiceAccountTokens
    /// The certificate by which pods know the server; empty without one.
    let authorityCertificate: String
    /// Takes note of every request.
    let ledger = RequestLedger()
    /// Admission plugins that are switched off.
    let disabledPlugins: Set<String>
    /// Where the server listens; nil until it does.
    let address = Mutex<ServerAddress?>(nil)
    /// Whether `prepare` has been done.
    let preparation = OneAtATime()

    init(
        store: ObjectStore, catalog: KindCatalog, services: ServiceAllocator, signer: TokenSigner = TokenSigner(),
        authorityCertificate: String = "", frontProxy: ClientIdentity? = nil, disabledPlugins: Set<String> = [],
        now: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        self.store = store
        liveCatalog = LiveCatalog(catalog)
        self.services = services
        self.now = now
        authorizer = RoleAuthorizer(store: store)
        tokens = ServiceAccountTokens(signer: signer, store: store)
        self.authorityCertificate = authorityCertificate
        aggregator = Aggregator(identity: frontProxy)
        self.disabledPlugins = disabledPlugins
    }

    /// The kinds that are served now; definitions of custom resources change them.
    var catalog: KindCatalog { liveCatalog.current }

    /// The schema of a resource; `Status.unknownResource` for one that is not served.
    func kind(of resource: ResourceType) throws(Status) -> KindSchema {
        try kind(group: resource.group, version: resource.version, plural: resource.plural)
    }

    func kind(group: String, version: String, plural: String) throws(Status) -> KindSchema {
        guard let kind = catalog.kind(group: group, version: version, plural: plural) else {
            throw .unknownResource
        }
        return kind
    }
}

/// One object, as a request names it.
struct Target: Sendable {
    let kind: KindSchema
    /// Nil for objects of the cluster.
    let namespace: String?
    let name: String

    init(kind: KindSchema, namespace: String?, name: String) {
        self.kind = kind
        self.namespace = kind.resource.isNamespaced ? namespace : nil
        self.name = name
    }

    var resource: ResourceType { kind.resource }

    var key: StoreKey { StoreKey(resource: kind.storeName, namespace: namespace, name: name) }
}

/// How a write is to be done.
struct WriteSettings: Sendable {
    var isDryRun = false
    var fieldValidation: FieldValidation = .warn
    /// Who writes, for the admission rules that look at it; nil is the server itself.
    var caller: UserInfo?
    /// Members that the body gave twice, as dotted paths.
    var duplicateFields: [String] = []
    /// Who is written down as the owner of what is written.
    var fieldManager = ""
    /// Whether the objects to be written say already who owns what.
    var hasOwners = false
    /// Whether the new state comes from a patch, which cannot name the object by its uid.
    var isPatch = false
    /// Whether an apply takes fields from others.
    var isForced = false
    /// Whether webhooks are asked about what is written; they never are about the server's own writes.
    var callsWebhooks = true
    /// The request that this is done for: it takes warnings, and remarks for its audit event.
    var open: OpenRequest?
    /// What a deletion asks for.
    var deletion: DeleteOptions?
}

/// What a write left behind.
struct Written: Sendable {
    let object: KubeObject
    /// The object as JSON; made anew for a dry run, which stores nothing.
    let bytes: [UInt8]
    var isCreated = false
    /// Texts for `Warning` headers.
    var warnings: [String] = []

    init(_ stored: StoredObject) {
        object = stored.object
        bytes = stored.bytes
    }

    /// The outcome of a dry run.
    init(unstored object: KubeObject) {
        self.object = object
        bytes = object.value.encoded
    }
}

/// The agents of the nodes, by the name of the node.
final class NodeAgents: Sendable {
    private let agents = Mutex<[String: any NodeAgent]>([:])

    subscript(node: String) -> (any NodeAgent)? { agents.withLock { $0[node] } }

    func set(_ agent: any NodeAgent, node: String) { agents.withLock { $0[node] = agent } }
}

extension WriteSettings {
    /// How a deletion is to be done.
    init(_ deletion: DeleteOptions, isDryRun: Bool, caller: UserInfo?, _ open: OpenRequest? = nil) {
        self.isDryRun = isDryRun
        self.caller = caller
        self.open = open
        self.deletion = deletion
    }

    /// Who writes, as `managedFields` names it.
    func writer(_ kind: KindSchema, _ subresource: String? = nil) -> FieldWriter {
        FieldWriter(manager: fieldManager, apiVersion: kind.resource.apiVersion, subresource: subresource ?? "")
    }
}
