import Foundation
import KubeModel

/// Go templates as far as fields go: `{{.Repository}}:{{.Tag}}`, `{{json .Config}}`, `{{.Config.Cmd}}`.
enum Template {
    static func fill(_ template: String, _ value: JSONValue) throws -> String {
        var text = ""
        var rest = template.replacingOccurrences(of: #"\t"#, with: "\t").replacingOccurrences(of: #"\n"#, with: "\n")[
            ...]
        while let open = rest.range(of: "{{") {
            text += rest[..<open.lowerBound]
            guard let close = rest[open.upperBound...].range(of: "}}") else {
                throw FrontEndFailure(lines: ["template parsing error: unclosed action in '\(template)'"])
            }
            text += try action(rest[open.upperBound..<close.lowerBound], value)
            rest = rest[close.upperBound...]
        }
        return text + rest
    }

    private static func action(_ action: Substring, _ value: JSONValue) throws -> String {
        var words = action.split(separator: " ")
        let isJSON = words.first == "json"
        if isJSON { words.removeFirst() }
        guard words.count == 1, let path = words.first, path.hasPrefix(".") else {
            throw FrontEndFailure(
                "VelocityLab fills in fields only, not '{{\(action)}}'.", hint: "For example: --format '{{json .}}'")
        }
        let found = path.split(separator: ".").reduce(Optional(value)) { $0?[String($1)] }
        if isJSON { return found?.text ?? "null" }
        return found.map(plain) ?? "<no value>"
    }

    /// As Go prints it.
    private static func plain(_ value: JSONValue) -> String {
        if let text = value.string { return text }
        if let items = value.array { return "[\(items.map(plain).joined(separator: " "))]" }
        if let members = value.object {
            return "map[\(members.map { "\($0.key):\(plain($0.value))" }.sorted().joined(separator: " "))]"
        }
        return value.text
    }
}

/// Rows of a list, as `--format` wants them.
struct FormattedRows {
    /// The titles of the columns, and the fields that stand in them.
    var columns: [(title: String, field: String)]
    var rows: [JSONValue]

    func show(_ format: String?) throws {
        switch format {
        case nil, "table":
            Output.table(columns.map(\.title), rows.map { row in columns.map { row[$0.field]?.string ?? "" } })
        case "json": for row in rows { Output.line(row.text) }
        case .some(let format) where format.hasPrefix("table "):
            let cells = format.dropFirst(6).replacingOccurrences(of: #"\t"#, with: "\t").split(separator: "\t")
                .map(String.init)
            let titles = JSONValue.object(JSONObject(columns.map { ($0.field, .string($0.title)) }))
            try Output.table(
                cells.map { try Template.fill($0, titles) },
                rows.map { row in try cells.map { try Template.fill($0, row) } }
            )
        case .some(let format): for row in rows { Output.line(try Template.fill(format, row)) }
        }
    }
}
