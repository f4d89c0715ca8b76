import KubeClient
import KubeModel

extension LogOptions {
    /// Reads the parameters of `pods/NAME/log`; 422 for numbers that cannot be.
    init(_ query: Query) throws(Status) {
        self.init(
            container: query["container"], isFollowing: query.flag("follow"), isPrevious: query.flag("previous"),
            tailLines: query.int("tailLines"), limitBytes: query.int("limitBytes"),
            sinceSeconds: query.int("sinceSeconds"),
            sinceTime: query["sinceTime"].flatMap(Timestamp.init(parsing:)), hasTimestamps: query.flag("timestamps"))
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
}
