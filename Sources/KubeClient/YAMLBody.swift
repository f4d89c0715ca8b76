public import KubeModel
import Yams

/// Why a text is not YAML, in the words of the API server.
public struct YAMLError: Error, Sendable, Equatable {
    public init(message: String) { self.message = message }

    public let message: String
}

extension JSONValue {
    /// How many values a YAML text may stand for, aliases written out: a short text can stand for very many.
    private static let yamlValuesMax = 500_000

    /// Reads one YAML document, as `kubectl` and the API server do: types by YAML 1.1, names of members as text.
    ///
    /// JSON is YAML too, and is read as what it is.
    ///
    /// - Parameter onDuplicate: Called with the path of a member that is given twice, where the text is JSON.
    public init(parsingYAML bytes: [UInt8], onDuplicate: ((String) -> Void)? = nil) throws(YAMLError) {
        let first = bytes.first { !" \t\r\n".utf8.contains($0) }
        if first == UInt8(ascii: "{"), let value = try? JSONValue(parsing: bytes, onDuplicate: onDuplicate) {
            self = value
            return
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw YAMLError(message: "error converting YAML to JSON: yaml: invalid leading UTF-8 octet")
        }
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch {
            throw YAMLError(message: "error converting YAML to JSON: yaml: \(Self.complaint(error, in: text))")
        }
        var left = Self.yamlValuesMax
        guard let root, let value = Self.value(root, depth: 0, &left) else {
            guard root == nil else {
                throw YAMLError(
                    message: "error converting YAML to JSON: yaml: document contains excessive aliasing")
            }
            self = .null
            return
        }
        self = value
    }

    private static func complaint(_ error: any Error, in text: String) -> String {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            "line \(mark.line): \(problem)"
        case YamlError.duplicatedKeysInMapping(let keys, let context):
            {
                let key = keys.first.map { "\($0)" } ?? ""
                let line = secondLine(of: key, in: text, from: context.mark.line)
                return "unmarshal errors:\n  line \(line): key \(GoText.quote(key)) already set in map"
            }()
        default: "\(error)"
        }
    }

    /// The line on which a key is given for the second time; the parser tells only where its mapping begins.
    private static func secondLine(of key: String, in text: String, from first: Int) -> Int {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let uses = lines.indices.dropFirst(first - 1).filter { index in
            lines[index].drop { $0 == " " || $0 == "-" }.hasPrefix("\(key):")
        }
        return uses.count > 1 ? uses[1] + 1 : first
    }

    /// Nil when the text stands for too much.
    private static func value(_ node: Node, depth: Int, _ left: inout Int) -> JSONValue? {
        left -= 1
        guard left > 0, depth < 256 else { return nil }
        switch node {
        case .mapping(let mapping):
            var members: JSONObject = [:]
            for (key, node) in mapping {
                guard let value = value(node, depth: depth + 1, &left) else { return nil }
                members.updateValue(value, forKey: name(key))
            }
            return .object(members)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for node in sequence {
                guard let value = value(node, depth: depth + 1, &left) else { return nil }
                elements.append(value)
            }
            return .array(elements)
        case .scalar: return scalar(node)
        case .alias: return .null
        }
    }

    private static func name(_ key: Node) -> String {
        switch scalar(key) {
        case .string(let text): text
        case let other: other.text
        }
    }

    private static func scalar(_ node: Node) -> JSONValue {
        guard case .scalar(let scalar) = node else { return .null }
        let text = JSONValue.string(scalar.string)
        // Kubernetes' parser knows no numbers of base 60 (`1:30`), and the one here stops the process at long ones.
        if scalar.string.contains(":") { return text }
        return switch node.tag.description {
        case Tag.Name.null.rawValue: .null
        case Tag.Name.bool.rawValue: node.bool.map(JSONValue.bool) ?? text
        case Tag.Name.int.rawValue: node.int.map { .int(Int64($0)) } ?? text
        case Tag.Name.float.rawValue:
            node.float.flatMap { $0.isFinite ? JSONValue.double($0) : nil } ?? text
        default: text
        }
    }
}
