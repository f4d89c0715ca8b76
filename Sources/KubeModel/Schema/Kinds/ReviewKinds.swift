/// Questions about rights that are answered at once and kept nowhere.
enum ReviewKinds {
    private static func resource(
        _ group: String, _ kind: String, isNamespaced: Bool = false
    ) -> ResourceType {
        ResourceType(
            group: group, version: "v1", kind: kind, plural: kind.lowercased() + "s", isNamespaced: isNamespaced)
    }

    private static func review(_ type: ResourceType, doc: String, _ fields: [SchemaField]) -> KindSchema {
        let package = type.group.split(separator: ".").first.map(String.init) ?? ""
        return KindSchema(
            type, root: MetadataSchemas.kind("io.k8s.api.\(package).v1.\(type.kind)", doc: doc, fields),
            verbs: ["create"])
    }

    private static let authentication = "authentication.k8s.io"
    private static let authorization = "authorization.k8s.io"

    // MARK: authentication.k8s.io

    private static let extra = Schema.map(of: .stringList)

    private static let userInfo = Schema.object(
        "io.k8s.api.authentication.v1.UserInfo", doc: "Who somebody is.",
        [
            .field("extra", extra, doc: "What else the authenticator knows."),
            .field("groups", .stringList, doc: "The groups that the user belongs to."),
            .field("uid", .string, doc: "Tells users of the same name at different times apart."),
            .field("username", .string, doc: "The name that rules refer to."),
        ])

    static let tokenReview = review(
        resource(authentication, "TokenReview"), doc: "Asks whom a token stands for.",
        [
            .field(
                "spec",
                .object(
                    "io.k8s.api.authentication.v1.TokenReviewSpec", doc: "The token in question.",
                    [
                        .field("audiences", .stringList, doc: "For whom the token should be; the API server if empty."),
                        .field("token", .string, doc: "The token itself."),
                    ]), doc: "The token in question."),
            .field(
                "status",
                .object(
                    "io.k8s.api.authentication.v1.TokenReviewStatus", doc: "What the server found out.",
                    [
                        .field("audiences", .stringList, doc: "Those of the wanted audiences that the token is for."),
                        .field("authenticated", .bool, doc: "Whether the token is good."),
                        .field("error", .string, doc: "Why the token could not be checked."),
                        .field("user", userInfo, doc: "The user behind the token."),
                    ]), doc: "What the server found out."),
        ])

    static let selfSubjectReview = review(
        resource(authentication, "SelfSubjectReview"), doc: "Asks who the asker is to the server.",
        [
            .field(
                "status",
                .object(
                    "io.k8s.api.authentication.v1.SelfSubjectReviewStatus", doc: "Who the asker is.",
                    [.field("userInfo", userInfo, doc: "The user that made the request.")]),
                doc: "Who the asker is.")
        ])

    // MARK: authorization.k8s.io

    private static func object(_ name: String, doc: String, _ fields: [SchemaField]) -> Schema {
        .object("io.k8s.api.authorization.v1.\(name)", doc: doc, fields)
    }

    private static let selectorPart = object(
        "SelectorAttributes", doc: "A selector by which the request is narrowed.",
        [
            .field("rawSelector", .string, doc: "The selector as it stands in a URL."),
            .field("requirements", .list(of: .any), doc: "The selector in its parts."),
        ])

    private static let resourceAttributes = object(
        "ResourceAttributes", doc: "An action on objects of the API.",
        [
            .field("fieldSelector", selectorPart, doc: "Narrows the action by fields."),
            .field("group", .string, doc: "The group of the resource; * for every group."),
            .field("labelSelector", selectorPart, doc: "Narrows the action by labels."),
            .field("name", .string, doc: "The one object meant; all of them if empty."),
            .field("namespace", .string, doc: "Where the action happens; everywhere if empty."),
            .field("resource", .string, doc: "The plural name of the kind; * for every kind."),
            .field("subresource", .string, doc: "The part of the object that is meant, for example log."),
            .field("verb", .string, doc: "What is to be done, for example get; * for everything."),
            .field("version", .string, doc: "The version of the group; * for every version."),
        ])

    private static let nonResourceAttributes = object(
        "NonResourceAttributes", doc: "An action on a path that is no object.",
        [
            .field("path", .string, doc: "The path of the URL."),
            .field("verb", .string, doc: "The method in lower case."),
        ])

    private static let attributes: [SchemaField] = [
        .field("nonResourceAttributes", nonResourceAttributes, doc: "The question about a path."),
        .field("resourceAttributes", resourceAttributes, doc: "The question about objects."),
    ]

    private static let subjectSpec = object(
        "SubjectAccessReviewSpec", doc: "Who wants to do what.",
        [
            .field("extra", extra, doc: "What the authenticator would know besides."),
            .field("groups", .stringList, doc: "The groups of the user."),
        ] + attributes + [
            .field("uid", .string, doc: "The uid of the user."),
            .field("user", .string, doc: "The name of the user."),
        ])

    private static let accessStatus = object(
        "SubjectAccessReviewStatus", doc: "Whether it may be done.",
        [
            .field("allowed", .bool, doc: "True: it may be done."),
            .field("denied", .bool, doc: "True: it is forbidden whatever other rules say."),
            .field("evaluationError", .string, doc: "What went wrong while rules were looked at."),
            .field("reason", .string, doc: "Which rule decided."),
        ])

    private static func access(
        _ kind: String, isNamespaced: Bool = false, doc: String, spec: Schema
    ) -> KindSchema {
        review(
            resource(authorization, kind, isNamespaced: isNamespaced), doc: doc,
            [
                .field("spec", spec, doc: "The question."),
                .field("status", accessStatus, doc: "The answer, filled in by the server."),
            ])
    }

    static let subjectAccessReview = access(
        "SubjectAccessReview", doc: "Asks whether somebody may do something.", spec: subjectSpec)
    static let localSubjectAccessReview = access(
        "LocalSubjectAccessReview", isNamespaced: true, doc: "Asks whether somebody may do something in one namespace.",
        spec: subjectSpec)
    static let selfSubjectAccessReview = access(
        "SelfSubjectAccessReview", doc: "Asks whether the asker may do something.",
        spec: object("SelfSubjectAccessReviewSpec", doc: "The question.", attributes))

    private static func rules(_ name: String, doc: String, _ fields: [SchemaField]) -> Schema {
        .list(
            of: object(
                name, doc: doc, fields + [.field("verbs", .stringList, doc: "What may be done; * for everything.")]))
    }

    static let selfSubjectRulesReview = review(
        resource(authorization, "SelfSubjectRulesReview"),
        doc: "Asks for everything that the asker may do in a namespace.",
        [
            .field(
                "spec",
                object(
                    "SelfSubjectRulesReviewSpec", doc: "The question.",
                    [.field("namespace", .string, doc: "The namespace that the question is about.")]),
                doc: "The question."),
            .field(
                "status",
                object(
                    "SubjectRulesReviewStatus", doc: "The rules that concern the asker.",
                    [
                        .field("evaluationError", .string, doc: "What went wrong while rules were looked at."),
                        .field("incomplete", .bool, doc: "True: there may be more rights than these."),
                        .field(
                            "nonResourceRules",
                            rules(
                                "NonResourceRule", doc: "Rights on paths.",
                                [
                                    .field(
                                        "nonResourceURLs", .stringList,
                                        doc: "The paths; * at the end stands for anything.")
                                ]),
                            doc: "Rights on paths."),
                        .field(
                            "resourceRules",
                            rules(
                                "ResourceRule", doc: "Rights on objects.",
                                [
                                    .field("apiGroups", .stringList, doc: "The groups of the resources."),
                                    .field("resourceNames", .stringList, doc: "The only objects meant; all if empty."),
                                    .field("resources", .stringList, doc: "The resources and their parts."),
                                ]), doc: "Rights on objects."),
                    ]), doc: "The answer, filled in by the server."),
        ])

    static let all = [
        selfSubjectReview, tokenReview, localSubjectAccessReview, selfSubjectAccessReview, selfSubjectRulesReview,
        subjectAccessReview,
    ]
}
