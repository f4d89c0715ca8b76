import KubeModel
import ObjectStore

/// The answers of the API when something could not be done, one function for each, in the words that people know.
extension Status {
    private static func details(_ resource: ResourceType, name: String? = nil) -> JSONValue {
        var details: JSONValue = [:]
        if let name { details["name"] = .string(name) }
        if !resource.group.isEmpty { details["group"] = .string(resource.group) }
        details["kind"] = .string(resource.plural)
        return details
    }

    static func notFound(_ resource: ResourceType, _ name: String) -> Status {
        Status(
            code: 404, reason: "NotFound", message: "\(resource.qualifiedPlural) \"\(name)\" not found",
            details: details(resource, name: name))
    }

    /// The path names no resource that is served.
    static let unknownResource = Status(
        code: 404, reason: "NotFound", message: "the server could not find the requested resource", details: [:])

    static func alreadyExists(_ resource: ResourceType, _ name: String) -> Status {
        Status(
            code: 409, reason: "AlreadyExists", message: "\(resource.qualifiedPlural) \"\(name)\" already exists",
            details: details(resource, name: name))
    }

    /// The name is taken, by an object that may be on its way out.
    static func alreadyExists(_ resource: ResourceType, _ present: KubeObject) -> Status {
        var status = alreadyExists(resource, present.name)
        if present.isBeingDeleted { status.message = "object is being deleted: \(status.message)" }
        return status
    }

    static func conflict(_ resource: ResourceType, _ name: String, _ why: String) -> Status {
        Status(
            code: 409, reason: "Conflict",
            message: "Operation cannot be fulfilled on \(resource.qualifiedPlural) \"\(name)\": \(why)",
            details: details(resource, name: name))
    }

    /// Somebody else changed the object since the revision that the writer knew.
    static func modified(_ resource: ResourceType, _ name: String) -> Status {
        conflict(
            resource, name,
            "the object has been modified; please apply your changes to the latest version and try again")
    }

    static func forbidden(_ resource: ResourceType, _ name: String, _ why: String, causes: [JSONValue] = []) -> Status {
        var details = details(resource, name: name)
        if !causes.isEmpty { details["causes"] = .array(causes) }
        return Status(
            code: 403, reason: "Forbidden", message: "\(resource.qualifiedPlural) \"\(name)\" is forbidden: \(why)",
            details: details)
    }

    static func badRequest(_ message: String) -> Status { Status(code: 400, reason: "BadRequest", message: message) }

    static let unauthorized = Status(code: 401, reason: "Unauthorized", message: "Unauthorized")

    static let methodNotAllowed = Status(
        code: 405, reason: "MethodNotAllowed",
        message: "the server does not allow this method on the requested resource", details: [:])

    static let notAcceptable = Status(
        code: 406, reason: "NotAcceptable",
        message: "only the following media types are accepted: application/json, application/yaml")

    /// An answer that cannot be brought into the form that is wanted.
    static func notAcceptable(_ message: String) -> Status {
        Status(code: 406, reason: "NotAcceptable", message: message)
    }

    static let streamNotAcceptable = Status(
        code: 406, reason: "NotAcceptable",
        message: "only the following media types are accepted: application/json;stream=watch")

    static func unsupportedMediaType(accepted: [String]) -> Status {
        let list = accepted.joined(separator: ", ")
        return Status(
            code: 415, reason: "UnsupportedMediaType",
            message: "the body of the request was in an unknown format - accepted media types include: \(list)")
    }

    static func tooLarge(bytesMax: Int) -> Status {
        Status(
            code: 413, reason: "RequestEntityTooLarge",
            message: "Request entity too large: limit is \(bytesMax)")
    }

    static let tooManyRequests = Status(
        code: 429, reason: "TooManyRequests",
        message: "the server has received too many requests and has asked us to try again later",
        details: ["retryAfterSeconds": 1])

    /// A JSON patch that does not fit its object; the reason is not told, as in Kubernetes.
    static let unprocessable = Status(
        code: 422, reason: "Invalid", message: "the server rejected our request due to an error in our request",
        details: [:])

    static func expired(_ message: String) -> Status { Status(code: 410, reason: "Expired", message: message) }

    /// A revision that the server has not reached yet.
    static func tooLargeRevision(_ wanted: Int64, current: Revision) -> Status {
        Status(
            code: 504, reason: "Timeout",
            message: "Timeout: Too large resource version: \(wanted), current: \(current.rawValue)",
            details: [
                "causes": [["reason": "ResourceVersionTooLarge", "message": "Too large resource version"]],
                "retryAfterSeconds": 1,
            ])
    }

    static func internalError(_ message: String) -> Status {
        Status(
            code: 500, reason: "InternalError", message: "Internal error occurred: \(message)",
            details: ["causes": [["message": .string(message)]]])
    }

    /// The answer to a request that the client itself has given up.
    static let cancelled = Status(code: 499, reason: "Cancelled", message: "the request was cancelled")

    /// What the store said, as the API says it of the object `name` (or of the list, when nil).
    static func answer(to error: StoreError, _ resource: ResourceType, name: String? = nil) -> Status {
        switch error {
        case .exists: alreadyExists(resource, name ?? "")
        case .notFound: notFound(resource, name ?? "")
        case .conflict: modified(resource, name ?? "")
        case .compacted:
            expired("The resourceVersion for the provided list is too old.")
        case .future(let current): tooLargeRevision(current.rawValue + 1, current: current)
        case .cancelled: cancelled
        case .io(let message): internalError(message)
        }
    }
}

/// The `v1.Status` object of an action that succeeded.
enum SuccessStatus {
    /// The answer to a DELETE that left nothing behind.
    static func deleted(_ resource: ResourceType, _ object: KubeObject) -> JSONValue {
        var details: JSONValue = ["name": .string(object.name)]
        if !resource.group.isEmpty { details["group"] = .string(resource.group) }
        details["kind"] = .string(resource.plural)
        details["uid"] = .string(object.uid)
        var value = base
        value["details"] = details
        return value
    }

    /// The answer to a POST that made something happen but made no object.
    static var created: JSONValue {
        var value = base
        value["code"] = 201
        return value
    }

    private static var base: JSONValue {
        ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success"]
    }
}
