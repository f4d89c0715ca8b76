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

    /// How much it is wanted beside the others of its header, from 0 to 1.
    var quality: Double { parameters["q"].flatMap { Double($0) } ?? 1 }

    /// Whether a media type is in the range.
    func allows(_ type: String) -> Bool {
        if name == type || name == "*/*" { return true }
        return name.hasSuffix("/*") && type.hasPrefix(name.dropLast())
    }

    /// The parts of an `Accept` header, those that are wanted most first.
    static func accepted(_ header: String) -> [MediaType] {
        let types = header.split(separator: ",").map { MediaType($0) }
        guard types.count > 1 else { return types }
        func rank(_ type: MediaType) -> Int { type.name.hasPrefix("*") ? 2 : type.name.hasSuffix("*") ? 1 : 0 }
        return types.enumerated().sorted { left, right in
            let (first, second) = (left.element, right.element)
            if first.quality != second.quality { return first.quality > second.quality }
            return (rank(first), left.offset) < (rank(second), right.offset)
        }.map(\.element)
    }
}

/// In which form an answer is wanted (API concepts, "Alternate representations of resources").
enum Representation: Hashable {
    case plain
    /// Rows and cells, for `kubectl get`; carries the version of `meta.k8s.io`.
    case table(version: String)
    /// Only the metadata of an object; carries the version of `meta.k8s.io`.
    case metadataOnly(version: String)
    /// Only the metadata of each object of a list; carries the version of `meta.k8s.io`.
    case metadataList(version: String)
    case aggregatedDiscovery

    var isTable: Bool { if case .table = self { true } else { false } }

    /// The first form of an `Accept` header that this server has; nil if there is none.
    ///
    /// - Parameter hasTables: False for what has no rows.
    init?(accept: String?, hasTables: Bool = true) {
        guard let form = Negotiation(accept: accept, hasTables: hasTables)?.form else { return nil }
        self = form
    }

    /// What the parameters of a media type ask for; nil for what there is not.
    init?(_ parameters: [String: String]) {
        let version = parameters["v"] ?? ""
        switch (parameters["as"], parameters["g"]) {
        case (nil, nil) where version.isEmpty: self = .plain
        case ("Table", "meta.k8s.io") where ["v1", "v1beta1"].contains(version): self = .table(version: version)
        case ("PartialObjectMetadata", "meta.k8s.io") where ["v1", "v1beta1"].contains(version):
            self = .metadataOnly(version: version)
        case ("PartialObjectMetadataList", "meta.k8s.io") where ["v1", "v1beta1"].contains(version):
            self = .metadataList(version: version)
        case ("APIGroupDiscoveryList", "apidiscovery.k8s.io") where version == "v2": self = .aggregatedDiscovery
        default: return nil
        }
    }
}

/// What an `Accept` header comes to: the form of the answer, and how it is written.
struct Negotiation: Equatable {
    enum Encoding: String {
        case json = "application/json"
        case yaml = "application/yaml"
    }

    var form: Representation
    var encoding: Encoding
    var isPretty = false

    private static let encodings: [Encoding] = [.json, .yaml]

    /// The first that this server can do; nil if there is none.
    ///
    /// No header at all means plain JSON.
    init?(accept: String?, hasTables: Bool = true) {
        guard let accept, !accept.isEmpty else {
            form = .plain
            encoding = .json
            return
        }
        if accept == "application/json" || accept == "*/*" {
            form = .plain
            encoding = .json
            return
        }
        for type in MediaType.accepted(accept) {
            guard let encoding = Self.encodings.first(where: { type.allows($0.rawValue) }),
                let form = Representation(type.parameters), hasTables || !form.isTable,
                ["", "watch"].contains(type.parameters["stream"] ?? "")
            else { continue }
            self.form = form
            self.encoding = encoding
            isPretty = type.parameters["pretty"] == "1"
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
