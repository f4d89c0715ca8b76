/// An image reference in its parts: `registry/repository:tag@digest`, with what is implied filled in.
public struct ImageReference: Sendable, Hashable, CustomStringConvertible {
    /// `docker.io` when none is written.
    public let registry: String
    /// With `library/` where Docker Hub implies it.
    public let repository: String
    /// `latest` when neither tag nor digest is written.
    public let tag: String?
    public let digest: String?

    /// Nil when the text is not a reference.
    public init?(parsing text: String) {
        var rest = Substring(text)
        if let at = rest.firstIndex(of: "@") {
            let digest = String(rest[rest.index(after: at)...])
            guard digest.hasPrefix("sha256:"), digest.count == 71 else { return nil }
            self.digest = digest
            rest = rest[..<at]
        } else {
            digest = nil
        }
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            let tag = String(rest[rest.index(after: colon)...])
            guard !tag.isEmpty, tag.count <= 128,
                tag.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) })
            else { return nil }
            self.tag = tag
            rest = rest[..<colon]
        } else {
            tag = digest == nil ? "latest" : nil
        }
        let (host, path) = Self.split(rest)
        guard host.map(Self.isRegistry) ?? true else { return nil }
        registry = host ?? "docker.io"
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard !parts.isEmpty, parts.allSatisfy(Self.isComponent) else { return nil }
        repository = (registry == "docker.io" && parts.count == 1 ? ["library"] + parts : parts).joined(separator: "/")
    }

    /// The registry, where one is written, and the rest: the first part is one if it looks like a host.
    private static func split(_ text: Substring) -> (registry: String?, rest: Substring) {
        guard let slash = text.firstIndex(of: "/") else { return (nil, text) }
        let first = text[..<slash]
        guard first.contains(".") || first.contains(":") || first == "localhost" else { return (nil, text) }
        return (String(first), text[text.index(after: slash)...])
    }

    private static func isRegistry(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count <= 2 && !parts[0].isEmpty && (parts.count == 1 || UInt16(parts[1]) != nil)
            && parts[0].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-.".contains($0)) }
    }

    /// Why a text is no reference, in the words of Kubernetes.
    public static func fault(in text: String) -> String {
        let (registry, rest) = split(text[...])
        let name = rest.prefix { $0 != ":" }
        let place = registry == nil && !name.contains("/") ? "library/" : ""
        return "invalid reference format"
            + (name.lowercased() == name ? "" : ": repository name (\(place)\(name)) must be lowercase")
    }

    private static func isComponent(_ text: String) -> Bool {
        guard let first = text.first, let last = text.last, first.isLetter || first.isNumber,
            last.isLetter || last.isNumber
        else {
            return false
        }
        return text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || "_.-".contains($0)) }
    }

    /// Registry and repository, without tag and digest.
    var name: String { "\(registry)/\(repository)" }

    /// Registry and repository as people write them: without what is implied.
    public var repositoryName: String {
        registry != "docker.io" ? name : repository.hasPrefix("library/") ? String(repository.dropFirst(8)) : repository
    }

    /// As people write it: without what is implied, except the tag.
    public var familiar: String {
        repositoryName + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    }

    /// The whole reference: `docker.io/library/nginx:alpine`.
    public var description: String {
        "\(registry)/\(repository)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    }
}
