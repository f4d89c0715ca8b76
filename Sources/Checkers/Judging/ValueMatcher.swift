import CourseModel
import KubeModel

/// A place where an object is not as it should be.
struct Mismatch: Hashable, Sendable {
    let path: String
    let expected: String
    let found: String

    /// In words: `spec.replicas is 2, and should be 3`.
    var text: String {
        found == Self.missing
            ? "\(path) is missing, and should be \(expected)" : "\(path) is \(found), and should be \(expected)"
    }

    static let missing = "missing"
}

/// Compares what an author wants with what an object holds.
enum ValueMatcher {
    /// Every place in which `found` does not meet `wanted`: missing members, other values, list elements without a
    /// match.
    static func mismatches(_ wanted: YAMLValue, _ found: JSONValue?, path: String) -> [Mismatch] {
        guard let found else { return [Mismatch(path: path, expected: wanted.text, found: Mismatch.missing)] }
        switch wanted {
        case .map(let members):
            guard found.object != nil else {
                return [Mismatch(path: path, expected: wanted.text, found: text(found))]
            }
            return members.flatMap { mismatches($0.value, found[$0.key], path: join(path, $0.key)) }
        case .list(let elements):
            guard let present = found.array else {
                return [Mismatch(path: path, expected: wanted.text, found: text(found))]
            }
            return elements.flatMap { nearest($0, present, path: path) }
        default:
            return equal(wanted, found, path: path)
                ? [] : [Mismatch(path: path, expected: wanted.text, found: text(found))]
        }
    }

    /// What is wrong with the element that comes nearest; nothing when one fits.
    private static func nearest(_ wanted: YAMLValue, _ present: [JSONValue], path: String) -> [Mismatch] {
        let tries = present.enumerated().map { mismatches(wanted, $0.element, path: "\(path)[\($0.offset)]") }
        return tries.min { $0.count < $1.count }
            ?? [Mismatch(path: path, expected: wanted.text, found: "empty")]
    }

    private static func join(_ path: String, _ member: String) -> String {
        path.isEmpty ? member : member.contains(".") ? "\(path)['\(member)']" : "\(path).\(member)"
    }

    /// Equal as values, or as quantities below `resources`: `0.1` is `100m`.
    static func equal(_ wanted: YAMLValue, _ found: JSONValue, path: String) -> Bool {
        switch (wanted, found) {
        case (.null, .null): return true
        case (.bool(let left), .bool(let right)): return left == right
        case (.int(let left), .int(let right)): return left == right
        case (.int(let left), .double(let right)): return Double(left) == right
        case (.double(let left), .double(let right)): return left == right
        case (.double(let left), .int(let right)): return left == Double(right)
        default: break
        }
        let (left, right) = (wanted.text, text(found))
        if wanted.members != nil || wanted.list != nil { return mismatches(wanted, found, path: path).isEmpty }
        if found.object != nil || found.array != nil { return false }
        if case .string = found, left == right, wanted.string != nil { return true }
        guard path.contains("resources") || path.contains("capacity") || path.contains("hard") else { return false }
        guard let left = Quantity(parsing: left), let right = Quantity(parsing: right) else { return false }
        return left == right
    }

    /// As an author would write it.
    static func text(_ value: JSONValue) -> String { value.string ?? value.text }
}

extension ValuePath {
    /// The values that the path leads to, each with its own path; empty when it leads nowhere.
    func values(in value: JSONValue) -> [(path: String, value: JSONValue)] {
        var current: [(path: String, value: JSONValue)] = [("", value)]
        for step in steps {
            current = current.flatMap { place -> [(path: String, value: JSONValue)] in
                switch step {
                case .member(let name):
                    let path = place.path.isEmpty ? name : "\(place.path).\(name)"
                    return place.value[name].map { [(path, $0)] } ?? []
                case .index, .all, .filter:
                    return (place.value.array ?? []).enumerated()
                        .filter { Self.selects(step, $0.element, at: $0.offset) }
                        .map { ("\(place.path)[\($0.offset)]", $0.element) }
                }
            }
        }
        return current
    }

    private static func selects(_ step: Step, _ element: JSONValue, at index: Int) -> Bool {
        switch step {
        case .member: false
        case .index(let wanted): wanted == index
        case .all: true
        case .filter(let key, let value): element[key].map(ValueMatcher.text) == value
        }
    }
}

extension Requirement {
    /// Where an object does not meet the requirement; empty when it does.
    func mismatches(in object: JSONValue) -> [Mismatch] {
        switch self {
        case .matches(let wanted): return ValueMatcher.mismatches(wanted, object, path: "")
        case .value(let path, let comparison):
            let values = path.values(in: object)
            if comparison == .missing {
                return values.map {
                    Mismatch(path: $0.path, expected: Mismatch.missing, found: ValueMatcher.text($0.value))
                }
            }
            guard !values.isEmpty else {
                return [Mismatch(path: path.description, expected: comparison.text, found: Mismatch.missing)]
            }
            let tries = values.map { comparison.mismatches($0.value, path: $0.path) }
            return tries.contains(where: \.isEmpty) ? [] : tries[0]
        }
    }
}

extension Comparison {
    func mismatches(_ value: JSONValue, path: String) -> [Mismatch] {
        if case .matches(let wanted) = self { return ValueMatcher.mismatches(wanted, value, path: path) }
        return holds(value, path: path)
            ? [] : [Mismatch(path: path, expected: text, found: ValueMatcher.text(value))]
    }

    private func holds(_ value: JSONValue, path: String) -> Bool {
        switch self {
        case .equals(let wanted): ValueMatcher.equal(wanted, value, path: path)
        case .differs(let unwanted): !ValueMatcher.equal(unwanted, value, path: path)
        case .atLeast(let limit): Self.number(value).map { $0 >= limit } ?? false
        case .atMost(let limit): Self.number(value).map { $0 <= limit } ?? false
        case .contains(let part): ValueMatcher.text(value).contains(part)
        case .oneOf(let wanted): wanted.contains { ValueMatcher.equal($0, value, path: path) }
        case .matches(let wanted): ValueMatcher.mismatches(wanted, value, path: path).isEmpty
        case .exists: true
        case .missing: false
        }
    }

    private static func number(_ value: JSONValue) -> Double? {
        switch value {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }

    /// For messages: `at least 3`.
    var text: String {
        switch self {
        case .equals(let value): value.text
        case .differs(let value): "anything but \(value.text)"
        case .atLeast(let limit): "at least \(Self.plain(limit))"
        case .atMost(let limit): "at most \(Self.plain(limit))"
        case .contains(let part): "something with '\(part)'"
        case .oneOf(let values): "one of \(values.map(\.text).joined(separator: ", "))"
        case .matches(let value): value.text
        case .exists: "there"
        case .missing: Mismatch.missing
        }
    }

    private static func plain(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
    }

    /// Whether a count compares so.
    func holds(count: Int) -> Bool { mismatches(JSONValue(count), path: "").isEmpty }
}
