import KubeModel

/// Objects as the API server and the endpoints controller leave them.
enum Fixture {
    static func service(
        _ name: String, namespace: String = "shop", clusterIP: String, ports: [JSONValue], type: String = "ClusterIP",
        version: Int = 1
    ) -> KubeObject {
        var object = KubeObject(.services, namespace: namespace, name: name)
        object.resourceVersion = String(version)
        object.value["spec"] = [
            "type": .string(type), "clusterIP": .string(clusterIP), "ports": .array(ports),
        ]
        return object
    }

    static func slice(
        of service: String, namespace: String = "shop", suffix: String = "a", ports: [JSONValue], endpoints: [JSONValue]
    ) -> KubeObject {
        var object = KubeObject(.endpointSlices, namespace: namespace, name: "\(service)-\(suffix)")
        object.labels = ["kubernetes.io/service-name": service]
        object.value["addressType"] = "IPv4"
        object.value["ports"] = .array(ports)
        object.value["endpoints"] = .array(endpoints)
        return object
    }

    static func endpoint(
        _ address: String, ready: Bool = true, serving: Bool? = nil, terminating: Bool = false, hostName: String? = nil,
        nodeName: String? = nil
    ) -> JSONValue {
        var value: JSONValue = [
            "addresses": [.string(address)],
            "conditions": [
                "ready": .bool(ready), "serving": .bool(serving ?? ready), "terminating": .bool(terminating),
            ],
        ]
        if let hostName { value["hostname"] = .string(hostName) }
        if let nodeName { value["nodeName"] = .string(nodeName) }
        return value
    }
}
