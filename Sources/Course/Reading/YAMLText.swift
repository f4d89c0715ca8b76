import CourseModel
import Yams

/// The documents of a YAML text, with every fault as a diagnostic.
struct YAMLText {
    let file: String
    let documents: [Node]

    /// Nil when the text is not YAML; what is wrong is in `diagnostics` then.
    init?(_ text: String, file: String, diagnostics: Diagnostics) {
        self.file = file
        if let place = Self.firstTab(in: text, file: file) {
            diagnostics.error(
                place, "there is a tab in the indentation", hint: "Indent with spaces: YAML allows no tabs.")
            return nil
        }
        do {
            var sequence = try compose_all(yaml: text)
            var documents: [Node] = []
            while let node = sequence.next() { documents.append(node) }
            if let error = sequence.error { throw error }
            self.documents = documents
        } catch {
            diagnostics.error(Self.place(of: error, file: file), Self.message(of: error))
            return nil
        }
    }

    private static func firstTab(in text: String, file: String) -> SourcePlace? {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let indentation = line.prefix { $0 == " " || $0 == "\t" }
            if let tab = indentation.firstIndex(of: "\t"), indentation.count < line.count {
                let column = indentation.distance(from: indentation.startIndex, to: tab) + 1
                return SourcePlace(file: file, line: index + 1, column: column)
            }
        }
        return nil
    }

    private static func place(of error: any Error, file: String) -> SourcePlace {
        switch error {
        case YamlError.scanner(_, _, let mark, _), YamlError.parser(_, _, let mark, _),
            YamlError.composer(_, _, let mark, _):
            SourcePlace(file: file, line: mark.line, column: mark.column)
        case YamlError.duplicatedKeysInMapping(_, let context):
            SourcePlace(file: file, line: context.mark.line, column: context.mark.column)
        default: SourcePlace(file: file)
        }
    }

    private static func message(of error: any Error) -> String {
        switch error {
        case YamlError.scanner(_, let problem, _, _), YamlError.parser(_, let problem, _, _),
            YamlError.composer(_, let problem, _, _):
            "this is not YAML: \(problem)"
        case YamlError.duplicatedKeysInMapping(let keys, _):
            "\(keys.map { "'\($0)'" }.joined(separator: ", ")) is given twice in the same mapping"
        default: "this is not YAML: \(error)"
        }
    }
}

extension YAMLValue {
    /// The value of a node, typed by YAML's own rules, as kubectl types a manifest.
    init(_ node: Node) {
        switch node {
        case .mapping(let mapping):
            self = .map(mapping.map { Member($0.key.string ?? "", YAMLValue($0.value)) })
        case .sequence(let sequence): self = .list(sequence.map { YAMLValue($0) })
        case .scalar(let scalar): self = Self.scalar(node, text: scalar.string)
        case .alias: self = .null
        }
    }

    private static func scalar(_ node: Node, text: String) -> YAMLValue {
        switch node.tag.description {
        case Tag.Name.null.rawValue: .null
        case Tag.Name.bool.rawValue: node.bool.map(YAMLValue.bool) ?? .string(text)
        case Tag.Name.int.rawValue: node.int.map { .int(Int64($0)) } ?? .string(text)
        case Tag.Name.float.rawValue: node.float.map(YAMLValue.double) ?? .string(text)
        default: .string(text)
        }
    }
}
