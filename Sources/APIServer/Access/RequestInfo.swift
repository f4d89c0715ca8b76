/// What a request is about, read from its method and path alone: what authorization, audit and metrics speak of.
///
/// The rules are those of "Authorization Overview", "Determine the Request Verb". Whether the resource is served does not
/// matter here: who may not see a kind is not told whether it exists.
struct RequestInfo: Sendable, Hashable {
    /// `get list watch create update patch delete deletecollection proxy`, or the method in lower case for other paths.
    var verb: String
    var isResourceRequest = false
    var apiGroup = ""
    var apiVersion = ""
    var resource = ""
    var subresource = ""
    /// Empty for objects of the cluster; for a request about a namespace itself its name.
    var namespace = ""
    var name = ""
    /// As it was asked for, without parameters.
    var path = ""

    /// A request that comes over the network.
    init(method: String, path: String, query: Query = Query()) {
        verb = method.lowercased()
        self.path = path
        var parts = path.split(separator: "/", omittingEmptySubsequences: true).map {
            PercentCoding.decode(String($0))
        }[...]
        guard parts.count >= 3, let prefix = parts.popFirst(), prefix == "api" || prefix == "apis" else { return }
        if prefix == "apis" {
            // `/apis/GROUP/VERSION` is a document, not yet an object.
            guard parts.count >= 3, let group = parts.popFirst() else { return }
            apiGroup = group
        }
        isResourceRequest = true
        apiVersion = parts.removeFirst()
        var hasSubresource = true
        if let special = parts.first, special == "proxy" || special == "watch" {
            // The old way to ask for these, with the verb in the path.
            guard parts.count >= 2 else {
                isResourceRequest = false
                return
            }
            verb = special
            parts.removeFirst()
            hasSubresource = false
        } else {
            verb = Self.verb(method)
        }
        readNamespace(&parts)
        let rest = Array(parts)
        if let first = rest.first { resource = first }
        if rest.count >= 2 { name = rest[1] }
        if rest.count >= 3, hasSubresource { subresource = rest[2] }
        if name.isEmpty { settleCollection(query) }
    }

    /// A question about a path that is no object.
    init(method: String, path: String, isResourceRequest: Bool) {
        verb = method
        self.path = path
        self.isResourceRequest = isResourceRequest
    }

    /// A request from inside the process.
    init(
        verb: String, group: String, version: String, resource: String, subresource: String = "",
        namespace: String = "", name: String = ""
    ) {
        self.verb = verb
        isResourceRequest = true
        apiGroup = group
        apiVersion = version
        self.resource = resource
        self.subresource = subresource
        self.namespace = namespace
        self.name = name
    }

    private static func verb(_ method: String) -> String {
        switch method {
        case "POST": "create"
        case "GET", "HEAD": "get"
        case "PUT": "update"
        case "PATCH": "patch"
        case "DELETE": "delete"
        default: ""
        }
    }

    private mutating func readNamespace(_ parts: inout ArraySlice<String>) {
        guard parts.first == "namespaces", parts.count >= 2 else { return }
        let all = Array(parts)
        namespace = all[1]
        // Two sub-resources belong to the namespace itself; everything else lies in it.
        if all.count > 2, all[2] != "status", all[2] != "finalize" { parts = parts.dropFirst(2) }
    }

    private mutating func settleCollection(_ query: Query) {
        switch verb {
        case "get":
            verb = query.flag("watch") ? "watch" : "list"
            // One that is selected by its name may be allowed where the rest is not.
            if let selector = query["fieldSelector"] { name = Self.exactName(selector) }
        case "delete": verb = "deletecollection"
        case "watch":
            if let selector = query["fieldSelector"] { name = Self.exactName(selector) }
        default: break
        }
    }

    private static func exactName(_ selector: String) -> String {
        for part in selector.split(separator: ",") where part.hasPrefix("metadata.name=") {
            let value = part.dropFirst("metadata.name=".count)
            return String(value.hasPrefix("=") ? value.dropFirst() : value)
        }
        return ""
    }

    /// Whether the answer goes on for as long as the client wants.
    var isLongRunning: Bool {
        verb == "watch" || verb == "proxy"
            || ["attach", "exec", "log", "portforward", "proxy"].contains(subresource)
    }

    /// For example `pods/log`.
    var resourceWithSubresource: String { subresource.isEmpty ? resource : "\(resource)/\(subresource)" }
}
