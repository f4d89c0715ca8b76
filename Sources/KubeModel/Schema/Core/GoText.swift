/// How Kubernetes, written in Go, shows values in its messages.
public enum GoText {
    /// Text in double quotes with escapes (`%q`).
    public static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{0}"..<" ", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    static func isTextMap(_ value: JSONValue) -> Bool {
        guard let members = value.object, !members.isEmpty else { return false }
        return members.values.allSatisfy { $0.string != nil }
    }

    /// `map[string]string{"app":"web"}`, sorted by name; nil and empty maps are `map[string]string(nil)`.
    static func map(_ value: JSONValue?) -> String {
        guard let members = value?.object, !members.isEmpty else { return "map[string]string(nil)" }
        let pairs = members.sorted { $0.key < $1.key }.map { "\(quote($0.key)):\(quote($0.value.string ?? ""))" }
        return "map[string]string{\(pairs.joined(separator: ", "))}"
    }

    /// A fraction as `%v` prints it.
    static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e21 { return String(Int128(value)) }
        return "\(value)"
    }

    /// Any JSON value as `%#v` prints it.
    static func value(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): quote(text)
        case .object(let members):
            "map[string]interface {}{"
                + members.sorted { $0.key < $1.key }.map { "\(quote($0.key)):\(Self.value($0.value))" }
                .joined(separator: ", ") + "}"
        case .array(let elements): "[]interface {}{\(elements.map(Self.value).joined(separator: ", "))}"
        case .null: "interface {}(nil)"
        default: value.text
        }
    }

    /// `[]string{"a", "b"}`; nil and empty lists are `[]string(nil)`.
    static func list(_ value: JSONValue?) -> String {
        guard let list = value?.array, !list.isEmpty else { return "[]string(nil)" }
        return "[]string{\(list.map { quote($0.string ?? "") }.joined(separator: ", "))}"
    }

    /// A label selector as `%#v` prints it.
    static func selector(_ value: JSONValue?) -> String {
        let expressions = value?["matchExpressions"]?.array ?? []
        var list = "[]v1.LabelSelectorRequirement(nil)"
        if !expressions.isEmpty {
            let shown = expressions.map { expression in
                let values = expression["values"]?.array?.map { quote($0.string ?? "") } ?? []
                let set = values.isEmpty ? "[]string(nil)" : "[]string{\(values.joined(separator: ", "))}"
                return "v1.LabelSelectorRequirement{Key:\(quote(expression["key"]?.string ?? "")), "
                    + "Operator:\(quote(expression["operator"]?.string ?? "")), Values:\(set)}"
            }
            list = "[]v1.LabelSelectorRequirement{\(shown.joined(separator: ", "))}"
        }
        return "v1.LabelSelector{MatchLabels:\(map(value?["matchLabels"])), MatchExpressions:\(list)}"
    }
}
