import ContainerRuntime
import KubeModel

/// What Ingresses mean: routes, the secrets of hosts, and which Ingresses are ours.
///
/// Pure: made anew from all objects whenever one of them changed.
struct IngressPlan: Equatable, Sendable {
    static let controller = "k8s.io/ingress-nginx"
    static let className = "nginx"
    private static let annotationPrefix = "nginx.ingress.kubernetes.io/"

    private(set) var table = IngressTable()
    /// Host names, with `*.` for one label, and the Secret with their certificate.
    private(set) var secrets: [String: ObjectKey] = [:]
    /// The Ingresses that this controller serves.
    private(set) var served: [ObjectKey] = []
    /// Whether there is anything to do: an Ingress of ours, or a class that names us.
    private(set) var isWanted = false

    init(ingresses: [KubeObject], classes: [KubeObject], services: [KubeObject], slices: [KubeObject]) {
        let ours = Set(
            classes.filter { $0.value[["spec", "controller"]]?.string == Self.controller }.map(\.name))
        let known = Set(classes.map(\.name))
        isWanted = !ours.isEmpty
        guard !ingresses.isEmpty else { return }
        let backends = ServiceBackends(services: services, endpoints: EndpointIndex(slices))
        // Of two that want the same path of the same host, the older one gets it.
        let sorted = ingresses.sorted { left, right in
            let (first, second) = (left.creationTimestamp?.seconds ?? 0, right.creationTimestamp?.seconds ?? 0)
            return first != second ? first < second : ObjectKey(left) < ObjectKey(right)
        }
        for ingress in sorted {
            let name =
                ingress.value[["spec", "ingressClassName"]]?.string
                ?? ingress.annotations["kubernetes.io/ingress.class"]
            // One without a class is ours too: as with minikube, there is no other controller. So is one of the class that we
            // are about to create.
            guard name.map({ ours.contains($0) || ($0 == Self.className && !known.contains($0)) }) ?? true else {
                continue
            }
            isWanted = true
            served.append(ObjectKey(ingress))
            add(ingress, backends)
        }
        for host in table.sites.keys { table.sites[host]?.finish() }
    }

    private mutating func add(_ ingress: KubeObject, _ backends: ServiceBackends) {
        func annotation(_ name: String) -> String? { ingress.annotations[Self.annotationPrefix + name] }
        let spec = ingress.value["spec"] ?? [:]
        let namespace = ingress.namespace ?? "default"
        let rules = spec["rules"]?.array ?? []
        addSecrets(spec["tls"]?.array ?? [], rules, namespace)
        let fallback = spec["defaultBackend"].map { backends.destination($0, namespace) }
        if let fallback, rules.isEmpty, table.sites["", default: .init()].fallback == nil {
            table.sites["", default: .init()].fallback = fallback
        }
        let rewrite = annotation("rewrite-target")
        let isPattern = rewrite != nil || annotation("use-regex") == "true"
        for rule in rules {
            let host = rule["host"]?.string?.lowercased() ?? ""
            var site = table.sites[host] ?? .init()
            let hasTLS = secrets.keys.contains(host)
            let redirects =
                annotation("force-ssl-redirect") == "true" || hasTLS && annotation("ssl-redirect") != "false"
            for path in rule[["http", "paths"]]?.array ?? [] {
                let text = path["path"]?.string ?? "/"
                let kind: IngressTable.Path.Kind =
                    path["pathType"] == "Exact" ? .exact : isPattern ? .pattern : .prefix
                guard !site.paths.contains(where: { $0.kind == kind && $0.text == text }) else { continue }
                site.paths.append(
                    IngressTable.Path(
                        kind: kind, text: text, destination: backends.destination(path["backend"] ?? [:], namespace),
                        rewriteTarget: rewrite, redirectsToTLS: redirects))
            }
            site.fallback = site.fallback ?? fallback
            table.sites[host] = site
        }
    }

    /// Entries that name no hosts are for those of the rules.
    private mutating func addSecrets(_ entries: [JSONValue], _ rules: [JSONValue], _ namespace: String) {
        for entry in entries {
            var hosts = entry["hosts"]?.array?.compactMap(\.string) ?? []
            if hosts.isEmpty { hosts = rules.compactMap { $0["host"]?.string } }
            for host in hosts.map({ $0.lowercased() }) where secrets[host] == nil {
                secrets[host] = ObjectKey(namespace: namespace, name: entry["secretName"]?.string ?? "")
            }
        }
    }
}

extension IngressTable.Site {
    /// Puts the paths in order, and makes all of them patterns when one of them is, as ingress-nginx does for a host.
    fileprivate mutating func finish() {
        if paths.contains(where: { $0.kind == .pattern }) {
            for index in paths.indices where paths[index].kind == .prefix { paths[index].kind = .pattern }
        }
        paths = paths.enumerated().sorted { left, right in
            let (first, second) = (left.element, right.element)
            if (first.kind == .exact) != (second.kind == .exact) { return first.kind == .exact }
            if first.text.utf8.count != second.text.utf8.count {
                return first.text.utf8.count > second.text.utf8.count
            }
            return left.offset < right.offset
        }.map(\.element)
    }
}

/// The pods behind the Services that Ingresses name.
private struct ServiceBackends {
    let services: [ObjectKey: KubeService]
    let endpoints: EndpointIndex

    init(services: [KubeObject], endpoints: EndpointIndex) {
        self.services = Dictionary(
            services.map { (ObjectKey($0), KubeService($0)) }, uniquingKeysWith: { first, _ in first })
        self.endpoints = endpoints
    }

    /// Nobody stands behind a Service or a port that is not there.
    func destination(_ backend: JSONValue, _ namespace: String) -> IngressTable.Destination {
        let key = ObjectKey(namespace: namespace, name: backend[["service", "name"]]?.string ?? "")
        let (name, number) = (
            backend[["service", "port", "name"]]?.string, backend[["service", "port", "number"]]?.int
        )
        let port = services[key]?.ports.first { port in
            port.transport == "TCP" && (name.map { port.name == $0 } ?? (port.port == number))
        }
        return .init(backends: port.map { endpoints.backends(of: key, port: $0.name, transport: .tcp) } ?? [])
    }
}
