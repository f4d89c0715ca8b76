import KubeClient
import KubeModel
import LabTesting
import ObjectStore
import Testing

@testable import APIServer

/// Requests of several people to one cluster in memory.
struct AccessFixture {
    let cluster: MemoryCluster
    let pipeline: RequestPipeline
    static let admin = UserInfo(name: "admin", groups: ["system:masters", "system:authenticated"])
    static let jane = UserInfo(name: "jane", groups: ["system:authenticated"])

    init(admitsAccounts: Bool = false) throws {
        cluster = try MemoryCluster(admitsAccounts: admitsAccounts)
        pipeline = RequestPipeline(registry: cluster.server.registry)
    }

    var registry: Registry { cluster.server.registry }
    var client: any ClusterClient { cluster.client }

    struct Answer {
        let code: Int
        let headers: [(name: String, value: String)]
        let text: String
        var value: JSONValue { (try? JSONValue(parsing: text)) ?? .null }
        var message: String { value["message"]?.string ?? text }
        var warnings: [String] { headers.filter { $0.name == "Warning" }.map(\.value) }
    }

    func send(
        _ method: String, _ uri: String, _ body: JSONValue? = nil, as user: UserInfo? = admin,
        impersonating: Impersonation? = nil, contentType: String = "application/json"
    ) async throws -> Answer {
        var request = APIRequest(method, uri, contentType: contentType, body: body?.encoded ?? [], user: user)
        request.impersonation = impersonating
        let response = await pipeline.respond(to: request)
        guard case .bytes(let bytes) = response.body else { throw Unrefused() }
        return Answer(
            code: response.code, headers: response.headers, text: String(decoding: bytes, as: UTF8.self))
    }

    /// Writes an object straight into the store, whatever kinds the server serves.
    @discardableResult
    func put(_ resource: ResourceType, _ name: String, in namespace: String? = nil, _ members: JSONValue)
        async throws -> KubeObject
    {
        try await registry.prepare()
        var object = KubeObject(resource, namespace: namespace, name: name)
        object.uid = ObjectMetadata.newUID()
        for (key, value) in members.object ?? [:] { object.value[key] = value }
        return try await cluster.store.put(
            Target(kind: KindSchema(resource, root: .any), namespace: namespace, name: name).key, object
        ).object
    }

    func makeRole(_ name: String, in namespace: String = "default", _ rules: JSONValue) async throws {
        try await put(.roles, name, in: namespace, ["rules": rules])
    }

    /// Binds a role of a namespace to a user.
    func bind(_ role: String, kind: String = "Role", in namespace: String = "default", to user: String) async throws {
        try await put(.roleBindings, "\(role)-\(user)", in: namespace, Self.binding(role, kind: kind, to: user))
    }

    static func binding(_ role: String, kind: String = "Role", to user: String) -> JSONValue {
        [
            "roleRef": [
                "apiGroup": "rbac.authorization.k8s.io", "kind": .string(kind), "name": .string(role),
            ],
            "subjects": [["apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": .string(user)]],
        ]
    }
}

extension AccessFixture {
    var server: APIServer { cluster.server }
}

enum StoreKeys {
    static func quota(_ name: String, in namespace: String = "default") -> StoreKey {
        StoreKey(resource: ResourceType.resourceQuotas.qualifiedPlural, namespace: namespace, name: name)
    }

    static func roleBinding(_ name: String, in namespace: String = "default") -> StoreKey {
        StoreKey(resource: ResourceType.roleBindings.qualifiedPlural, namespace: namespace, name: name)
    }
}
