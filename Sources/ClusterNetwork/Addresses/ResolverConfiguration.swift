import KubeModel

/// `/etc/resolv.conf` of a pod, as `dnsPolicy` and `dnsConfig` of its spec want it.
struct ResolverConfiguration: Equatable, Sendable {
    var servers: [String] = []
    var searches: [String] = []
    /// `name`, or `name:value`.
    var options: [String] = []

    /// Names are tried in the pod's namespace first, then as services, then as they are.
    init(server: String, domain: String, namespace: String) {
        servers = [server]
        searches = ["\(namespace).svc.\(domain)", "svc.\(domain)", domain]
        options = ["ndots:5"]
    }

    init() {}

    /// Reads the lines of a resolv.conf that matter.
    init(parsing text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            switch words.first {
            case "nameserver": servers += words.dropFirst().prefix(1)
            case "search", "domain": searches = Array(words.dropFirst())
            case "options": options += words.dropFirst()
            default: break
            }
        }
    }

    /// What a pod gets.
    ///
    /// - Parameters:
    ///   - spec: The pod's.
    ///   - cluster: For `ClusterFirst`.
    ///   - host: This machine's, for `Default`.
    init(spec: JSONValue, cluster: ResolverConfiguration, host: @autoclosure () -> ResolverConfiguration) {
        let isOnHost = spec["hostNetwork"]?.bool ?? false
        switch spec["dnsPolicy"]?.string ?? "ClusterFirst" {
        case "None": self.init()
        case "Default": self = host()
        case "ClusterFirst" where isOnHost: self = host()
        default: self = cluster
        }
        merge(spec["dnsConfig"])
    }

    /// Adds what `dnsConfig` names; an option replaces one of the same name.
    private mutating func merge(_ configuration: JSONValue?) {
        for server in configuration?["nameservers"]?.array?.compactMap(\.string) ?? [] where !servers.contains(server) {
            servers.append(server)
        }
        for search in configuration?["searches"]?.array?.compactMap(\.string) ?? [] where !searches.contains(search) {
            searches.append(search)
        }
        for option in configuration?["options"]?.array ?? [] {
            guard let name = option["name"]?.string else { continue }
            let text = option["value"]?.string.map { "\(name):\($0)" } ?? name
            if let index = options.firstIndex(where: { $0 == name || $0.hasPrefix("\(name):") }) {
                options[index] = text
            } else {
                options.append(text)
            }
        }
    }

    var text: String {
        var lines = searches.isEmpty ? [] : ["search \(searches.joined(separator: " "))"]
        lines += servers.map { "nameserver \($0)" }
        if !options.isEmpty { lines.append("options \(options.joined(separator: " "))") }
        return lines.map { $0 + "\n" }.joined()
    }
}
