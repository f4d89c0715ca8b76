import KubeModel
import ObjectStore
import Synchronization

/// Where the API server listens.
struct ServerAddress: Sendable {
    /// The loopback address: nobody but this machine reaches the server.
    static let host = "127.0.0.1"
    let port: Int

    var text: String { "\(Self.host):\(port)" }
}

/// What is behind the Service `kubernetes`: the server itself, at an address that is known only once it listens.
///
/// Kubernetes refuses loopback addresses in endpoints that others write; these are the server's own, and true.
extension Registry {
    var serverAddress: ServerAddress? { address.withLock { $0 } }

    /// Writes down where the server listens, for everybody who looks it up, and what else only a server on a network has:
    /// the objects of flow control.
    func announce(_ server: ServerAddress, _ credentials: PKI) async {
        address.withLock { $0 = server }
        for object in [endpoints(server), endpointSlice(server), authentication(credentials)] {
            await publish(object)
        }
        for object in MandatoryFlow.schemas + MandatoryFlow.levels {
            guard let kind = catalog.kind(apiVersion: object.apiVersion, kind: object.kind) else { continue }
            try? await createIfMissing(kind, object)
        }
    }

    private func endpoints(_ server: ServerAddress) -> KubeObject {
        var object = KubeObject(.endpoints, namespace: "default", name: "kubernetes")
        object.labels = ["endpointslice.kubernetes.io/skip-mirror": "true"]
        object.value["subsets"] = [
            [
                "addresses": [["ip": .string(ServerAddress.host)]],
                "ports": [["name": "https", "port": JSONValue(server.port), "protocol": "TCP"]],
            ]
        ]
        return object
    }

    /// By what API servers behind this one know its users, and this server when it speaks for one.
    private func authentication(_ credentials: PKI) -> KubeObject {
        var object = KubeObject(.configMaps, namespace: "kube-system", name: "extension-apiserver-authentication")
        object.value["data"] = [
            "client-ca-file": .string(credentials.authorityCertificate),
            "requestheader-allowed-names": .string("[\"\(PKI.frontProxyName)\"]"),
            "requestheader-client-ca-file": .string(credentials.frontProxyAuthority),
            "requestheader-extra-headers-prefix": "[\"X-Remote-Extra-\"]",
            "requestheader-group-headers": "[\"X-Remote-Group\"]",
            "requestheader-username-headers": "[\"X-Remote-User\"]",
        ]
        return object
    }

    private func endpointSlice(_ server: ServerAddress) -> KubeObject {
        var object = KubeObject(.endpointSlices, namespace: "default", name: "kubernetes")
        object.labels = ["kubernetes.io/service-name": "kubernetes"]
        object.value["addressType"] = "IPv4"
        object.value["endpoints"] = [
            ["addresses": [.string(ServerAddress.host)], "conditions": ["ready": true]]
        ]
        object.value["ports"] = [["name": "https", "port": JSONValue(server.port), "protocol": "TCP"]]
        return object
    }

    /// Writes an object unless it is there as it should be; what others noted in its metadata stays.
    private func publish(_ object: KubeObject) async {
        guard let kind = catalog.kind(apiVersion: object.apiVersion, kind: object.kind) else { return }
        let key = Target(kind: kind, namespace: object.namespace, name: object.name).key
        let present = store.get(key)
        var object = object
        if let present {
            object.value["metadata"] = present.object.value["metadata"]
            guard object.value != present.object.value else { return }
        } else {
            object.uid = ObjectMetadata.newUID()
            object.value[["metadata", "creationTimestamp"]] = .string(now().text)
            object.value[["metadata", "generation"]] = kind.resource == .endpointSlices ? 1 : nil
        }
        _ = try? await store.put(key, object, present.map { .revision($0.revision) } ?? .absent)
    }
}
