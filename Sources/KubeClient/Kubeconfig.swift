import Foundation
import Yams

/// A kubeconfig: where clusters are, and who one is there (Kubernetes docs, "Organizing Cluster Access Using kubeconfig Files").
public struct Kubeconfig: Sendable {
    public struct Cluster: Sendable, Hashable {
        public var server: String
        public var certificateAuthority: [UInt8]?
        public var skipsVerification: Bool
    }

    public struct User: Sendable, Hashable {
        public var certificate: [UInt8]?
        public var key: [UInt8]?
        public var token: String?
    }

    public struct Context: Sendable, Hashable {
        public var cluster: String
        public var user: String
        public var namespace: String?
    }

    public private(set) var clusters: [String: Cluster] = [:]
    public private(set) var users: [String: User] = [:]
    public private(set) var contexts: [String: Context] = [:]
    public private(set) var currentContext: String

    /// Why a kubeconfig cannot be used.
    public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        public var message: String
        public var hint: String?
        public var description: String { hint.map { "\(message)\nhint: \($0)" } ?? message }
    }

    /// Reads a kubeconfig.
    ///
    /// - Parameter path: Nil looks where kubectl does: `$KUBECONFIG`, else `~/.kube/config`.
    public static func load(path: String?, environment: [String: String]) throws(Failure) -> Kubeconfig {
        let listed = environment["KUBECONFIG"]?.split(separator: ":").first.map(String.init)
        let path = path ?? listed ?? (environment["HOME"] ?? "") + "/.kube/config"
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw Failure(
                message: "The kubeconfig '\(path)' cannot be read.", hint: "Name one with --kubeconfig, or set KUBECONFIG.")
        }
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        return try Kubeconfig(yaml: String(decoding: data, as: UTF8.self), path: path, folder: "/" + folder)
    }

    /// - Parameter folder: Where relative paths in it start.
    public init(yaml: String, path: String = "kubeconfig", folder: String = "") throws(Failure) {
        let root: Node?
        do { root = try Yams.compose(yaml: yaml) } catch {
            throw Failure(message: "The kubeconfig '\(path)' is not YAML: \(error).")
        }
        func bytes(_ node: Node?, _ name: String) -> [UInt8]? {
            if let text = node?["\(name)-data"]?.string { return Data(base64Encoded: text).map { Array($0) } }
            guard let file = node?[name]?.string else { return nil }
            let full = file.hasPrefix("/") ? file : "\(folder)/\(file)"
            return (try? Data(contentsOf: URL(filePath: full))).map { Array($0) }
        }
        for entry in root?["clusters"]?.sequence.map(Array.init) ?? [] {
            guard let name = entry["name"]?.string, let node = entry["cluster"], let server = node["server"]?.string else {
                continue
            }
            clusters[name] = Cluster(
                server: server, certificateAuthority: bytes(node, "certificate-authority"),
                skipsVerification: node["insecure-skip-tls-verify"]?.bool ?? false)
        }
        for entry in root?["users"]?.sequence.map(Array.init) ?? [] {
            guard let name = entry["name"]?.string else { continue }
            let node = entry["user"]
            users[name] = User(
                certificate: bytes(node, "client-certificate"), key: bytes(node, "client-key"), token: node?["token"]?.string)
        }
        for entry in root?["contexts"]?.sequence.map(Array.init) ?? [] {
            guard let name = entry["name"]?.string, let node = entry["context"] else { continue }
            contexts[name] = Context(
                cluster: node["cluster"]?.string ?? "", user: node["user"]?.string ?? "", namespace: node["namespace"]?.string)
        }
        currentContext = root?["current-context"]?.string ?? ""
    }

    /// The cluster and the user of a context; nil means the current one.
    func resolve(_ context: String?) throws(Failure) -> (cluster: Cluster, user: User) {
        let name = context ?? currentContext
        guard let entry = contexts[name] else {
            let known = contexts.keys.sorted().joined(separator: ", ")
            throw Failure(
                message: name.isEmpty ? "The kubeconfig has no current context." : "There is no context '\(name)'.",
                hint: known.isEmpty ? "The kubeconfig holds no context at all." : "Known contexts: \(known).")
        }
        guard let cluster = clusters[entry.cluster] else {
            throw Failure(message: "The context '\(name)' names the cluster '\(entry.cluster)', which is not there.")
        }
        return (cluster, users[entry.user] ?? User())
    }
}

extension Kubeconfig {
    /// Puts the clusters, users and contexts of one kubeconfig file into another; entries of the same name are replaced.
    ///
    /// The file is replaced whole or not at all; one that is not there is made, readable by its owner only.
    public static func merge(file: String, into path: String) throws(Failure) {
        func read(_ path: String) -> String? {
            (try? Data(contentsOf: URL(filePath: path))).map { String(decoding: $0, as: UTF8.self) }
        }
        guard let text = read(file), let added = try? Yams.load(yaml: text) as? [String: Any] else {
            throw Failure(message: "The kubeconfig '\(file)' cannot be read.")
        }
        var own: [String: Any] = ["apiVersion": "v1", "kind": "Config"]
        if let present = read(path), !present.isEmpty {
            guard let parsed = try? Yams.load(yaml: present) as? [String: Any] else {
                throw Failure(
                    message: "The kubeconfig '\(path)' is not YAML, and is left as it is.", hint: "Mend it, and try again.")
            }
            own = parsed
        }
        for list in ["clusters", "users", "contexts"] {
            let new = added[list] as? [[String: Any]] ?? []
            let names = Set(new.compactMap { $0["name"] as? String })
            let kept = (own[list] as? [[String: Any]] ?? []).filter { !names.contains($0["name"] as? String ?? "") }
            own[list] = kept + new
        }
        own["current-context"] = added["current-context"]
        do {
            let yaml = try Yams.dump(object: own, sortKeys: true)
            let folder = URL(filePath: path).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(yaml.utf8).write(to: URL(filePath: path), options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        } catch {
            throw Failure(message: "The kubeconfig '\(path)' cannot be written: \(error.localizedDescription).")
        }
    }
}
