/// A value of a scene's variable.
public enum SceneValue: Hashable, Sendable, Codable, CustomStringConvertible {
    case bool(Bool)
    case number(Double)
    case text(String)

    public var description: String {
        switch self {
        case .bool(let value): value ? "true" : "false"
        case .number(let value): value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
        case .text(let value): value
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        }
    }

    /// Whether the value counts as true in a condition: `true`, a number other than 0, a text that is not empty.
    public var isTrue: Bool {
        switch self {
        case .bool(let value): value
        case .number(let value): value != 0
        case .text(let value): !value.isEmpty
        }
    }

    /// Reads `true`, `false`, a number, or a text in double quotes; nil for anything else.
    public init?(parsing text: String) {
        if text == "true" || text == "false" {
            self = .bool(text == "true")
        } else if let number = Double(text) {
            self = .number(number)
        } else if text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\""),
            !text.dropFirst().dropLast().contains("\"")
        {
            self = .text(String(text.dropFirst().dropLast()))
        } else {
            return nil
        }
    }
}

/// A condition on one variable: `$deaths > 0`, `$met_marko`, `not $met_marko`.
public struct SceneCondition: Hashable, Sendable {
    public enum Comparison: String, Hashable, Sendable, CaseIterable {
        case equal = "=="
        case notEqual = "!="
        case atLeast = ">="
        case atMost = "<="
        case greater = ">"
        case less = "<"
    }

    /// Without its `$`.
    public let variable: String
    /// Nil: the variable must be true, or not be true when `isNegated`.
    public let comparison: Comparison?
    public let value: SceneValue?
    public let isNegated: Bool

    /// Nil when the text is not a condition of this small language.
    public init?(parsing text: String) {
        var words = text.split(separator: " ").map(String.init)
        isNegated = words.first == "not"
        if isNegated { words.removeFirst() }
        guard let name = words.first, name.count > 1, name.hasPrefix("$") else { return nil }
        variable = String(name.dropFirst())
        if words.count == 1 {
            comparison = nil
            value = nil
            return
        }
        guard words.count >= 3, let comparison = Comparison(rawValue: words[1]),
            let value = SceneValue(parsing: words.dropFirst(2).joined(separator: " "))
        else { return nil }
        self.comparison = comparison
        self.value = value
    }

    /// A variable that was never set is false, 0 and empty.
    public func holds(in variables: [String: SceneValue]) -> Bool {
        compare(variables[variable]) != isNegated
    }

    private func compare(_ present: SceneValue?) -> Bool {
        guard let comparison, let value else { return present?.isTrue ?? false }
        switch (present ?? Self.unset(like: value), value) {
        case (.number(let left), .number(let right)): return Self.compare(left, comparison, right)
        case (.text(let left), .text(let right)): return Self.compare(left, comparison, right)
        case (let left, let right):
            return comparison == .notEqual ? left != right : comparison == .equal && left == right
        }
    }

    private static func unset(like value: SceneValue) -> SceneValue {
        switch value {
        case .bool: .bool(false)
        case .number: .number(0)
        case .text: .text("")
        }
    }

    private static func compare<T: Comparable>(_ left: T, _ comparison: Comparison, _ right: T) -> Bool {
        switch comparison {
        case .equal: left == right
        case .notEqual: left != right
        case .atLeast: left >= right
        case .atMost: left <= right
        case .greater: left > right
        case .less: left < right
        }
    }
}
