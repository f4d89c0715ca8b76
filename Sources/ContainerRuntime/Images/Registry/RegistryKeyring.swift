public import KubeModel

/// The logins that somebody has, each for a registry or for a part of one.
///
/// Source: the kubelet's `BasicDockerKeyring`: which entry is for which image, and in what order they are tried.
public struct RegistryKeyring: Sendable, Hashable {
    /// Why a file or a Secret with logins cannot be read.
    public struct Malformed: Error, Sendable, Hashable {
        public var sentence: String
    }

    private struct Entry: Sendable, Hashable {
        /// `host[:port][/path]`; the host may have wildcards: `*.example.org`.
        var place: String
        var login: RegistryLogin
    }

    /// The most special place first.
    private var entries: [Entry] = []

    public init() {}

    /// Adds the logins of a Secret, if it is of a type that holds some.
    public mutating func add(secret: KubeObject) throws(Malformed) {
        let isOld = secret.value["type"] == "kubernetes.io/dockercfg"
        guard isOld || secret.value["type"] == "kubernetes.io/dockerconfigjson" else { return }
        let text = secret.value[["data", isOld ? ".dockercfg" : ".dockerconfigjson"]]?.string ?? ""
        guard let bytes = Base64.decode(text), !bytes.isEmpty else { return }
        guard let value = try? JSONValue(parsing: bytes) else { throw .init(sentence: "it is no JSON") }
        try add(auths: (isOld ? value : value["auths"] ?? [:]).object ?? [:])
    }

    /// Adds what `docker login` has written: places and logins.
    public mutating func add(auths: JSONObject) throws(Malformed) {
        for (name, value) in auths {
            if let login = try RegistryLogin(value) { add(login, for: name) }
        }
    }

    /// Adds a login for `host`, `host/path` or `https://host/v1/`.
    public mutating func add(_ login: RegistryLogin, for name: String) {
        let address = name.split(separator: "://", maxSplits: 1).last.map(String.init) ?? ""
        let host = address.prefix { $0 != "/" }
        var path = address[host.endIndex...]
        if path.hasPrefix("/v1/") || path.hasPrefix("/v2/") { path = path.dropFirst(3) }
        guard !host.isEmpty else { return }
        entries.append(Entry(place: path == "/" ? String(host) : String(host + path), login: login))
        // Those of one place stay in their order.
        entries.sort { $0.place > $1.place }
    }

    /// The logins to try for an image, one after the other; none: it is asked for without.
    func logins(for reference: ImageReference) -> [RegistryLogin] {
        let found = entries.filter { Self.covers($0.place, reference.name) }
        let isHub = reference.registry == "docker.io" || reference.registry == "index.docker.io"
        return (found.isEmpty && isHub ? entries.filter { $0.place == "index.docker.io" } : found).map(\.login)
    }

    private static func covers(_ place: String, _ name: String) -> Bool {
        func parts(_ text: String) -> (host: [Substring], path: Substring) {
            let host = text.prefix { $0 != "/" }
            return (host.split(whereSeparator: { ".:".contains($0) }), text[host.endIndex...])
        }
        let (wanted, own) = (parts(place), parts(name))
        guard own.path.hasPrefix(wanted.path), wanted.host.count == own.host.count else { return false }
        return zip(wanted.host, own.host).allSatisfy { PathPattern(String($0)).matches(String($1)) }
    }
}
