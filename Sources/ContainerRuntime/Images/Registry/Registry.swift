import Glibc
import KubeClient
import KubeModel

/// A registry that images are pulled from.
///
/// Source: OCI distribution specification, "Pull"; Docker's "Token authentication" for what a registry asks of those who come
/// without a name. There is no login: what wants one is refused.
final class Registry {
    /// What a registry has answered to a question.
    enum Failure: Error, Hashable {
        /// It has no such image.
        case notFound
        /// It is not for everybody.
        case denied
        /// Everything else, in one sentence without a full stop.
        case other(String)
    }

    private let reference: ImageReference
    private let host: String
    private let isSecure: Bool
    /// What it gave to those without a name.
    private var token: String?

    init(of reference: ImageReference) {
        self.reference = reference
        host = reference.registry == "docker.io" ? "registry-1.docker.io" : reference.registry
        // As with other tools: a registry on this machine needs no certificate.
        let name = host.prefix { $0 != ":" }
        isSecure = name != "localhost" && !name.hasPrefix("127.")
    }

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
        if answer.status == 401, let challenge = answer.header("WWW-Authenticate") {
            token = try await authenticate(challenge)
            answer = try await follow(address, headers)
        }
        switch answer.status {
        case 200: return answer
        case 404: throw .notFound
        case 401, 403: throw .denied
        case 429: throw .other("unexpected status from GET request to \(address): 429 Too Many Requests")
        default: throw .other("unexpected status from GET request to \(address): \(answer.status)")
        }
    }

    /// Goes where a registry sends on to: layers often lie elsewhere, where its token says nothing.
    private func follow(
        _ first: WebAddress, _ headers: [(String, String)]
    ) async throws(Failure) -> HTTPDownload.Answer {
        var address = first
        for _ in 0..<10 {
            let own =
                address.authority == first.authority ? token.map { [("Authorization", "Bearer \($0)")] } ?? [] : []
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
        _ address: WebAddress, _ headers: [(String, String)]
    ) async throws(Failure) -> HTTPDownload.Answer {
        do throws(HTTPDownload.Failure) { return try await HTTPDownload.get(address, headers: headers) } catch {
            throw .other("failed to do request: Get \"\(address)\": \(error.message)")
        }
    }

    private func authenticate(_ text: String) async throws(Failure) -> String {
        guard let challenge = RegistryChallenge(text), challenge.scheme == "bearer",
            let address = challenge.address(scope: "repository:\(reference.repository):pull")
        else { throw .denied }
        // A token that is for everybody does not travel in the open, except on this machine.
        guard address.isSecure || !isSecure else { throw .other("the registry asks for a token over plain HTTP") }
        let answer = try await fetch(address, [])
        guard answer.status == 200, let bytes = try? await answer.collect(limit: 1 << 20),
            let value = try? JSONValue(parsing: bytes),
            let token = value["token"]?.string ?? value["access_token"]?.string
        else { throw .denied }
        return token
    }
}

/// What a registry asks for before it answers: `Bearer realm="https://…",service="…",scope="…"`.
struct RegistryChallenge: Sendable, Hashable {
    /// In lower case.
    let scheme: String
    let parameters: [String: String]

    init?(_ text: String) {
        let text = DockerfileParser.trimmed(text[...])
        let name = text.prefix { $0 != " " }
        guard !name.isEmpty else { return nil }
        scheme = name.lowercased()
        var parameters: [String: String] = [:]
        var rest = text[name.endIndex...]
        while let equals = rest.firstIndex(of: "=") {
            let key = rest[..<equals].drop { $0 == " " || $0 == "," }.lowercased()
            rest = rest[rest.index(after: equals)...]
            let value: Substring
            if rest.first == "\"" {
                rest = rest.dropFirst()
                value = rest.prefix { $0 != "\"" }
                rest = rest[value.endIndex...].dropFirst()
            } else {
                value = rest.prefix { $0 != "," }
                rest = rest[value.endIndex...]
            }
            parameters[key] = String(value)
        }
        self.parameters = parameters
    }

    /// Where the token is to be had; nil where that is not said.
    func address(scope: String) -> WebAddress? {
        guard var address = parameters["realm"].flatMap(WebAddress.init) else { return nil }
        var query = "scope=\(Self.escaped(parameters["scope"] ?? scope))"
        if let service = parameters["service"] { query = "service=\(Self.escaped(service))&" + query }
        address.path += (address.path.contains("?") ? "&" : "?") + query
        return address
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            if isPlain || "-._~:/".utf8.contains(byte) { return String(UnicodeScalar(byte)) }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
