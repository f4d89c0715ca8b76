import KubeModel

/// The parameters of a list or a watch, read and checked as Kubernetes does (`meta.k8s.io` ListOptions).
struct ListParameters: Sendable, Equatable {
    var labelSelector: String?
    var fieldSelector: String?
    var isWatch: Bool
    var allowsBookmarks: Bool
    var resourceVersion: String
    /// `NotOlderThan`, `Exact` or empty.
    var match: String
    var timeoutSeconds: Int?
    var limit: Int
    var continueToken: String
    var sendsInitialEvents: Bool?

    /// 400 for what is not a number, 422 for parameters that do not go together.
    init(_ query: Query) throws(Status) {
        labelSelector = query["labelSelector"]
        fieldSelector = query["fieldSelector"]
        isWatch = query.flag("watch")
        allowsBookmarks = query.flag("allowWatchBookmarks")
        resourceVersion = query["resourceVersion"] ?? ""
        match = query["resourceVersionMatch"] ?? ""
        timeoutSeconds = try Self.number(query["timeoutSeconds"])
        limit = try Self.number(query["limit"]) ?? 0
        continueToken = query["continue"] ?? ""
        sendsInitialEvents = query.optionalFlag("sendInitialEvents")
        // A watch from the beginning is one that wants the present objects first.
        if isWatch, sendsInitialEvents == nil, match.isEmpty, resourceVersion.isEmpty || resourceVersion == "0" {
            sendsInitialEvents = true
            match = "NotOlderThan"
        }
        let errors = isWatch ? watchErrors : listErrors
        guard errors.isEmpty else {
            let options = ResourceType(group: "meta.k8s.io", version: "v1", kind: "ListOptions", plural: "")
            throw .invalid(options, name: "", errors)
        }
    }

    static func number(_ text: String?) throws(Status) -> Int? {
        guard let text else { return nil }
        if let number = Int(text) { return number }
        let digits = text.first == "-" || text.first == "+" ? text.dropFirst() : text[...]
        let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        throw .badRequest(
            "strconv.ParseInt: parsing \"\(text)\": \(isNumber ? "value out of range" : "invalid syntax")")
    }

    private static let matchPath = FieldPath("resourceVersionMatch")
    private static let initialEventsPath = FieldPath("sendInitialEvents")

    private var listErrors: [FieldError] {
        var errors: [FieldError] = []
        if !match.isEmpty {
            if resourceVersion.isEmpty {
                errors.append(
                    .forbidden(
                        Self.matchPath, "resourceVersionMatch is forbidden unless resourceVersion is provided"))
            }
            if !continueToken.isEmpty {
                errors.append(
                    .forbidden(Self.matchPath, "resourceVersionMatch is forbidden when continue is provided"))
            }
            if match != "Exact", match != "NotOlderThan" {
                errors.append(.notSupported(Self.matchPath, .string(match), ["Exact", "NotOlderThan", ""]))
            }
            if match == "Exact", resourceVersion == "0" {
                errors.append(
                    .forbidden(
                        Self.matchPath,
                        "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""))
            }
        }
        if sendsInitialEvents != nil {
            errors.append(.forbidden(Self.initialEventsPath, "sendInitialEvents is forbidden for list"))
        }
        return errors
    }

    private var watchErrors: [FieldError] {
        var errors: [FieldError] = []
        if sendsInitialEvents != nil, match != "NotOlderThan" {
            errors.append(
                .forbidden(Self.matchPath, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
        }
        guard !match.isEmpty else { return errors }
        if sendsInitialEvents == nil {
            errors.append(
                .forbidden(
                    Self.matchPath,
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"))
        }
        if match != "NotOlderThan" {
            errors.append(.notSupported(Self.matchPath, .string(match), ["NotOlderThan"]))
        }
        if !continueToken.isEmpty {
            errors.append(.forbidden(Self.matchPath, "resourceVersionMatch is forbidden when continue is provided"))
        }
        return errors
    }
}
