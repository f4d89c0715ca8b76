import KubeClient
import KubeModel

/// Why a container cannot be put together, as its status shows it.
struct ConfigurationError: Error, Sendable, Hashable {
    var reason = "CreateContainerConfigError"
    var message: String
}

/// The environment of a container: what its manifest says, and what the cluster adds.
struct ContainerEnvironment: Sendable {
    private(set) var variables: [(name: String, value: String)] = []

    /// What a container gets: `services` are those to be named in variables;
    /// `facts` are the values of `fieldRef`s that are not in the object: the pod's address, the node's; `capacity` is what a container without a
    /// limit may use.
    static func build(
        _ container: Container, _ pod: Pod, services: [KubeService], facts: [String: String],
        capacity: [String: Quantity],
        lookup: (ResourceType, String) async throws(Status) -> KubeObject?
    ) async throws(ConfigurationError) -> ContainerEnvironment {
        var environment = ContainerEnvironment()
        environment.addServices(services)
        for source in container.value["envFrom"]?.array ?? [] {
            try await environment.addAll(from: source, pod, lookup)
        }
        for entry in container.value["env"]?.array ?? [] {
            guard let name = entry["name"]?.string else { continue }
            if let source = entry["valueFrom"] {
                if let value = try await Self.value(of: source, container, pod, facts, capacity, lookup) {
                    environment.set(name, value)
                }
            } else {
                environment.set(name, environment.expand(entry["value"]?.string ?? ""))
            }
        }
        return environment
    }

    mutating func set(_ name: String, _ value: String) {
        variables.removeAll { $0.name == name }
        variables.append((name, value))
    }

    subscript(name: String) -> String? { variables.last { $0.name == name }?.value }

    /// Replaces `$(NAME)` by the value of a variable set before; `$$` is a dollar sign, and an unknown name stays as it is.
    func expand(_ text: String) -> String {
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result += "$"
                rest.removeFirst()
            } else if rest.first == "(", let end = rest.firstIndex(of: ")") {
                let name = String(rest[rest.index(after: rest.startIndex)..<end])
                result += self[name] ?? "$(\(name))"
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
            }
        }
        return result + rest
    }

    private mutating func addServices(_ services: [KubeService]) {
        for service in services.sorted(by: { $0.object.name < $1.object.name }) {
            guard !service.isHeadless, !service.clusterIP.isEmpty, let first = service.ports.first else { continue }
            let name = service.object.name.uppercased().replacing("-", with: "_")
            set("\(name)_SERVICE_HOST", service.clusterIP)
            set("\(name)_SERVICE_PORT", "\(first.port)")
            for port in service.ports {
                if !port.name.isEmpty {
                    set("\(name)_SERVICE_PORT_\(port.name.uppercased().replacing("-", with: "_"))", "\(port.port)")
                }
                let transport = port.transport.lowercased()
                let url = "\(transport)://\(service.clusterIP):\(port.port)"
                if port == first { set("\(name)_PORT", url) }
                let prefix = "\(name)_PORT_\(port.port)_\(port.transport)"
                set(prefix, url)
                set("\(prefix)_PROTO", transport)
                set("\(prefix)_PORT", "\(port.port)")
                set("\(prefix)_ADDR", service.clusterIP)
            }
        }
    }

    private mutating func addAll(
        from source: JSONValue, _ pod: Pod, _ lookup: (ResourceType, String) async throws(Status) -> KubeObject?
    ) async throws(ConfigurationError) {
        let prefix = source["prefix"]?.string ?? ""
        for (member, resource) in [("configMapRef", ResourceType.configMaps), ("secretRef", .secrets)] {
            guard let reference = source[member], let name = reference["name"]?.string else { continue }
            guard let object = try await Self.find(resource, name, reference, lookup) else { continue }
            for (key, value) in object.value["data"]?.object ?? [:] {
                set(prefix + key, Self.text(value, resource))
            }
        }
    }

    private static func value(
        of source: JSONValue, _ container: Container, _ pod: Pod, _ facts: [String: String],
        _ capacity: [String: Quantity], _ lookup: (ResourceType, String) async throws(Status) -> KubeObject?
    ) async throws(ConfigurationError) -> String? {
        for (member, resource) in [("configMapKeyRef", ResourceType.configMaps), ("secretKeyRef", .secrets)] {
            guard let reference = source[member], let name = reference["name"]?.string,
                let key = reference["key"]?.string
            else { continue }
            guard let object = try await find(resource, name, reference, lookup) else { return nil }
            if let value = object.value[["data", key]] { return text(value, resource) }
            if reference["optional"]?.bool ?? false { return nil }
            let kind = resource == .secrets ? "Secret" : "ConfigMap"
            throw ConfigurationError(message: "couldn't find key \(key) in \(kind) \(pod.namespace)/\(name)")
        }
        if let path = source[["fieldRef", "fieldPath"]]?.string { return field(path, pod, facts) }
        if let reference = source["resourceFieldRef"] { return resourceField(reference, container, pod, capacity) }
        return nil
    }

    private static func find(
        _ resource: ResourceType, _ name: String, _ reference: JSONValue,
        _ lookup: (ResourceType, String) async throws(Status) -> KubeObject?
    ) async throws(ConfigurationError) -> KubeObject? {
        let object: KubeObject?
        do throws(Status) { object = try await lookup(resource, name) } catch {
            throw ConfigurationError(message: error.message)
        }
        guard object == nil, !(reference["optional"]?.bool ?? false) else { return object }
        throw ConfigurationError(message: "\(resource == .secrets ? "secret" : "configmap") \"\(name)\" not found")
    }

    private static func text(_ value: JSONValue, _ resource: ResourceType) -> String {
        let text = value.string ?? ""
        return resource == .secrets ? String(decoding: Base64.decode(text) ?? [], as: UTF8.self) : text
    }

    /// A value of the downward API.
    static func field(_ path: String, _ pod: Pod, _ facts: [String: String]) -> String {
        if let fact = facts[path] { return fact }
        for (prefix, map) in [("metadata.labels", pod.object.labels), ("metadata.annotations", pod.object.annotations)]
        {
            guard path.hasPrefix(prefix) else { continue }
            let key = path.dropFirst(prefix.count)
            if key.hasPrefix("['"), key.hasSuffix("']") { return map[String(key.dropFirst(2).dropLast(2))] ?? "" }
            return map.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: "\n")
        }
        return pod.object.value[path.split(separator: ".").map(String.init)]?.string ?? ""
    }

    static func resourceField(
        _ reference: JSONValue, _ container: Container, _ pod: Pod, _ capacity: [String: Quantity]
    ) -> String? {
        let name = reference["containerName"]?.string
        let container = name.flatMap { name in pod.containers.first { $0.name == name } } ?? container
        let parts = (reference["resource"]?.string ?? "").split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        // Without a limit the node's whole amount may be used (Kubernetes docs, "Downward API").
        let isLimit = parts[0] == "limits"
        let open = isLimit ? capacity[parts[1]] : nil
        let amount = (isLimit ? container.limits : container.requests)[parts[1]] ?? open ?? Quantity(0)
        let divisor = reference["divisor"]?.string.flatMap(Quantity.init(parsing:)) ?? Quantity(1)
        guard divisor.milliValue > 0 else { return "\(amount.value)" }
        return "\((amount.milliValue + divisor.milliValue - 1) / divisor.milliValue)"
    }
}
