/// A JSONPath as printer columns of custom resources use it: members, positions, `[*]`, and `[?(@.type=="Ready")]`.
public struct ColumnPath: Sendable {
    private enum Step: Sendable, Equatable {
        case member(String)
        case index(Int)
        case all
        case filter(path: [String], isEqual: Bool, value: JSONValue)
        case exists(path: [String])
    }

    private let steps: [Step]

    /// Nil for text that is no such path.
    public init?(_ text: String) {
        var rest = text[...]
        var steps: [Step] = []
        while let first = rest.first {
            switch first {
            case ".":
                rest.removeFirst()
                let name = Self.takeName(&rest)
                if name == "*" {
                    steps.append(.all)
                } else if !name.isEmpty {
                    steps.append(.member(name))
                } else if rest.first != "[" {
                    return nil
                }
            case "[":
                guard let content = Self.takeBrackets(&rest), let step = Self.step(content) else { return nil }
                steps.append(step)
            default: return nil
            }
        }
        guard !steps.isEmpty else { return nil }
        self.steps = steps
    }

    /// A name up to the next dot or bracket; a backslash takes the next sign as it is.
    private static func takeName(_ rest: inout Substring) -> String {
        var name = ""
        while let sign = rest.first, sign != ".", sign != "[" {
            rest.removeFirst()
            if sign == "\\", let next = rest.popFirst() { name.append(next) } else { name.append(sign) }
        }
        return name
    }

    private static func takeBrackets(_ rest: inout Substring) -> Substring? {
        var quote: Character?
        for index in rest.indices.dropFirst() {
            let sign = rest[index]
            if let open = quote {
                if sign == open { quote = nil }
            } else if sign == "'" || sign == "\"" {
                quote = sign
            } else if sign == "]" {
                defer { rest = rest[rest.index(after: index)...] }
                return rest[rest.index(after: rest.startIndex)..<index]
            }
        }
        return nil
    }

    private static func step(_ content: Substring) -> Step? {
        if content == "*" { return .all }
        if let index = Int(content) { return .index(index) }
        if let name = unquoted(content) { return .member(name) }
        guard content.hasPrefix("?("), content.hasSuffix(")") else { return nil }
        let condition = content.dropFirst(2).dropLast()
        for (sign, isEqual) in [("==", true), ("!=", false)] {
            guard let range = condition.firstRange(of: sign) else { continue }
            let right = trimmed(condition[range.upperBound...])
            let value = unquoted(right).map(JSONValue.string) ?? (try? JSONValue(parsing: Array(right.utf8)))
            guard let path = relative(condition[..<range.lowerBound]), let value else { return nil }
            return .filter(path: path, isEqual: isEqual, value: value)
        }
        return relative(condition).map { .exists(path: $0) }
    }

    private static func relative(_ text: Substring) -> [String]? {
        let text = trimmed(text)
        guard text.hasPrefix("@") else { return nil }
        return text.dropFirst().split(separator: ".").map(String.init)
    }

    private static func unquoted(_ text: Substring) -> String? {
        guard let first = text.first, first == "'" || first == "\"", text.count > 1, text.last == first else {
            return nil
        }
        return String(text.dropFirst().dropLast())
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }

    /// What the path leads to, in the order of the object.
    public func values(in root: JSONValue) -> [JSONValue] {
        var current = [root]
        for step in steps { current = current.flatMap { Self.follow(step, $0) } }
        return current
    }

    private static func follow(_ step: Step, _ value: JSONValue) -> [JSONValue] {
        switch step {
        case .member(let name): return value[name].map { [$0] } ?? []
        case .index(let index):
            guard let elements = value.array else { return [] }
            let place = index < 0 ? elements.count + index : index
            return elements.indices.contains(place) ? [elements[place]] : []
        case .all: return value.array ?? value.object?.values ?? []
        case .filter(let path, let isEqual, let wanted):
            return (value.array ?? []).filter { element in
                element[path].map { ($0 == wanted) == isEqual } ?? false
            }
        case .exists(let path): return (value.array ?? []).filter { $0[path] != nil }
        }
    }
}

extension ColumnPath {
    /// The cell of a column of a type.
    func cell(_ object: KubeObject, type: String, now: Timestamp) -> JSONValue {
        guard let value = values(in: object.value).first, !value.isNull else { return .null }
        switch type {
        case "integer":
            return switch value {
            case .int: value
            case .double(let number): .int(Int64(number))
            case .string(let text): Int64(text).map(JSONValue.int) ?? .null
            default: .null
            }
        case "number":
            return switch value {
            case .int, .double: value
            case .string(let text): Double(text).map(JSONValue.double) ?? .null
            default: .null
            }
        case "boolean":
            return switch value {
            case .bool: value
            case .string(let text): text == "true" ? true : text == "false" ? false : .null
            default: .null
            }
        case "date":
            guard let text = value.string else { return .null }
            return .string(Timestamp(parsing: text).map { HumanDuration.since($0, now: now) } ?? "<invalid>")
        default: return .string(value.string ?? value.text)
        }
    }
}
