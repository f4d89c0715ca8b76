import APIServer
import KubeClient
import KubeModel
import ObjectStore
import Testing

/// An API server over memory, reached from inside.
struct Fixture {
    let store: ObjectStore
    let server: APIServer
    let client: any ClusterClient

    init(historyCount: Int = 10_000, configuration: APIServerConfiguration = APIServerConfiguration()) throws {
        store = try ObjectStore(.memory, historyCount: historyCount)
        server = APIServer(store: store, configuration: configuration)
        client = server.client(user: "test")
    }

    func makeConfigMap(
        _ name: String, in namespace: String = "default", labels: [String: String] = [:], data: JSONValue = [:]
    ) async throws -> KubeObject {
        var object = KubeObject(.configMaps, namespace: namespace, name: name)
        object.labels = labels
        object.value["data"] = data
        return try await client.create(.configMaps, object)
    }

    @discardableResult
    func makePod(_ name: String, node: String? = nil, grace: Int? = nil) async throws -> KubeObject {
        var object = KubeObject(.pods, namespace: "default", name: name)
        object.labels = ["app": name]
        object.value["spec"] = ["containers": [["name": "main", "image": "web:1.0"]]]
        if let node { object.value[["spec", "nodeName"]] = .string(node) }
        if let grace { object.value[["spec", "terminationGracePeriodSeconds"]] = JSONValue(grace) }
        return try await client.create(.pods, object)
    }

    static func deployment(_ name: String, replicas: Int = 2) -> KubeObject {
        var object = KubeObject(.deployments, namespace: "default", name: name)
        object.value["spec"] = [
            "replicas": JSONValue(replicas), "selector": ["matchLabels": ["app": .string(name)]],
            "template": [
                "metadata": ["labels": ["app": .string(name)]],
                "spec": ["containers": [["name": "main", "image": "web:1.0"]]],
            ],
        ]
        return object
    }

    static func service(_ name: String, _ spec: JSONValue) -> KubeObject {
        var object = KubeObject(.services, namespace: "default", name: name)
        object.value["spec"] = spec
        if spec["ports"] == nil { object.value[["spec", "ports"]] = [["port": 80]] }
        return object
    }
}

/// The `Status` that an action throws.
func refusal(_ action: () async throws -> Void) async throws -> Status {
    do {
        try await action()
    } catch let status as Status {
        return status
    }
    throw Unrefused()
}

struct Unrefused: Error {}
