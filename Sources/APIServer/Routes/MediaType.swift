/// A media type or range with its parameters, as in `Accept` and `Content-Type`.
struct MediaType: Equatable {
    let name: String
    let parameters: [String: String]

    init(_ text: some StringProtocol) {
        let parts = text.split(separator: ";").map { $0.drop { $0 == " " } }
        name = (parts.first.map { String($0) } ?? "").trimmed.lowercased()
        var parameters: [String: String] = [:]
        for part in parts.dropFirst() {
            let sides = part.split(separator: "=", maxSplits: 1)
            if sides.count == 2 { parameters[String(sides[0]).trimmed] = String(sides[1]).trimmed }
        }
        self.parameters = parameters
    }

    /// Whether JSON is in the range.
    var allowsJSON: Bool { ["application/json", "application/*", "*/*"].contains(name) }
}

/// In which form an answer is wanted (API concepts, "Alternate representations of resources").
enum Representation: Equatable {
    case plain
    /// Rows and cells, for `kubectl get`; carries the version of `meta.k8s.io`.
    case table(version: String)
    /// Only the metadata; carries the version of `meta.k8s.io`.
    case metadataOnly(version: String)
    case aggregatedDiscovery

    /// The first form of an `Accept` header that this server has; nil if there is none.
    init?(accept: String?) {
        guard let accept, !accept.isEmpty else {
            self = .plain
            return
        }
        for part in accept.split(separator: ",") {
            let type = MediaType(part)
            guard type.allowsJSON else { continue }
            let version = type.parameters["v"] ?? ""
            switch (type.parameters["as"], type.parameters["g"]) {
            case (nil, _): self = .plain
            case ("Table", "meta.k8s.io") where ["v1", "v1beta1"].contains(version):
                self = .table(version: version)
            case ("PartialObjectMetadata", "meta.k8s.io") where ["v1", "v1beta1"].contains(version),
                ("PartialObjectMetadataList", "meta.k8s.io") where ["v1", "v1beta1"].contains(version):
                self = .metadataOnly(version: version)
            case ("APIGroupDiscoveryList", "apidiscovery.k8s.io") where version == "v2":
                self = .aggregatedDiscovery
            default: continue
            }
            return
        }
        return nil
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text.drop { $0 == " " })
    }
}
