/// Why a selector cannot be read, in the API server's words.
public struct SelectorError: Error, Sendable, Hashable, CustomStringConvertible {
    public let message: String
    public init(message: String) { self.message = message }
    public var description: String { message }
}

/// Which labels an object must have.
///
/// Two forms exist: the text of `?labelSelector=` (`app=web,tier in (a,b),!old`) and the object of manifests
/// (`matchLabels`, `matchExpressions`). Source: Kubernetes docs, "Labels and Selectors".
public struct LabelSelector: Sendable, Hashable {
    public enum Operator: String, Sendable {
        case isIn = "In"
        case isNotIn = "NotIn"
        case exists = "Exists"
        case doesNotExist = "DoesNotExist"
        case isGreater = "Gt"
        case isLess = "Lt"
    }

    public struct Requirement: Sendable, Hashable {
        public var key: String
        public var operation: Operator
        public var values: [String]

        public init(key: String, operation: Operator, values: [String] = []) {
            self.key = key
            self.operation = operation
            self.values = values
        }

        func isMet(by labels: [String: String]) -> Bool {
            let present = labels[key]
            switch operation {
            case .isIn: return present.map(values.contains) ?? false
            case .isNotIn: return present.map { !values.contains($0) } ?? true
            case .exists: return present != nil
            case .doesNotExist: return present == nil
            case .isGreater, .isLess:
                guard let present, let left = Int64(present), let right = values.first.flatMap({ Int64($0) }) else {
                    return false
                }
                return operation == .isGreater ? left > right : left < right
            }
        }

        var text: String {
            switch operation {
            case .isIn: values.count == 1 ? "\(key)=\(values[0])" : "\(key) in (\(values.joined(separator: ",")))"
            case .isNotIn:
                values.count == 1 ? "\(key)!=\(values[0])" : "\(key) notin (\(values.joined(separator: ",")))"
            case .exists: key
            case .doesNotExist: "!\(key)"
            case .isGreater: "\(key)>\(values.first ?? "")"
            case .isLess: "\(key)<\(values.first ?? "")"
            }
        }
    }

    public var requirements: [Requirement]

    /// Every object matches a selector without requirements.
    public init(requirements: [Requirement] = []) { self.requirements = requirements }

    public init(matching labels: [String: String]) {
        requirements = labels.sorted { $0.key < $1.key }.map {
            Requirement(key: $0.key, operation: .isIn, values: [$0.value])
        }
    }

    /// Reads the selector of a manifest; nil and an empty object select everything.
    public init(_ value: JSONValue?) {
        self.init(matching: KubeObject.strings(value?["matchLabels"]))
        for expression in value?["matchExpressions"]?.array ?? [] {
            guard let key = expression["key"]?.string,
                let operation = expression["operator"]?.string.flatMap(Operator.init(rawValue:))
            else { continue }
            let values = expression["values"]?.array?.compactMap(\.string) ?? []
            requirements.append(Requirement(key: key, operation: operation, values: values))
        }
    }

    public func matches(_ labels: [String: String]) -> Bool { requirements.allSatisfy { $0.isMet(by: labels) } }

    public var isEmpty: Bool { requirements.isEmpty }

    public var text: String { requirements.map(\.text).joined(separator: ",") }

    /// Reads the text of a query.
    public init(parsing text: String) throws(SelectorError) {
        var parser = SelectorParser(text)
        requirements = try parser.parse()
    }
}

private struct SelectorParser {
    private let text: String
    private var rest: Substring

    init(_ text: String) {
        self.text = text
        rest = Substring(text)
    }

    private func fault(_ detail: String) -> SelectorError {
        SelectorError(message: "unable to parse requirement: \(detail)")
    }

    mutating func parse() throws(SelectorError) -> [LabelSelector.Requirement] {
        var requirements: [LabelSelector.Requirement] = []
        skipSpace()
        guard !rest.isEmpty else { return [] }
        while true {
            requirements.append(try requirement())
            skipSpace()
            guard let next = rest.first else { return requirements }
            guard next == "," else { throw fault("found '\(rest)', expected: ',' or 'end of string'") }
            rest.removeFirst()
            skipSpace()
            if rest.isEmpty { throw fault("found '', expected: identifier after ','") }
        }
    }

    private mutating func skipSpace() { rest = rest.drop { $0.isWhitespace } }

    private mutating func word() -> String {
        skipSpace()
        let word = rest.prefix { !$0.isWhitespace && !"=!<>(),".contains($0) }
        rest = rest.dropFirst(word.count)
        return String(word)
    }

    private mutating func take(_ sign: String) -> Bool {
        skipSpace()
        guard rest.hasPrefix(sign) else { return false }
        rest = rest.dropFirst(sign.count)
        return true
    }

    private mutating func requirement() throws(SelectorError) -> LabelSelector.Requirement {
        if take("!") {
            return LabelSelector.Requirement(key: try key(), operation: .doesNotExist)
        }
        let key = try key()
        if take("==") || take("=") {
            return LabelSelector.Requirement(key: key, operation: .isIn, values: [try value()])
        }
        if take("!=") { return LabelSelector.Requirement(key: key, operation: .isNotIn, values: [try value()]) }
        if take(">") { return try comparison(key, .isGreater) }
        if take("<") { return try comparison(key, .isLess) }
        skipSpace()
        guard let next = rest.first, next != "," else { return LabelSelector.Requirement(key: key, operation: .exists) }
        switch word() {
        case "in": return LabelSelector.Requirement(key: key, operation: .isIn, values: try list())
        case "notin": return LabelSelector.Requirement(key: key, operation: .isNotIn, values: try list())
        case let other: throw fault("found '\(other)', expected: in, notin, =, ==, !=, gt, lt")
        }
    }

    private mutating func comparison(
        _ key: String, _ operation: LabelSelector.Operator
    ) throws(SelectorError) -> LabelSelector.Requirement {
        let number = try value()
        guard Int64(number) != nil else { throw fault("for 'Gt', 'Lt' operators, the value must be an integer") }
        return LabelSelector.Requirement(key: key, operation: operation, values: [number])
    }

    private mutating func key() throws(SelectorError) -> String {
        let key = word()
        guard !key.isEmpty else { throw fault("found '\(rest)', expected: identifier") }
        guard key.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_./".contains($0)) }),
            key.split(separator: "/", omittingEmptySubsequences: false).count <= 2, key.first != "/", key.last != "/"
        else {
            throw fault(
                "<nil>: Invalid value: \"\(key)\": name part must consist of alphanumeric characters, '-', '_' or '.'")
        }
        return key
    }

    private mutating func value() throws(SelectorError) -> String {
        let value = word()
        guard value.count <= 63, value.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) })
        else {
            throw fault(
                "values[0]: Invalid value: \"\(value)\": a valid label must be an empty string or consist of alphanumeric characters"
            )
        }
        return value
    }

    private mutating func list() throws(SelectorError) -> [String] {
        guard take("(") else { throw fault("found '\(rest)', expected: '('") }
        var values: [String] = []
        while true {
            values.append(try value())
            if take(")") { return values.sorted() }
            guard take(",") else { throw fault("found '\(rest)', expected: ',' or ')'") }
        }
    }
}
