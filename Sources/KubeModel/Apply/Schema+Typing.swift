extension Schema {
    /// What keeps a configuration from being applied: members and types that the kind does not have, elements that cannot be told apart.
    ///
    /// Each complaint names its place: `.spec.replicaz: field not declared in schema`.
    func typingComplaints(_ value: JSONValue) -> [String] {
        var complaints: [String] = []
        resolved.check(value, at: [], into: &complaints)
        return complaints
    }

    private func check(_ value: JSONValue, at path: [String], into complaints: inout [String]) {
        func complain(_ text: String, at place: [String]? = nil) {
            let shown = PathElement.show(place ?? path)
            complaints.append(shown.isEmpty ? text : "\(shown): \(text)")
        }
        if value.isNull { return }
        switch (shape, value) {
        case (.any, _), (.lazy, _), (.quantity, .string), (.quantity, .int), (.quantity, .double),
            (.intOrString, .string),
            (.intOrString, .int), (.time, .string), (.microTime, .string), (.string, .string), (.bytes, .string),
            (.bool, .bool), (.int32, .int), (.int64, .int), (.number, .int), (.number, .double), (.int32, .double),
            (.int64, .double):
            return
        case (.object, .object(let members)):
            for (name, value) in members {
                let step = path + [PathElement.field(name)]
                if let field = fieldsByName[name] {
                    field.schema.resolved.check(value, at: step, into: &complaints)
                } else if !traits.keepsUnknownFields {
                    complain("field not declared in schema", at: step)
                    return
                }
            }
        case (.map(let element), .object(let members)):
            for (name, value) in members {
                element.resolved.check(value, at: path + [PathElement.field(name)], into: &complaints)
            }
        case (.array(let element), .array(let elements)):
            checkElements(elements, element.resolved, at: path, into: &complaints)
        case (.object, _), (.map, _): complain("expected map, got &{\(GoText.plain(value))}")
        case (.array, _): complain("expected list, got &{\(GoText.plain(value))}")
        case (.int32, _), (.int64, _), (.number, _):
            complain("expected numeric (int or float), got \(GoText.typeName(value))")
        case (.bool, _): complain("expected boolean, got &{\(GoText.plain(value))}")
        case (.string, _), (.bytes, _):
            complain("expected string, got &value.valueUnstructured{Value:\(GoText.syntax(value))}")
        default: complain("expected any scalar, got &{\(GoText.plain(value))}")
        }
    }

    private func checkElements(
        _ elements: [JSONValue], _ element: Schema, at path: [String], into complaints: inout [String]
    ) {
        let ownership = ownership(of: .array(elements))
        var seen: Set<String> = []
        for (index, value) in elements.enumerated() {
            var step = "i:\(index)"
            switch ownership {
            case .keyed, .set:
                guard let key = self.step(to: value, ownership) else {
                    let why = Self.indistinct(value, ownership)
                    complaints.append("\(PathElement.show(path)): element \(index): \(why)")
                    return
                }
                if !seen.insert(key).inserted {
                    complaints.append("\(PathElement.show(path)): duplicate entries for key \(PathElement.show(key))")
                }
                step = key
            case .atomic, .members: break
            }
            element.check(value, at: path + [step], into: &complaints)
        }
    }

    private static func indistinct(_ value: JSONValue, _ ownership: Ownership) -> String {
        switch (ownership, value) {
        case (.keyed, .null): return "associative list with keys may not have a null element"
        case (.keyed(_, let keys), .object):
            let list = keys.map(GoText.quote).joined(separator: " ")
            return "associative list with keys has an element that omits all key fields [\(list)] "
                + "(and doesn't have default values for any key fields)"
        case (.keyed, _): return "associative list with keys may not have non-map elements"
        case (_, .object): return "associative list without keys has an element that's a map type"
        case (_, .array): return "not supported: associative list with lists as elements"
        default: return "associative list without keys has an element that's an explicit null"
        }
    }
}

extension GoText {
    /// A value as `%v` prints it: `map[a:1 b:[x y]]`.
    public static func plain(_ value: JSONValue) -> String {
        switch value {
        case .null: "<nil>"
        case .string(let text): text
        case .array(let elements): "[\(elements.map(plain).joined(separator: " "))]"
        case .object(let members):
            "map[" + members.sorted { $0.key < $1.key }.map { "\($0.key):\(plain($0.value))" }.joined(separator: " ")
                + "]"
        default: value.text
        }
    }

    /// A value as `%#v` prints it.
    static func syntax(_ value: JSONValue) -> String {
        switch value {
        case .null: "interface {}(nil)"
        case .string(let text): quote(text)
        case .array(let elements): "[]interface {}{\(elements.map(syntax).joined(separator: ", "))}"
        case .object(let members):
            "map[string]interface {}{"
                + members.sorted { $0.key < $1.key }.map { "\(quote($0.key)):\(syntax($0.value))" }.joined(
                    separator: ", ")
                + "}"
        default: value.text
        }
    }

    /// A value's type as `%T` prints it.
    static func typeName(_ value: JSONValue) -> String {
        switch value {
        case .null: "<nil>"
        case .bool: "bool"
        case .int: "int64"
        case .double: "float64"
        case .string: "string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }
}
