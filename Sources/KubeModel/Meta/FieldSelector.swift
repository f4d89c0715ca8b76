/// Which field values an object must have: the text of `?fieldSelector=`, for example `status.phase=Running,metadata.name!=web`.
public struct FieldSelector: Sendable, Hashable {
    public struct Requirement: Sendable, Hashable {
        /// Dotted, as in the query.
        public var path: String
        public var isEqual: Bool
        public var value: String

        public init(path: String, isEqual: Bool, value: String) {
            self.path = path
            self.isEqual = isEqual
            self.value = value
        }
    }

    public var requirements: [Requirement]

    public init(requirements: [Requirement] = []) { self.requirements = requirements }

    public init(parsing text: String) throws(SelectorError) {
        requirements = []
        for part in text.split(separator: ",") where !part.allSatisfy(\.isWhitespace) {
            guard let sign = part.firstIndex(of: "=") else {
                throw SelectorError(message: "invalid selector: '\(text)'; can't understand '\(part)'")
            }
            var path = part[..<sign]
            var value = part[part.index(after: sign)...]
            let isEqual = path.last != "!"
            if !isEqual { path.removeLast() }
            if value.first == "=" { value.removeFirst() }
            requirements.append(
                Requirement(
                    path: String(path).trimmed, isEqual: isEqual, value: String(value).trimmed))
        }
    }

    public var isEmpty: Bool { requirements.isEmpty }

    /// A field that is absent counts as empty text.
    public func matches(_ object: KubeObject) -> Bool {
        requirements.allSatisfy { requirement in
            let value = object.value[requirement.path.split(separator: ".").map(String.init)]
            return (Self.text(of: value) == requirement.value) == requirement.isEqual
        }
    }

    private static func text(of value: JSONValue?) -> String {
        switch value {
        case .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        default: ""
        }
    }
}

extension String {
    /// The text without white space at its ends.
    var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
