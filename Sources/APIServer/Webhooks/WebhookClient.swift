import KubeModel

/// Where a webhook is and by whose word it is believed (`clientConfig`).
struct WebhookClient: Sendable, Hashable {
    enum Place: Sendable, Hashable {
        case service(ServiceReference, path: String)
        case url(String)
    }

    let place: Place
    /// PEM of the authorities that may have signed the program's certificate; empty for those of this machine.
    let authorities: [UInt8]

    init(_ value: JSONValue) {
        authorities = value["caBundle"]?.string.flatMap(SecretText.decode) ?? []
        if let service = value["service"], !service.isNull {
            place = .service(ServiceReference(service), path: service["path"]?.string ?? "")
        } else {
            place = .url(value["url"]?.string ?? "")
        }
    }

    /// The URL as messages show it.
    ///
    /// - Parameter timeoutSeconds: Told to the program as a parameter; nil for none.
    func url(timeoutSeconds: Int?) -> String {
        let query = timeoutSeconds.map { "?timeout=\($0)s" } ?? ""
        switch place {
        case .service(let service, let path):
            let slash = path.hasPrefix("/") ? "" : "/"
            return "https://\(service.serverName):\(service.port)\(slash)\(path)\(query)"
        case .url(let url): return url + query
        }
    }
}

/// A Service by its name and one of its ports.
struct ServiceReference: Sendable, Hashable {
    let namespace: String
    let name: String
    let port: Int

    init(namespace: String, name: String, port: Int) {
        self.namespace = namespace
        self.name = name
        self.port = port
    }

    init(_ value: JSONValue) {
        self.init(
            namespace: value["namespace"]?.string ?? "", name: value["name"]?.string ?? "",
            port: value["port"]?.int ?? 443)
    }

    /// The name that the program's certificate is to have.
    var serverName: String { "\(name).\(namespace).svc" }
}
