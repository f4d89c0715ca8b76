import ContainerRuntime

/// Which requests go where: what all Ingresses together say, ready to be asked.
struct IngressTable: Sendable, Equatable {
    /// Where a path leads to.
    struct Destination: Sendable, Equatable {
        var backends: [ServiceRule.Backend]
    }

    struct Path: Sendable, Equatable {
        enum Kind: Sendable, Equatable {
            case exact
            /// Whole segments: `/a` is before `/a/b`, and not before `/ab`.
            case prefix
            /// A regular expression that the path has to start with, upper or lower case.
            case pattern
        }
        var kind: Kind
        var text: String
        var destination: Destination
        /// What the path becomes; `$1` and so on stand for what a pattern's groups matched.
        var rewriteTarget: String?
        var redirectsToTLS = false
    }

    /// What one host name serves.
    ///
    /// The paths are in the order in which they are tried.
    struct Site: Sendable, Equatable {
        var paths: [Path] = []
        /// For paths that nothing matches.
        var fallback: Destination?
    }

    /// By host name in lower case; `*.example.com` stands for one label before the rest, the empty name for all other hosts.
    var sites: [String: Site] = [:]

    /// What to do with a request.
    enum Verdict: Sendable, Equatable {
        /// `uri` is what the backend is asked for.
        case pass(Destination, uri: String)
        case redirect(String)
        case missing
    }

    func verdict(host: String, uri: String, isTLS: Bool) -> Verdict {
        let name = Self.hostName(host)
        guard let site = site(name) else { return .missing }
        let path = String(uri.prefix { $0 != "?" && $0 != "#" })
        for candidate in site.paths {
            guard let matched = candidate.match(path) else { continue }
            if candidate.redirectsToTLS, !isTLS { return .redirect("https://\(name)\(uri)") }
            return .pass(candidate.destination, uri: matched + uri.dropFirst(path.count))
        }
        return site.fallback.map { .pass($0, uri: uri) } ?? .missing
    }

    private func site(_ name: String) -> Site? {
        if let site = sites[name] { return site }
        if let dot = name.firstIndex(of: "."), let site = sites["*" + name[dot...]] { return site }
        return sites[""]
    }

    /// The name in a Host header, without its port, in lower case.
    static func hostName(_ header: String) -> String {
        let name = header.hasPrefix("[") ? header.prefix { $0 != "]" } + "]" : header.prefix { $0 != ":" }
        return name.lowercased()
    }
}

extension IngressTable.Path {
    /// What a path that belongs here becomes; nil for one that does not.
    fileprivate func match(_ path: String) -> String? {
        switch kind {
        case .exact: return path == text ? rewriteTarget ?? path : nil
        case .prefix:
            let base = text.hasSuffix("/") ? String(text.dropLast()) : text
            return path == base || path.hasPrefix(base + "/") ? rewriteTarget ?? path : nil
        case .pattern:
            guard let pattern = try? Regex(text).ignoresCase(), let match = try? pattern.prefixMatch(in: path) else {
                return nil
            }
            guard let rewriteTarget else { return path }
            return Self.fill(rewriteTarget, match.output.map { $0.substring.map(String.init) ?? "" })
        }
    }

    private static func fill(_ target: String, _ groups: [String]) -> String {
        var result = ""
        var rest = Substring(target)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            guard let digit = rest.first?.wholeNumberValue else {
                result += "$"
                continue
            }
            result += groups.indices.contains(digit) ? groups[digit] : ""
            rest = rest.dropFirst()
        }
        return result + rest
    }
}
