import Glibc
import KubeClient
import KubeModel

/// A registry that images are pulled from.
///
/// Sources: OCI distribution specification, "Pull"; Docker's "Token authentication" for what a registry asks before it answers;
/// containerd's `docker` resolver for the words in which it is refused.
final class Registry {
    /// What a registry has answered to a question.
    enum Failure: Error, Hashable {
        /// It has no such image.
        case notFound
        /// Not for who asks, in containerd's words.
        case denied(String)
        /// Everything else, in one sentence without a full stop.
        case other(String)
    }

    private let reference: ImageReference
    private let host: String
    private let isSecure: Bool
    private let login: RegistryLogin?
    /// What it is shown with each question, once it has asked for it.
    private var authorization: String?

    /// - Parameter login: Nil for those who have none.
    init(of reference: ImageReference, login: RegistryLogin? = nil) {
        self.reference = reference
        self.login = login
        host = reference.registry == "docker.io" ? "registry-1.docker.io" : reference.registry
        // As with other tools: a registry on this machine needs no certificate.
        isSecure = !Self.isLocal(host.prefix { $0 != ":" })
    }

    private static func isLocal(_ host: some StringProtocol) -> Bool { host == "localhost" || host.hasPrefix("127.") }

    private static let manifestTypes = [
        "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]

    /// A manifest's bytes, by tag or by digest; those of a digest are what it says.
    func manifest(_ name: String) async throws(Failure) -> [UInt8] {
        let accepted = Self.manifestTypes.map { ("Accept", $0) }
        let answer = try await get("manifests/\(name)", headers: accepted)
        let bytes: [UInt8]
        do { bytes = try await answer.collect(limit: 4 << 20) } catch { throw .other("the manifest \(name): \(error)") }
        if let digest = Digest(name), Digest(of: bytes) != digest {
            throw .other("the manifest \(name) is not what its digest says")
        }
        return bytes
    }

    /// A configuration.
    func configuration(_ digest: Digest) async throws(Failure) -> [UInt8] {
        let answer = try await get("blobs/\(digest)")
        let bytes: [UInt8]
        do { bytes = try await answer.collect(limit: 4 << 20) } catch { throw .other("the blob \(digest): \(error)") }
        guard Digest(of: bytes) == digest else { throw .other("the blob \(digest) is not what its digest says") }
        return bytes
    }

    /// Writes a layer into a file as it comes.
    func download(_ digest: Digest, to file: Int32) async throws(Failure) {
        let answer = try await get("blobs/\(digest)")
        var hash = ContentHash()
        do {
            for try await piece in answer.body {
                hash.update(piece)
                guard piece.withUnsafeBytes({ write(file, $0.baseAddress, $0.count) }) == piece.count else {
                    throw ImageError.system("the blob \(digest) cannot be written", errno)
                }
            }
        } catch {
            throw .other("the blob \(digest): \(error)")
        }
        guard hash.digest == digest else { throw .other("the blob \(digest) is not what its digest says") }
    }

    // MARK: Questions

    private func get(_ what: String, headers: [(String, String)] = []) async throws(Failure) -> HTTPDownload.Answer {
        let path = "/v2/\(reference.repository)/\(what)"
        guard let address = WebAddress(isSecure: isSecure, authority: host, path: path) else {
            throw .other("'\(host)' is no registry")
        }
        var answer = try await follow(address, headers)
        if answer.status == 401, let challenge = RegistryChallenge(in: answer) {
            try await authenticate(challenge)
            answer = try await follow(address, headers)
        }
        switch answer.status {
        case 200: return answer
        case 404: throw .notFound
        case 401, 403:
            if let word = RegistryChallenge(in: answer)?.parameters["error"] {
                throw .denied("\(Self.closed): server message: \(word): authorization failed")
            }
            throw .denied(Self.unexpected(answer.status, address))
        default: throw .other(Self.unexpected(answer.status, address))
        }
    }

    private static let closed = "pull access denied, repository does not exist or may require authorization"

    private static func unexpected(_ status: Int, _ address: WebAddress) -> String {
        let words = [401: " Unauthorized", 403: " Forbidden", 429: " Too Many Requests"]
        return "unexpected status from GET request to \(address): \(status)\(words[status] ?? "")"
    }

    /// Goes where a registry sends on to: layers often lie elsewhere, where its token says nothing.
    private func follow(
        _ first: WebAddress, _ headers: [(String, String)]
    ) async throws(Failure) -> HTTPDownload.Answer {
        var address = first
        for _ in 0..<10 {
            let own = address.authority == first.authority ? authorization.map { [("Authorization", $0)] } ?? [] : []
            let answer = try await fetch(address, headers + own)
            guard [301, 302, 303, 307, 308].contains(answer.status), let target = answer.header("Location") else {
                return answer
            }
            var next = WebAddress(target)
            if target.hasPrefix("/") {
                next = address
                next?.path = target
            }
            guard let next, next.isSecure || !address.isSecure else {
                throw .other("\(address) leads to '\(target)', where this does not follow")
            }
            address = next
        }
        throw .other("\(first) leads in circles")
    }

    private func fetch(
        _ address: WebAddress, _ headers: [(String, String)], form: String? = nil
    ) async throws(Failure) -> HTTPDownload.Answer {
        do throws(HTTPDownload.Failure) {
            guard let form else { return try await HTTPDownload.get(address, headers: headers) }
            return try await HTTPDownload.post(address, form: form, headers: headers)
        } catch {
            throw .other("failed to do request: \(form == nil ? "Get" : "Post") \"\(address)\": \(error.message)")
        }
    }

    // MARK: Who asks

    /// Gets what the registry wants to see.
    private func authenticate(_ challenge: RegistryChallenge) async throws(Failure) {
        switch challenge.scheme {
        case "basic":
            guard let login else { throw .denied("\(Self.closed): authorization failed: no basic auth credentials") }
            authorization = login.basic
        case "bearer": authorization = try await "Bearer \(token(challenge))"
        default: throw .denied("failed to find supported auth scheme: not implemented")
        }
    }

    /// A token for this image, which somebody else may give out in the registry's name.
    private func token(_ challenge: RegistryChallenge) async throws(Failure) -> String {
        let scope = "repository:\(reference.repository):pull"
        guard let address = challenge.address(scope: login?.identityToken == nil ? scope : nil) else {
            throw .denied("no scope specified for token auth challenge")
        }
        // Neither logins nor tokens travel in the open, except on this machine.
        guard address.isSecure || (!isSecure && (login == nil || Self.isLocal(address.host))) else {
            throw .other("the registry asks for a token over plain HTTP")
        }
        let answer: HTTPDownload.Answer
        if let identity = login?.identityToken {
            answer = try await fetch(address, [], form: challenge.form(identity: identity, scope: scope))
        } else {
            answer = try await fetch(address, login.map { [("Authorization", $0.basic)] } ?? [])
        }
        guard answer.status == 200, let bytes = try? await answer.collect(limit: 1 << 20),
            let value = try? JSONValue(parsing: bytes),
            let token = value["token"]?.string ?? value["access_token"]?.string
        else {
            let what = "failed to fetch \(login == nil ? "anonymous" : "oauth") token"
            throw .denied("failed to authorize: \(what): \(Self.unexpected(answer.status, address))")
        }
        return token
    }
}
