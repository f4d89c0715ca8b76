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
    /// Why an entry cannot be used; told when a context needs it, since nobody minds a broken entry that is not in use.
    private var problems: [String: Failure] = [:]

    /// Why a kubeconfig cannot be used.
    public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        public var message: String
        public var hint: String?
        public var description: String { hint.map { "\(message)\nhint: \($0)" } ?? message }
    }

    /// Reads a kubeconfig.
    ///
    /// - Parameter path: Nil looks where kubectl does: all files of `$KUBECONFIG` that are there, else `~/.kube/config`. What
    ///   the first file says of a name counts.
    public static func load(path: String?, environment: [String: String]) throws(Failure) -> Kubeconfig {
        let listed = environment["KUBECONFIG"]?.split(separator: ":").map(String.init) ?? []
        let home = (environment["HOME"] ?? "") + "/.kube/config"
        let paths = path.map { [$0] } ?? (listed.isEmpty ? [home] : listed)
        var merged: Kubeconfig?
        for path in paths {
            guard let data = try? Data(contentsOf: URL(filePath: path)) else { continue }
            let config = try read(data, path)
            merged = merged?.adding(config) ?? config
        }
        guard let merged else {
            throw Failure(
                message: "The kubeconfig '\(paths[0])' cannot be read.",
                hint: "Name one with --kubeconfig, or set KUBECONFIG.")
        }
        return merged
    }

    private static func read(_ data: Data, _ path: String) throws(Failure) -> Kubeconfig {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let folder = parts.isEmpty ? "." : parts.joined(separator: "/")
        return try Kubeconfig(yaml: String(decoding: data, as: UTF8.self), path: path, folder: folder)
    }

    /// What another file has that this one has not ("Merging kubeconfig files").
    private func adding(_ other: Kubeconfig) -> Kubeconfig {
        var merged = self
        let known = Set(clusters.keys.map { "cluster \($0)" } + users.keys.map { "user \($0)" })
        merged.problems.merge(other.problems.filter { !known.contains($0.key) }) { own, _ in own }
        merged.clusters.merge(other.clusters.filter { problems["cluster \($0.key)"] == nil }) { own, _ in own }
        merged.users.merge(other.users.filter { problems["user \($0.key)"] == nil }) { own, _ in own }
        merged.contexts.merge(other.contexts) { own, _ in own }
        if currentContext.isEmpty { merged.currentContext = other.currentContext }
        return merged
    }

    /// - Parameter folder: Where relative paths in it start.
    public init(yaml: String, path: String = "kubeconfig", folder: String = "") throws(Failure) {
        let root: Node?
        do { root = try Yams.compose(yaml: yaml) } catch {
            throw Failure(message: "The kubeconfig '\(path)' is not YAML: \(error).")
        }
        let reader = EntryReader(path: path, folder: folder)
        for entry in root?["clusters"]?.sequence.map(Array.init) ?? [] {
            guard let name = entry["name"]?.string else { continue }
            do { clusters[name] = try reader.cluster(name, entry["cluster"]) } catch {
                problems["cluster \(name)"] = error
            }
        }
        for entry in root?["users"]?.sequence.map(Array.init) ?? [] {
            guard let name = entry["name"]?.string else { continue }
            do { users[name] = try reader.user(name, entry["user"]) } catch { problems["user \(name)"] = error }
        }
        for entry in root?["contexts"]?.sequence.map(Array.init) ?? [] {
            guard let name = entry["name"]?.string, let node = entry["context"] else { continue }
            contexts[name] = Context(
                cluster: node["cluster"]?.string ?? "", user: node["user"]?.string ?? "",
                namespace: node["namespace"]?.string)
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
        if let problem = problems["cluster \(entry.cluster)"] ?? problems["user \(entry.user)"] { throw problem }
        guard let cluster = clusters[entry.cluster] else {
            throw Failure(message: "The context '\(name)' names the cluster '\(entry.cluster)', which is not there.")
        }
        guard let user = entry.user.isEmpty ? User() : users[entry.user] else {
            throw Failure(message: "The context '\(name)' names the user '\(entry.user)', which is not there.")
        }
        return (cluster, user)
    }
}

/// Reads the entries of one kubeconfig file.
private struct EntryReader {
    let path: String
    let folder: String

    func cluster(_ name: String, _ node: Node?) throws(Kubeconfig.Failure) -> Kubeconfig.Cluster {
        guard let server = node?["server"]?.string, !server.isEmpty else {
            throw Kubeconfig.Failure(message: "The kubeconfig '\(path)' has no server for the cluster '\(name)'.")
        }
        return Kubeconfig.Cluster(
            server: server, certificateAuthority: try bytes(node, "certificate-authority", of: "cluster '\(name)'"),
            skipsVerification: node?["insecure-skip-tls-verify"]?.bool ?? false)
    }

    func user(_ name: String, _ node: Node?) throws(Kubeconfig.Failure) -> Kubeconfig.User {
        if let program = node?["exec"]?["command"]?.string {
            throw Kubeconfig.Failure(
                message:
                    "The user '\(name)' of the kubeconfig '\(path)' gets credentials from the program '\(program)', which is"
                    + " not run here.",
                hint: "Use a context with a certificate or a token: kubectl create token NAME prints one.")
        }
        return Kubeconfig.User(
            certificate: try bytes(node, "client-certificate", of: "user '\(name)'"),
            key: try bytes(node, "client-key", of: "user '\(name)'"), token: node?["token"]?.string)
    }

    /// What a field holds, or the file that it names; nil when there is neither.
    private func bytes(_ node: Node?, _ field: String, of owner: String) throws(Kubeconfig.Failure) -> [UInt8]? {
        if let text = node?["\(field)-data"]?.string, !text.isEmpty {
            guard let data = Data(base64Encoded: text.filter { !$0.isNewline }), !data.isEmpty else {
                throw Kubeconfig.Failure(
                    message: "In the kubeconfig '\(path)', '\(field)-data' of the \(owner) is not Base64.")
            }
            return Array(data)
        }
        guard let file = node?[field]?.string, !file.isEmpty else { return nil }
        let full = file.hasPrefix("/") ? file : "\(folder)/\(file)"
        guard let data = try? Data(contentsOf: URL(filePath: full)) else {
            throw Kubeconfig.Failure(
                message: "The file '\(full)', which the kubeconfig '\(path)' names as '\(field)' of the \(owner),"
                    + " cannot be read.")
        }
        return Array(data)
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
                    message: "The kubeconfig '\(path)' is not YAML, and is left as it is.",
                    hint: "Mend it, and try again.")
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
