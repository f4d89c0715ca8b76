/// Types that requests and answers are made of, besides the objects themselves.
enum ExchangeSchemas {
    private static let meta = "io.k8s.apimachinery.pkg.apis.meta.v1."

    static let patch = Schema.object(
        meta + "Patch", doc: "A change of an object; its content type says how to read it.", [])

    private static let preconditions = Schema.object(
        meta + "Preconditions", doc: "What must hold of an object before it is deleted.",
        [
            .field("resourceVersion", .string, doc: "The revision that the object must have."),
            .field("uid", .string, doc: "The UID that the object must have."),
        ])

    static let deleteOptions = Schema.object(
        meta + "DeleteOptions", doc: "How an object is to be deleted.",
        [
            .field("apiVersion", .string, doc: "The version of the API in which this is written."),
            .field("dryRun", .stringList, doc: "All: everything is done but storing."),
            .field("gracePeriodSeconds", .int64, doc: "Seconds that the object gets to end; 0 is at once."),
            .field("kind", .string, doc: "What this is: DeleteOptions."),
            .field("orphanDependents", .bool, doc: "An older way to say propagationPolicy Orphan."),
            .field("preconditions", preconditions, doc: "What must hold of the object before it is deleted."),
            .field(
                "propagationPolicy", .string,
                doc: "What becomes of objects that belong to this one: Orphan, Background or Foreground."),
        ])

    private static let cause = Schema.object(
        meta + "StatusCause", doc: "One thing that is wrong.",
        [
            .field("field", .string, doc: "The field that is wrong, as a path."),
            .field("message", .string, doc: "What is wrong, for people."),
            .field("reason", .string, doc: "What is wrong, in one word."),
        ])

    private static let details = Schema.object(
        meta + "StatusDetails", doc: "What a status is about.",
        [
            .field("causes", .list(of: cause), doc: "Everything that is wrong."),
            .field("group", .string, doc: "The group of the object."),
            .field("kind", .string, doc: "The resource of the object."),
            .field("name", .string, doc: "The name of the object."),
            .field("retryAfterSeconds", .int32, doc: "When it makes sense to ask again."),
            .field("uid", .string, doc: "The UID of the object."),
        ])

    static let status = Schema.object(
        meta + "Status", doc: "How a request ended that does not answer with an object.",
        [
            .field("apiVersion", .string, doc: "The version of the API in which this is written."),
            .field("code", .int32, doc: "The HTTP status code."),
            .field("details", details, doc: "What the status is about."),
            .field("kind", .string, doc: "What this is: Status."),
            .field("message", .string, doc: "What happened, for people."),
            .field("metadata", MetadataSchemas.listMetadata, doc: "Where the server stands in history."),
            .field("reason", .string, doc: "Why the request failed, in one word."),
            .field("status", .string, doc: "Success or Failure."),
        ])

    static let all = [patch, deleteOptions, status]
}
