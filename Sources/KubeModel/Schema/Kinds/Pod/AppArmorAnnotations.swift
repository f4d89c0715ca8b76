/// The annotations by which pods named AppArmor profiles before there was a field, one for each container.
///
/// Both are kept the same, so that old and new clients find what they look for. Source: Kubernetes,
/// `pkg/registry/core/pod/strategy.go` (`applyAppArmorVersionSkew`) and `pkg/apis/core/validation`.
public enum AppArmorAnnotations {
    private static let prefix = "container.apparmor.security.beta.kubernetes.io/"
    private static let lists = ["initContainers", "containers", "ephemeralContainers"]
    private static let field = ["securityContext", "appArmorProfile"]

    /// Fills what a new pod says in one way only into the other.
    ///
    /// - Returns: Warnings about annotations without a field.
    public static func complete(_ pod: inout KubeObject) -> [String] {
        var annotations = pod.annotations
        let shared = pod.value[["spec"] + field]
        var warnings: [String] = []
        pod.value.change("spec") { spec in
            for list in lists {
                spec.changeElements(list) { container in
                    let key = prefix + (container["name"]?.string ?? "")
                    guard let annotation = annotations[key] else {
                        annotations[key] = (container[field] ?? shared).flatMap(annotation(for:))
                        return
                    }
                    guard container[field] == nil else { return }
                    let profile = profile(for: annotation)
                    if let profile, profile != shared { container[field] = profile }
                    if profile == nil || profile != shared {
                        warnings.append(
                            "metadata.annotations[\(key)]: deprecated since v1.30; use the \"appArmorProfile\" field "
                                + "instead")
                    }
                }
            }
        }
        if annotations != pod.annotations { pod.annotations = annotations }
        return warnings
    }

    private static func annotation(for profile: JSONValue) -> String? {
        switch profile["type"]?.string {
        case "Unconfined": "unconfined"
        case "RuntimeDefault": "runtime/default"
        case "Localhost": profile["localhostProfile"]?.string.map { "localhost/\($0)" }
        default: nil
        }
    }

    private static func profile(for annotation: String) -> JSONValue? {
        switch annotation {
        case "unconfined": return ["type": "Unconfined"]
        case "runtime/default": return ["type": "RuntimeDefault"]
        default:
            guard annotation.hasPrefix("localhost/"), annotation.utf8.count > "localhost/".utf8.count else {
                return nil
            }
            return ["type": "Localhost", "localhostProfile": .string(String(annotation.dropFirst("localhost/".count)))]
        }
    }

    /// What is wrong with the annotations of a pod or a template, and where they contradict the fields.
    @Sendable
    static func check(_ pod: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let annotations = (pod[["metadata", "annotations"]]?.object ?? [:]).filter { $0.key.hasPrefix(prefix) }
        guard !annotations.isEmpty else { return }
        let spec = pod["spec"] ?? [:]
        let names = Set(lists.flatMap { spec[$0]?.array ?? [] }.compactMap { $0["name"]?.string })
        for (key, value) in annotations {
            let place = path.child("metadata", "annotations")[key]
            let (name, text) = (String(key.dropFirst(prefix.count)), value.string ?? "")
            if !names.contains(name) { errors.append(.invalid(place, .string(name), "container not found")) }
            if !["", "unconfined", "runtime/default"].contains(text), !text.hasPrefix("localhost/") {
                errors.append(.invalid(place, value, "invalid AppArmor profile name: \(GoText.quote(text))"))
            }
        }
        for list in lists {
            for (index, container) in (spec[list]?.array ?? []).enumerated() {
                guard let profile = container[field], let type = profile["type"]?.string,
                    let text = annotations.first(where: { $0.key == prefix + (container["name"]?.string ?? "") })?
                        .value.string
                else { continue }
                let place = path.child("spec", list)[index].child("securityContext", "appArmorProfile")
                let words = annotation(for: profile) ?? ""
                if type == "Localhost" ? !text.hasPrefix("localhost/") : text != words {
                    errors.append(
                        .forbidden(place.child("type"), "apparmor type in annotation and field must match"))
                } else if text != words {
                    errors.append(
                        .forbidden(
                            place.child("localhostProfile"), "apparmor profile in annotation and field must match"))
                }
            }
        }
    }
}
