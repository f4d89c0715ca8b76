import CEL

/// Named formats of text: `!format.dns1123Label().validate(self.name).hasValue()` (Kubernetes 1.31, `library/format.go`).
struct FormatValue: OpaqueValue {
    let name: String
    let complaints: @Sendable (String) -> [String]

    var typeName: String { "kubernetes.NamedFormat" }
    static let type = ValueType.opaque("kubernetes.NamedFormat")

    func isEqual(to other: any OpaqueValue) -> Bool { (other as? FormatValue)?.name == name }
}

enum FormatFunctions {
    private static let known: [FormatValue] = [
        FormatValue(name: "dns1123Label", complaints: NameSyntax.dnsLabel),
        FormatValue(name: "dns1123Subdomain", complaints: NameSyntax.dnsSubdomain),
        FormatValue(name: "dns1035Label", complaints: NameSyntax.dns1035Label),
        FormatValue(name: "qualifiedName", complaints: NameSyntax.qualifiedName),
        prefix("dns1123LabelPrefix", NameSyntax.dnsLabel),
        prefix("dns1123SubdomainPrefix", NameSyntax.dnsSubdomain),
        prefix("dns1035LabelPrefix", NameSyntax.dns1035Label),
        FormatValue(name: "labelValue", complaints: NameSyntax.labelValue),
        FormatValue(name: "uri") { URLValue(parsing: $0) == nil ? ["invalid URI for request"] : [] },
        FormatValue(name: "uuid") {
            TextFormat.check("uuid", $0) == true ? [] : ["does not match the UUID format"]
        },
        FormatValue(name: "byte") { Base64.firstError($0) == nil ? [] : ["invalid base64"] },
        FormatValue(name: "date") { TextFormat.check("date", $0) == true ? [] : ["invalid date"] },
        FormatValue(name: "datetime") { TextFormat.check("datetime", $0) == true ? [] : ["invalid datetime"] },
    ]

    /// A beginning of a name may end in a dash.
    private static func prefix(_ name: String, _ syntax: @escaping @Sendable (String) -> [String]) -> FormatValue {
        FormatValue(name: name) { text in syntax(text.hasSuffix("-") ? text.dropLast() + "a" : text) }
    }

    static let all: [Function] =
        known.map { format in
            Function(
                "format.\(format.name)",
                [.global("format-\(format.name)", [], FormatValue.type) { _ in .opaque(format) }])
        } + [
            Function(
                "format.named",
                [
                    .global("format-named", [.string], .optional(FormatValue.type)) { arguments in
                        .optional(known.first { $0.name == arguments[0].string }.map { .opaque($0) })
                    }
                ]),
            Function(
                "validate",
                [
                    .member("format-validate", [FormatValue.type, .string], .optional(.strings)) {
                        arguments throws(EvaluationError) in
                        guard let format = arguments[0].opaque(FormatValue.self) else {
                            throw EvaluationError("no such overload")
                        }
                        let complaints = format.complaints(arguments[1].string ?? "")
                        return .optional(complaints.isEmpty ? nil : .list(complaints.map(Value.string)))
                    }
                ]),
        ]
}
