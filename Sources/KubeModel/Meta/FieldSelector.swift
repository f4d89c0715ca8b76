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

    /// Reads the text of a query; `\,`, `\=` and `\\` stand for themselves in values.
    public init(parsing text: String) throws(SelectorError) {
        requirements = []
        for term in Self.terms(text).sorted() where !term.isEmpty {
            guard
                let sign = term.firstIndex(where: { $0 == "=" || $0 == "!" }).flatMap({ Self.sign(in: term, from: $0) })
            else { throw SelectorError(message: "invalid selector: '\(text)'; can't understand '\(term)'") }
            requirements.append(
                Requirement(
                    path: String(term[..<sign.start]), isEqual: sign.isEqual,
                    value: try Self.unescaped(term[sign.end...])))
        }
    }

    /// The parts between commas that no backslash stands before.
    private static func terms(_ text: String) -> [String] {
        var terms: [String] = [""]
        var isEscaped = false
        for character in text {
            if character == ",", !isEscaped {
                terms.append("")
            } else {
                terms[terms.count - 1].append(character)
            }
            isEscaped = character == "\\" && !isEscaped
        }
        return terms
    }

    private typealias Sign = (start: String.Index, end: String.Index, isEqual: Bool)

    /// The first `!=`, `==` or `=` at or after a place.
    private static func sign(in term: String, from start: String.Index) -> Sign? {
        var place = start
        while place < term.endIndex {
            let rest = term[place...]
            for (sign, isEqual) in [("!=", false), ("==", true), ("=", true)] where rest.hasPrefix(sign) {
                return (place, term.index(place, offsetBy: sign.count), isEqual)
            }
            place = term.index(after: place)
        }
        return nil
    }

    private static func unescaped(_ text: Substring) throws(SelectorError) -> String {
        var value = ""
        var isEscaped = false
        for character in text.unicodeScalars {
            if isEscaped {
                guard "\\,=".unicodeScalars.contains(character) else {
                    throw SelectorError(message: "invalid field selector: invalid escape sequence: \\\(character)")
                }
                value.unicodeScalars.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "," || character == "=" {
                throw SelectorError(
                    message: "invalid field selector: unescaped character in value: \(character.value)")
            } else {
                value.unicodeScalars.append(character)
            }
        }
        if isEscaped { throw SelectorError(message: "invalid field selector: invalid escape sequence: \\") }
        return value
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
