/// Where an answer sends a probe on to: elsewhere on the same host.
///
/// What another host says is not the container's health. Source: `pkg/probe/http`, `RedirectChecker`.
struct ProbeRedirect: Equatable {
    let path: String
    let port: Int

    /// Nil for an answer that leads to another host, or nowhere.
    ///
    /// - Parameters:
    ///   - target: The answer's `Location`.
    ///   - path: What was asked for.
    init?(status: Int, to target: String?, from path: String, host: String, port: Int) {
        guard [301, 302, 303, 307, 308].contains(status), let target else { return nil }
        guard let scheme = target.firstRange(of: "://") else {
            guard !target.hasPrefix("//") else { return nil }
            let folder = path.prefix { $0 != "?" }.lastIndex(of: "/").map { path[...$0] } ?? "/"
            self.path = target.hasPrefix("/") ? target : folder + target
            self.port = port
            return
        }
        let place = target[scheme.upperBound...].prefix { !"/?".contains($0) }
        let parts = place.split(separator: ":", maxSplits: 1)
        guard parts.first.map(String.init) == host, target.hasPrefix("http://") else { return nil }
        let rest = target[place.endIndex...]
        self.path = rest.hasPrefix("/") ? String(rest) : "/" + rest
        self.port = parts.count > 1 ? Int(parts[1]) ?? 80 : 80
    }
}
