import KubeClient
import KubeModel

extension LogOptions {
    /// Reads the parameters of `pods/NAME/log`; 400 for what is no number or time, 422 for numbers that cannot be.
    init(_ query: Query) throws(Status) {
        self.init(
            container: query["container"], isFollowing: query.flag("follow"), isPrevious: query.flag("previous"),
            tailLines: try Self.number("tailLines", query), limitBytes: try Self.number("limitBytes", query),
            sinceSeconds: try Self.number("sinceSeconds", query),
            sinceTime: try Self.time("sinceTime", query), hasTimestamps: query.flag("timestamps"))
        var errors: [FieldError] = []
        func check(_ name: String, _ value: Int?, isPositive: Bool) {
            guard let value, value < (isPositive ? 1 : 0) else { return }
            let bound = isPositive ? "must be greater than 0" : "must be greater than or equal to 0"
            errors.append(.invalid(FieldPath(name), JSONValue(value), bound))
        }
        check("tailLines", tailLines, isPositive: false)
        check("limitBytes", limitBytes, isPositive: true)
        check("sinceSeconds", sinceSeconds, isPositive: true)
        if sinceSeconds != nil, sinceTime != nil {
            errors.append(
                .forbidden(FieldPath.root.child(""), "at most one of `sinceTime` or `sinceSeconds` may be specified"))
        }
        guard errors.isEmpty else {
            throw .invalid(
                ResourceType(group: "", version: "v1", kind: "PodLogOptions", plural: ""), name: "", errors)
        }
    }

    private static func number(_ name: String, _ query: Query) throws(Status) -> Int? {
        guard let text = query[name] else { return nil }
        guard let number = Int(text) else {
            let isNumber = !text.isEmpty && text.drop { $0 == "-" || $0 == "+" }.allSatisfy(\.isNumber)
            let why = isNumber ? "value out of range" : "invalid syntax"
            throw .badRequest("strconv.ParseInt: parsing \"\(text)\": \(why)")
        }
        return number
    }

    private static func time(_ name: String, _ query: Query) throws(Status) -> Timestamp? {
        guard let text = query[name], !text.isEmpty, text != "null" else { return nil }
        guard let time = Timestamp(parsing: text) else {
            throw .badRequest(
                "parsing time \"\(text)\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"\(text)\" as \"2006\"")
        }
        return time
    }
}
