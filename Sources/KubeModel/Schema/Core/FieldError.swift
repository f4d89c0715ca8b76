/// One thing that is wrong with an object, at one place, in the words of Kubernetes.
public struct FieldError: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable {
        case required = "Required value"
        case invalid = "Invalid value"
        case notSupported = "Unsupported value"
        case duplicate = "Duplicate value"
        case forbidden = "Forbidden"
        case notFound = "Not found"
        case tooLong = "Too long"
        case tooMany = "Too many"
        case internalError = "Internal error"
        /// A value of the wrong JSON type, where types are judged like values (custom resources).
        case typeInvalid = "Type invalid"

        /// The words of the message.
        fileprivate var words: String { self == .typeInvalid ? Kind.invalid.rawValue : rawValue }

        /// The reason in `details.causes` of a Status.
        public var reason: String {
            switch self {
            case .required: "FieldValueRequired"
            case .invalid: "FieldValueInvalid"
            case .notSupported: "FieldValueNotSupported"
            case .duplicate: "FieldValueDuplicate"
            case .forbidden: "FieldValueForbidden"
            case .notFound: "FieldValueNotFound"
            case .tooLong: "FieldValueTooLong"
            case .tooMany: "FieldValueTooMany"
            case .internalError: "InternalError"
            case .typeInvalid: "FieldValueTypeInvalid"
            }
        }

        fileprivate var showsValue: Bool {
            switch self {
            case .required, .forbidden, .tooLong, .internalError: false
            default: true
            }
        }
    }

    public let kind: Kind
    /// For example `spec.template.spec.containers[0].image`.
    public let path: String
    /// The value as messages show it: text in quotes, numbers as they are.
    public let shownValue: String
    public let detail: String

    /// An error about a value; `shownValue` is how the message is to show it, if not as JSON.
    public init(
        _ kind: Kind, _ path: FieldPath, value: JSONValue? = nil, shownValue: String? = nil, _ detail: String = ""
    ) {
        self.kind = kind
        self.path = path.description
        self.shownValue = shownValue ?? Self.show(value)
        self.detail = detail
    }

    /// An error about a value that its message does not show.
    public init(_ kind: Kind, _ path: FieldPath, omittingValue detail: String) {
        self.init(kind, path, shownValue: "", detail)
    }

    public static func required(_ path: FieldPath, _ detail: String = "") -> FieldError {
        FieldError(.required, path, detail)
    }

    public static func invalid(_ path: FieldPath, _ value: JSONValue?, _ detail: String) -> FieldError {
        FieldError(.invalid, path, value: value, detail)
    }

    public static func forbidden(_ path: FieldPath, _ detail: String) -> FieldError {
        FieldError(.forbidden, path, detail)
    }

    public static func duplicate(_ path: FieldPath, _ value: JSONValue?) -> FieldError {
        FieldError(.duplicate, path, value: value)
    }

    public static func notSupported(_ path: FieldPath, _ value: JSONValue?, _ allowed: [String]) -> FieldError {
        let list = allowed.map { "\"\($0)\"" }.joined(separator: ", ")
        return FieldError(.notSupported, path, value: value, allowed.isEmpty ? "" : "supported values: \(list)")
    }

    public static func tooLong(_ path: FieldPath, bytesMax: Int) -> FieldError {
        FieldError(.tooLong, path, "may not be more than \(bytesMax) bytes")
    }

    /// The same complaint about a value that stands below another place.
    func moved(below place: FieldPath) -> FieldError {
        let rest = path == "<nil>" ? "" : path.hasPrefix("[") ? path : ".\(path)"
        return FieldError(kind, FieldPath(place.description + rest), shownValue: shownValue, detail)
    }

    /// The message without the place.
    public var body: String {
        var text = kind.words
        if kind.showsValue, !shownValue.isEmpty { text += ": \(shownValue)" }
        if !detail.isEmpty { text += ": \(detail)" }
        return text
    }

    /// For example `spec.replicas: Invalid value: -1: must be greater than or equal to 0`.
    public var description: String { "\(path): \(body)" }

    private static func show(_ value: JSONValue?) -> String {
        switch value {
        // Go's messages hold the word as a text.
        case nil, .null: "\"null\""
        case .string(let text): GoText.quote(text)
        case .array(let elements) where elements.allSatisfy { $0.string != nil }: GoText.list(value)
        case let value?: GoText.isTextMap(value) ? GoText.map(value) : value.text
        }
    }
}

extension Status {
    /// The answer to an object that is not valid: 422, with one cause for each error.
    public static func invalid(_ resource: ResourceType, name: String, _ errors: [FieldError]) -> Status {
        var seen: Set<String> = []
        let messages = errors.map(\.description).filter { seen.insert($0).inserted }
        let list = messages.count == 1 ? messages[0] : "[\(messages.joined(separator: ", "))]"
        let causes = errors.map { error -> JSONValue in
            ["reason": .string(error.kind.reason), "message": .string(error.body), "field": .string(error.path)]
        }
        var details: JSONValue = name.isEmpty ? [:] : ["name": .string(name)]
        if !resource.group.isEmpty { details["group"] = .string(resource.group) }
        details["kind"] = .string(resource.kind)
        details["causes"] = .array(causes)
        let qualifiedKind = resource.group.isEmpty ? resource.kind : "\(resource.kind).\(resource.group)"
        return Status(
            code: 422, reason: "Invalid", message: "\(qualifiedKind) \"\(name)\" is invalid: \(list)", details: details)
    }
}
