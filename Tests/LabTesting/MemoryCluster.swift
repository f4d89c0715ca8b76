public import APIServer
public import KubeClient
public import KubeModel
public import ObjectStore
public import ServiceLifecycle

/// An API server over memory, reached from inside; tests run beside it what they are about.
public struct MemoryCluster: Sendable {
    public let store: ObjectStore
    public let server: APIServer
    public let client: any ClusterClient

    /// - Parameter admitsAccounts: Whether pods get a service account's token as a volume, which then somebody must fill.
    public init(
        historyCount: Int = 10_000, configuration: APIServerConfiguration = APIServerConfiguration(),
        admitsAccounts: Bool = false
    ) throws {
        var configuration = configuration
        if !admitsAccounts { configuration.disabledAdmissionPlugins.insert("ServiceAccount") }
        store = try ObjectStore(.memory, historyCount: historyCount)
        server = APIServer(store: store, configuration: configuration)
        client = server.client(user: "test")
    }

    /// Runs `body` while the services run; they are cancelled when it returns.
    public func running<Result: Sendable>(
        _ services: [any Service], _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in services { group.addTask { try? await service.run() } }
            defer { group.cancelAll() }
            return try await body()
        }
    }
}

extension MemoryCluster {
    /// A pod of one container, `main`, that is not in the cluster yet.
    public static func pod(_ name: String, image: String = "web:1.0", node: String? = nil, spec: JSONValue = [:])
        -> KubeObject
    {
        var object = KubeObject(.pods, namespace: "default", name: name)
        object.labels = ["app": name]
        object.value["spec"] = spec
        if spec["containers"] == nil {
            object.value[["spec", "containers"]] = [["name": "main", "image": .string(image)]]
        }
        if let node { object.value[["spec", "nodeName"]] = .string(node) }
        return object
    }

    /// A Deployment whose pods carry the label `app: NAME`.
    public static func deployment(_ name: String, replicas: Int = 2, image: String = "web:1.0") -> KubeObject {
        var object = KubeObject(.deployments, namespace: "default", name: name)
        object.value["spec"] = [
            "replicas": JSONValue(replicas), "selector": ["matchLabels": ["app": .string(name)]],
            "template": [
                "metadata": ["labels": ["app": .string(name)]],
                "spec": ["containers": [["name": "main", "image": .string(image)]]],
            ],
        ]
        return object
    }
}
