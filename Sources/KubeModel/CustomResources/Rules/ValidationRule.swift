import CEL

/// One entry of `x-kubernetes-validations`, compiled.
///
/// Source: apiextensions-apiserver, `pkg/apiserver/schema/cel/compilation.go`.
struct ValidationRule: Sendable {
    /// As it was written.
    let source: JSONValue
    /// Nil for a rule that cannot be compiled.
    let program: Program?
    /// Why there is no program.
    let error: String?
    /// Makes the message; nil where there is no such expression, or it cannot be compiled.
    let message: Program?
    let messageError: String?
    /// What the rule can cost at worst, each time it is evaluated.
    let worstCost: UInt64
    let worstMessageCost: UInt64
    /// The field that complaints name, below the place of the rule; empty for the place itself.
    let fieldPath: String

    init(_ source: JSONValue, _ declaration: Declaration, _ schema: JSONSchema) {
        self.source = source
        let isOptional = source["optionalOldSelf"] == true
        let oldSelf = isOptional ? Declaration(.optional(declaration.type), element: declaration) : declaration
        let variables = ["self": declaration, "oldSelf": oldSelf]
        let environment = Environment(variables: variables, functions: .kubernetes)
        (program, error) = Self.compile(source["rule"], environment, .bool) { error in
            switch error {
            case .refused(let why): "compilation failed: \(why)"
            case .gives: "cel expression must evaluate to a bool"
            }
        }
        (message, messageError) = Self.compile(source["messageExpression"], environment, .string) { error in
            switch error {
            case .refused(let why): "messageExpression compilation failed: \(why)"
            case .gives: "messageExpression must evaluate to a string"
            }
        }
        worstCost = program?.worstCost(variables: variables) ?? 0
        worstMessageCost = message?.worstCost(variables: variables) ?? 0
        fieldPath = FieldReference(source["fieldPath"]?.string ?? "", in: schema)?.text ?? ""
    }

    private enum Refusal {
        case refused(String)
        case gives(ValueType)
    }

    private static func compile(
        _ text: JSONValue?, _ environment: Environment, _ wanted: ValueType, _ describe: (Refusal) -> String
    ) -> (Program?, String?) {
        guard let text = text?.string, !text.allSatisfy(\.isWhitespace) else { return (nil, nil) }
        do throws(CompilationError) {
            let program = try environment.compile(text)
            guard program.resultType == wanted else { return (nil, describe(.gives(program.resultType))) }
            return (program, nil)
        } catch {
            return (nil, describe(.refused(error.description)))
        }
    }

    var usesOldSelf: Bool { program?.uses("oldSelf") ?? false }
    var isOldSelfOptional: Bool { source["optionalOldSelf"] == true }

    /// How messages about the evaluation call the rule.
    var title: String {
        let message = source["message"]?.string ?? ""
        return (message.isEmpty ? source["rule"]?.string ?? "" : message).trimmed
    }

    /// What is said of an object that breaks the rule.
    var complaint: String {
        let message = source["message"]?.string ?? ""
        return message.isEmpty ? "failed rule: \(title)" : message.trimmed
    }
}

/// The `fieldPath` of a rule: `.spec.x['a.b']`.
struct FieldReference {
    /// As complaints show it, for example `spec.x[a.b]`.
    let text: String

    /// Nil for text that is no path, or leads to no field of the schema.
    init?(_ path: String, in schema: JSONSchema) {
        var rest = path[...]
        var schema = schema
        var text = ""
        guard !rest.isEmpty else { return nil }
        while let sign = rest.popFirst() {
            var name: String
            if sign == "." {
                name = String(rest.prefix { $0 != "." && $0 != "[" && $0 != "]" })
                rest = rest.dropFirst(name.count)
            } else if sign == "[", rest.popFirst() == "'" {
                name = ""
                var isClosed = false
                while let next = rest.popFirst() {
                    if next == "'" {
                        isClosed = true
                        break
                    }
                    name.append(next == "\\" ? rest.popFirst() ?? next : next)
                }
                guard isClosed, rest.popFirst() == "]" else { return nil }
            } else {
                return nil
            }
            if !schema.properties.isEmpty {
                guard let property = schema.property(name) else { return nil }
                text += text.isEmpty ? name : ".\(name)"
                schema = property
            } else if case .each(let each) = schema.rest {
                text += "[\(name)]"
                schema = each
            } else {
                return nil
            }
        }
        self.text = text
    }
}
