/// A label selector in the form in which objects hold it.
struct SelectorMatch {
    private let labels: [String: String]
    private let expressions: [JSONValue]

    init(_ value: JSONValue?) {
        labels = KubeObject.strings(value?["matchLabels"])
        expressions = value?["matchExpressions"]?.array ?? []
    }

    func matches(_ candidate: [String: String]) -> Bool {
        labels.allSatisfy { candidate[$0.key] == $0.value }
            && expressions.allSatisfy { expression in
                let found = candidate[expression["key"]?.string ?? ""]
                let values = expression["values"]?.array?.compactMap(\.string) ?? []
                return switch expression["operator"]?.string {
                case "In": found.map(values.contains) ?? false
                case "NotIn": !(found.map(values.contains) ?? false)
                case "Exists": found != nil
                case "DoesNotExist": found == nil
                default: false
                }
            }
    }

    /// For example `app=web,tier in (a,b),!canary`; empty selectors give `<none>`.
    var text: String {
        var parts = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        for expression in expressions {
            let key = expression["key"]?.string ?? ""
            let values = (expression["values"]?.array?.compactMap(\.string) ?? []).sorted().joined(separator: ",")
            switch expression["operator"]?.string {
            case "In": parts.append("\(key) in (\(values))")
            case "NotIn": parts.append("\(key) notin (\(values))")
            case "Exists": parts.append(key)
            default: parts.append("!\(key)")
            }
        }
        return parts.isEmpty ? "<none>" : parts.joined(separator: ",")
    }
}
