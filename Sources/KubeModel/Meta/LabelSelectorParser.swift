/// Reads `?labelSelector=`, and says what Kubernetes says about text that is none.
///
/// Grammar: requirements with commas between them; `key`, `!key`, `key = value`, `key in (a, b)`, `key > 1`.
struct LabelSelectorParser {
    private enum Token: Equatable {
        case identifier
        case end
        case openParenthesis
        case closedParenthesis
        case comma
        case not
        case isIn
        case isNotIn
        case equals
        case notEquals
        case greater
        case less
        case error
    }

    private typealias Item = (token: Token, text: String)

    private let items: [Item]
    private var position = 0

    init(_ text: String) { items = Self.scan(Array(text.utf8)) }

    // MARK: Words

    private static let signs: [String: Token] = [
        ")": .closedParenthesis, ",": .comma, "!": .not, "==": .equals, "=": .equals, ">": .greater, "<": .less,
        "!=": .notEquals, "(": .openParenthesis,
    ]

    private static func isSign(_ byte: UInt8) -> Bool { "=!(),><".utf8.contains(byte) }
    private static func isSpace(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }

    private static func scan(_ bytes: [UInt8]) -> [Item] {
        var items: [Item] = []
        // A byte of zero ends the text, as it does in Kubernetes.
        var rest = bytes.prefix { $0 != 0 }
        while true {
            rest = rest.drop(while: isSpace)
            guard let first = rest.first else { return items + [(.end, "")] }
            if isSign(first) {
                items.append(sign(&rest))
            } else {
                let word = rest.prefix { !isSign($0) && !isSpace($0) }
                rest = rest.dropFirst(word.count)
                let text = String(decoding: word, as: UTF8.self)
                items.append((text == "in" ? .isIn : text == "notin" ? .isNotIn : .identifier, text))
            }
        }
    }

    /// The longest sign at the beginning.
    private static func sign(_ rest: inout ArraySlice<UInt8>) -> Item {
        for count in [2, 1] {
            let text = String(decoding: rest.prefix(count), as: UTF8.self)
            if let token = signs[text] {
                rest = rest.dropFirst(count)
                return (token, text)
            }
        }
        return (.error, "")
    }

    /// The next word; between the parts of a requirement, `in` is an operator, elsewhere a name like others.
    private func next(asOperator: Bool = false) -> Item {
        let item = items[min(position, items.count - 1)]
        guard !asOperator, item.token == .isIn || item.token == .isNotIn else { return item }
        return (.identifier, item.text)
    }

    private mutating func take(asOperator: Bool = false) -> Item {
        defer { position += 1 }
        return next(asOperator: asOperator)
    }

    // MARK: Requirements

    mutating func parse() throws(SelectorError) -> [LabelSelector.Requirement] {
        var requirements: [LabelSelector.Requirement] = []
        while true {
            let item = next()
            switch item.token {
            case .identifier, .not:
                do throws(SelectorError) {
                    requirements.append(try requirement())
                } catch {
                    throw SelectorError(message: "unable to parse requirement: \(error.message)")
                }
                let separator = take()
                if separator.token == .end { return Self.sorted(requirements) }
                guard separator.token == .comma else {
                    throw SelectorError(message: "found '\(separator.text)', expected: ',' or 'end of string'")
                }
                let follower = next()
                guard follower.token == .identifier || follower.token == .not else {
                    throw SelectorError(message: "found '\(follower.text)', expected: identifier after ','")
                }
            case .end: return Self.sorted(requirements)
            default:
                throw SelectorError(message: "found '\(item.text)', expected: !, identifier, or 'end of string'")
            }
        }
    }

    private static func sorted(_ requirements: [LabelSelector.Requirement]) -> [LabelSelector.Requirement] {
        requirements.sorted { $0.key < $1.key }
    }

    private mutating func requirement() throws(SelectorError) -> LabelSelector.Requirement {
        var item = take()
        let isNegated = item.token == .not
        if isNegated { item = take() }
        guard item.token == .identifier else {
            throw SelectorError(message: "found '\(item.text)', expected: identifier")
        }
        let key = item.text
        let complaints = NameSyntax.qualifiedName(key)
        guard complaints.isEmpty else {
            throw SelectorError(
                message: "<nil>: Invalid value: \(GoText.quote(key)): \(complaints.joined(separator: "; "))")
        }
        if isNegated { return LabelSelector.Requirement(key: key, operation: .doesNotExist) }
        let follower = next()
        if follower.token == .end || follower.token == .comma {
            return LabelSelector.Requirement(key: key, operation: .exists)
        }
        let sign = take(asOperator: true)
        let (operation, values): (LabelSelector.Operator, [String])
        switch sign.token {
        case .isIn: (operation, values) = (.isIn, try list())
        case .isNotIn: (operation, values) = (.isNotIn, try list())
        case .equals: (operation, values) = (.isIn, [try value()])
        case .notEquals: (operation, values) = (.isNotIn, [try value()])
        case .greater: (operation, values) = (.isGreater, [try value()])
        case .less: (operation, values) = (.isLess, [try value()])
        default:
            throw SelectorError(message: "found '\(sign.text)', expected: in, notin, =, ==, !=, gt, lt")
        }
        try check(values, key, operation)
        return LabelSelector.Requirement(key: key, operation: operation, values: values)
    }

    private func check(_ values: [String], _ key: String, _ operation: LabelSelector.Operator) throws(SelectorError) {
        var complaints: [String] = []
        let isComparison = operation == .isGreater || operation == .isLess
        for (index, value) in values.enumerated() where isComparison && Int64(value) == nil {
            complaints.append(
                "values[\(index)]: Invalid value: \(GoText.quote(value)): "
                    + "for 'Gt', 'Lt' operators, the value must be an integer")
        }
        for (index, value) in values.enumerated() {
            let wrong = NameSyntax.labelValue(value)
            if wrong.isEmpty { continue }
            complaints.append(
                "values[\(index)][\(key)]: Invalid value: \(GoText.quote(value)): \(wrong.joined(separator: "; "))")
        }
        guard !complaints.isEmpty else { return }
        throw SelectorError(
            message: complaints.count == 1 ? complaints[0] : "[\(complaints.joined(separator: ", "))]")
    }

    private mutating func value() throws(SelectorError) -> String {
        let follower = next()
        if follower.token == .end || follower.token == .comma { return "" }
        let item = take()
        guard item.token == .identifier else {
            throw SelectorError(message: "found '\(item.text)', expected: identifier")
        }
        return item.text
    }

    /// The values in parentheses; `(,)` and `()` mean the empty value.
    private mutating func list() throws(SelectorError) -> [String] {
        let open = take()
        guard open.token == .openParenthesis else {
            throw SelectorError(message: "found '\(open.text)' expected: '('")
        }
        let first = next()
        switch first.token {
        case .identifier, .comma:
            let values = try names()
            guard take().token == .closedParenthesis else {
                throw SelectorError(message: "found '\(first.text)', expected: ')'")
            }
            return values.sorted()
        case .closedParenthesis:
            position += 1
            return [""]
        default: throw SelectorError(message: "found '\(first.text)', expected: ',', ')' or identifier")
        }
    }

    private mutating func names() throws(SelectorError) -> Set<String> {
        var names: Set<String> = []
        while true {
            let item = take()
            switch item.token {
            case .identifier:
                names.insert(item.text)
                let follower = next()
                if follower.token == .closedParenthesis { return names }
                guard follower.token == .comma else {
                    throw SelectorError(message: "found '\(follower.text)', expected: ',' or ')'")
                }
            case .comma:
                if names.isEmpty { names.insert("") }
                let follower = next()
                if follower.token == .closedParenthesis {
                    names.insert("")
                    return names
                }
                if follower.token == .comma {
                    position += 1
                    names.insert("")
                }
            default: throw SelectorError(message: "found '\(item.text)', expected: ',', or identifier")
            }
        }
    }
}
