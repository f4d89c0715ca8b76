import APIServer
import ControllerKit
import Controllers
import KubeClient
import KubeModel
import LabTesting
import Testing

/// A cluster in memory with all controllers, and a node that is none.
struct Fixture: Sendable {
    let cluster: MemoryCluster
    let manager: ControllerManager
    let node: NodeStandIn
    var client: any ClusterClient { cluster.client }

    static let patience: Duration = .seconds(40)

    /// `intercept` is called before each request of the controllers; what it throws is the answer.
    init(
        nodeIsAutomatic: Bool = true, volumes: VolumeFolders? = nil,
        intercept: (@Sendable (InterceptedClient.Request) async throws(Status) -> Void)? = nil
    ) throws {
        cluster = try MemoryCluster()
        let client = cluster.server.client(user: "system:kube-controller-manager")
        manager = ControllerManager(
            client: intercept.map { InterceptedClient(client, intercept: $0) } ?? client, rootCertificate: "PEM",
            namespacedKinds: KindCatalog.builtIn.kinds.map(\.resource).filter(\.isNamespaced),
            volumes: volumes, timeFactor: 10_000)
        node = NodeStandIn(client: cluster.client, isAutomatic: nodeIsAutomatic)
    }

    func running<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        try await cluster.running(manager.services + [node], body)
    }

    // MARK: Waiting

    /// Waits for a fact about one object, and returns the object; the test fails if it does not come about.
    @discardableResult
    func wait(
        _ resource: ResourceType, _ name: String, in namespace: String = "default",
        sourceLocation: SourceLocation = #_sourceLocation, until isMet: @escaping @Sendable (KubeObject) -> Bool
    ) async throws -> KubeObject {
        let isCluster = !resource.isNamespaced
        let found = try await client.waitFor(
            resource, namespace: isCluster ? nil : namespace, fieldSelector: "metadata.name=\(name)",
            timeout: Self.patience
        ) { $0.first.map(isMet) ?? false }
        if let object = found?.first { return object }
        let last = try? await client.get(resource, name, in: isCluster ? nil : namespace)
        throw recorded("\(resource.kind) \(name) is \(last.map(Self.text) ?? "not there")", sourceLocation)
    }

    /// Waits for a fact about the objects of a kind, in the order of their names.
    @discardableResult
    func waitAll(
        _ resource: ResourceType, in namespace: String? = "default", selector: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation, until isMet: @escaping @Sendable ([KubeObject]) -> Bool
    ) async throws -> [KubeObject] {
        let found = try await client.waitFor(
            resource, namespace: namespace, labelSelector: selector, timeout: Self.patience, until: isMet)
        if let found { return found }
        let last = try await client.list(resource, in: namespace).items.map(Self.text)
        throw recorded("of \(resource.kind) there are \(last.joined(separator: "\n"))", sourceLocation)
    }

    func waitGone(
        _ resource: ResourceType, _ name: String, in namespace: String? = "default",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let isGone = try await client.waitFor(resource, name, in: namespace, timeout: Self.patience) { $0 == nil }
        if !isGone { throw recorded("\(resource.kind) \(name) is still there", sourceLocation) }
    }

    private func recorded(_ text: String, _ sourceLocation: SourceLocation) -> NotMet {
        Issue.record("in time: \(text)", sourceLocation: sourceLocation)
        return NotMet()
    }

    private static func text(_ object: KubeObject) -> String { object.value.text }

    // MARK: Deployments

    /// Waits until a Deployment has only ready pods of its present template.
    @discardableResult
    func waitRolledOut(_ name: String = "web", sourceLocation: SourceLocation = #_sourceLocation) async throws
        -> KubeObject
    {
        try await wait(.deployments, name, sourceLocation: sourceLocation) { object in
            let status = object.value["status"]
            func number(_ field: String) -> Int { status?[field]?.int ?? 0 }
            let wanted = Deployment(object).replicas
            return number("observedGeneration") == object.generation && number("updatedReplicas") == wanted
                && number("replicas") == wanted && number("availableReplicas") == wanted
                && Deployment(object).conditions["Progressing"]?.reason == "NewReplicaSetAvailable"
        }
    }

    @discardableResult
    func patch(_ resource: ResourceType, _ name: String, _ patch: JSONValue) async throws -> KubeObject {
        try await client.patch(
            resource, namespace: "default", name: name, .merge(patch), subresource: nil, options: WriteOptions())
    }

    @discardableResult
    func setImage(_ image: String, _ name: String = "web") async throws -> KubeObject {
        let template: JSONValue = ["spec": ["containers": [["name": "main", "image": .string(image)]]]]
        return try await patch(.deployments, name, ["spec": ["template": template]])
    }

    /// The ReplicaSets of one image, however many there are.
    func sets(image: String) async throws -> [ReplicaSet] {
        try await client.list(.replicaSets, in: "default").items.map(ReplicaSet.init).filter {
            Self.image(of: $0.template) == image
        }
    }

    static func image(of template: JSONValue) -> String? {
        template[["spec", "containers"]]?.array?.first?["image"]?.string
    }

    func pods() async throws -> [Pod] { try await client.list(.pods, in: "default").items.map(Pod.init) }

    /// The messages of the events of one reason about one object; waits for as many as are wanted.
    func messages(
        _ reason: String, about name: String, count: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [String] {
        @Sendable func fits(_ event: KubeObject) -> Bool {
            event.value["reason"]?.string == reason && event.value[["involvedObject", "name"]]?.string == name
        }
        let events = try await waitAll(.events, sourceLocation: sourceLocation) { $0.filter(fits).count >= count }
        return events.filter(fits).compactMap { $0.value["message"]?.string }
    }
}

/// A fact that did not come about; the issue is recorded where it was waited for.
struct NotMet: Error {}
