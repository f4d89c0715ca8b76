/// The API's answer when something could not be done: an HTTP code, a reason for programs, a message for people.
///
/// API conventions, "Response Status Kind".
public struct Status: Error, Sendable, Hashable {
    public var code: Int
    /// For example `NotFound`, `Conflict`, `Invalid`.
    public var reason: String
    public var message: String
    /// `details` of the Status object: name, group, kind, causes, retryAfterSeconds.
    public var details: JSONValue?
    /// Where an expired list can go on, at the price of an inconsistent whole (`metadata.continue`).
    public var continueToken: String?

    public init(
        code: Int, reason: String, message: String, details: JSONValue? = nil, continueToken: String? = nil
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.continueToken = continueToken
    }

    /// The `v1.Status` object that goes over the wire.
    public var value: JSONValue {
        var value: JSONValue = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure",
            "message": .string(message),
        ]
        if let continueToken { value["metadata"] = ["continue": .string(continueToken)] }
        if !reason.isEmpty { value["reason"] = .string(reason) }
        if let details { value["details"] = details }
        value["code"] = JSONValue(code)
        return value
    }

    /// Reads a `v1.Status` object with status `Failure`; nil for anything else.
    public init?(_ value: JSONValue) {
        guard value["kind"]?.string == "Status", value["status"]?.string != "Success" else { return nil }
        self.init(
            code: value["code"]?.int ?? 500, reason: value["reason"]?.string ?? "Unknown",
            message: value["message"]?.string ?? "", details: value["details"],
            continueToken: value[["metadata", "continue"]]?.string)
    }

    public var isNotFound: Bool { code == 404 && reason == "NotFound" }
    public var isConflict: Bool { reason == "Conflict" }
    public var isAlreadyExists: Bool { reason == "AlreadyExists" }
    /// The revision asked for is no longer in the history: list again.
    public var isExpired: Bool { code == 410 }
}

extension Status: CustomStringConvertible {
    public var description: String { message.isEmpty ? "\(reason) (\(code))" : message }
}
