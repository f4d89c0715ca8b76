import KubeModel

/// Objects to try rules on.
enum Fixture {
    static func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

    static func kind(_ resource: ResourceType) throws -> KindSchema {
        guard let kind = KindCatalog.builtIn.kind(resource) else { throw MissingKind(resource: resource) }
        return kind
    }

    struct MissingKind: Error { let resource: ResourceType }

    /// An object as the server sees it after decoding and defaults.
    static func object(_ resource: ResourceType, _ text: String) throws -> KubeObject {
        let kind = try kind(resource)
        var object = try kind.decode(parse(text)).object
        object.value["apiVersion"] = .string(resource.apiVersion)
        object.value["kind"] = .string(resource.kind)
        if resource.isNamespaced, object.namespace == nil { object.namespace = "lab" }
        if object.name.isEmpty { object.name = "web" }
        kind.applyDefaults(&object)
        return object
    }

    /// What validation says about an object with its defaults.
    static func complaints(_ resource: ResourceType, _ text: String) throws -> [String] {
        try kind(resource).validate(object(resource, text)).map(\.description)
    }

    /// A pod with the given members of its only container, and of its spec.
    static func pod(container: String = "", spec: String = "") -> String {
        """
        {"spec": {"containers": [{"name": "web", "image": "web:1.0"\(container.isEmpty ? "" : ", ")\(container)}]\
        \(spec.isEmpty ? "" : ", ")\(spec)}}
        """
    }

    /// A deployment with the given members of its spec.
    static func deployment(spec: String = "", labels: String = #"{"app": "web"}"#, pod: String = "") -> String {
        """
        {"spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": \(labels)},
        "spec": {"containers": [{"name": "web", "image": "web:1.0"}]\(pod.isEmpty ? "" : ", ")\(pod)}}\
        \(spec.isEmpty ? "" : ", ")\(spec)}}
        """
    }

    static let now = Timestamp(seconds: 1_800_000_000)

    /// The moment some seconds before `now`, as text.
    static func ago(_ seconds: Int64) -> String { Timestamp(seconds: now.seconds - seconds).text }
}
