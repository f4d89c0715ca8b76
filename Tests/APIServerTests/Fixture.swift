import APIServer
import KubeClient
import KubeModel
import LabTesting
import ObjectStore
import Testing

/// A cluster in memory, and what these tests make in it.
struct Fixture {
    let cluster: MemoryCluster
    var store: ObjectStore { cluster.store }
    var server: APIServer { cluster.server }
    var client: any ClusterClient { cluster.client }

    init(historyCount: Int = 10_000, configuration: APIServerConfiguration = APIServerConfiguration()) throws {
        cluster = try MemoryCluster(historyCount: historyCount, configuration: configuration)
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
        var object = MemoryCluster.pod(name, node: node)
        if let grace { object.value[["spec", "terminationGracePeriodSeconds"]] = JSONValue(grace) }
        return try await client.create(.pods, object)
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
