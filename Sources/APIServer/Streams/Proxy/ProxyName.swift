/// The name in a proxy path: `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`; port may be a number or a name.
struct ProxyName: Equatable {
    var isTLS: Bool
    var name: String
    var port: String

    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1: (isTLS, name, port) = (false, parts[0], "")
        case 2: (isTLS, name, port) = (false, parts[0], parts[1])
        case 3 where ["", "http", "https"].contains(parts[0]):
            (isTLS, name, port) = (parts[0] == "https", parts[1], parts[2])
        default: return nil
        }
        if name.isEmpty { return nil }
    }
}

/// The path of a proxied request, cut into what names the object and what is asked of it.
struct ProxyPath: Equatable {
    /// Up to and with `/proxy`, as it was asked for.
    let prefix: String
    /// What the program in the pod sees: empty if nothing follows, otherwise it begins with a slash.
    let rest: String

    /// A path that is passed on as it is.
    init(whole path: String) {
        prefix = ""
        rest = path
    }

    /// - Parameter depth: The number of parts up to and with `proxy`.
    init(_ path: String, depth: Int) {
        var seen = 0
        var isInside = false
        var end = path.endIndex
        for index in path.indices {
            if path[index] == "/" {
                if isInside, seen == depth {
                    end = index
                    break
                }
                isInside = false
            } else if !isInside {
                isInside = true
                seen += 1
            }
        }
        prefix = String(path[..<end])
        rest = Self.cleaned(path[end...])
    }

    /// Without empty parts, `.` and `..`; a slash at the end stays.
    private static func cleaned(_ path: Substring) -> String {
        guard !path.isEmpty else { return "" }
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        let text = "/" + parts.joined(separator: "/")
        return path.hasSuffix("/") && !parts.isEmpty ? text + "/" : text
    }
}
