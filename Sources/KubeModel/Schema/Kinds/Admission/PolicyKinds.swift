extension ResourceType {
    /// Rules in CEL that decide which objects may be written.
    public static let validatingAdmissionPolicies = ResourceType(
        group: "admissionregistration.k8s.io", version: "v1", kind: "ValidatingAdmissionPolicy",
        plural: "validatingadmissionpolicies", isNamespaced: false)
    /// Where policies hold, and with which parameters.
    public static let validatingAdmissionPolicyBindings = ResourceType(
        group: "admissionregistration.k8s.io", version: "v1", kind: "ValidatingAdmissionPolicyBinding",
        plural: "validatingadmissionpolicybindings", isNamespaced: false)
}

private let package = AdmissionSchemas.package

private let validation = Schema.object(
    package + "Validation", doc: "One expression that must be true.",
    [
        .field(
            "expression", .string, keepsZero: true,
            doc: "The expression in CEL; object, oldObject, request, params, namespaceObject, variables and authorizer "
                + "are known."),
        .field("message", .string, doc: "What is said when the expression is not true."),
        .field("messageExpression", .string, doc: "An expression that makes the message."),
        .field("reason", .string, doc: "Unauthorized, Forbidden, Invalid or RequestEntityTooLarge."),
    ])

private let auditAnnotation = Schema.object(
    package + "AuditAnnotation", doc: "A remark for the audit event of the request.",
    [
        .field("key", .string, keepsZero: true, doc: "The name of the remark, below the name of the policy."),
        .field("valueExpression", .string, keepsZero: true, doc: "An expression that makes the remark, or null."),
    ])

private let variable = Schema.object(
    package + "Variable", doc: "An expression with a name.",
    [
        .field("expression", .string, keepsZero: true, doc: "The expression."),
        .field("name", .string, keepsZero: true, doc: "The name; others reach the value as variables.NAME."),
    ])

private let paramKind = Schema.object(
    package + "ParamKind", doc: "The kind of the objects that hold parameters.",
    [
        .field("apiVersion", .string, doc: "The group and version of the kind."),
        .field("kind", .string, doc: "The kind."),
    ])

private let spec = Schema.object(
    package + "ValidatingAdmissionPolicySpec", doc: "What the policy demands, and of which requests.",
    [
        .field("auditAnnotations", .list(of: auditAnnotation), doc: "Remarks for audit events."),
        .field(
            "failurePolicy", .string, default: "Fail",
            doc: "What becomes of requests when an expression cannot be evaluated: Fail or Ignore."),
        .field(
            "matchConditions", .list(of: AdmissionSchemas.condition, keys: ["name"]),
            doc: "Conditions that requests must meet."),
        .field("matchConstraints", AdmissionSchemas.matchResources, doc: "Which requests the policy is about."),
        .field("paramKind", paramKind, doc: "The kind of the objects that hold parameters."),
        .field("validations", .list(of: validation), doc: "The expressions that must be true."),
        .field(
            "variables", .list(of: variable, keys: ["name"]),
            doc: "Expressions that others can use; each knows those before it."),
    ])

private let status = Schema.object(
    package + "ValidatingAdmissionPolicyStatus", doc: "What the server found in the policy.",
    [
        .field(
            "conditions",
            .list(of: MetadataSchemas.condition, keys: ["type"]), doc: "The state of the policy."),
        .field("observedGeneration", .int64, doc: "The generation that was looked at."),
        .field(
            "typeChecking",
            .object(
                package + "TypeChecking", doc: "Whether the expressions fit the types that the policy names.",
                [
                    .field(
                        "expressionWarnings",
                        .list(
                            of: .object(
                                package + "ExpressionWarning", doc: "An expression that does not fit.",
                                [
                                    .field("fieldRef", .string, keepsZero: true, doc: "Where the expression stands."),
                                    .field("warning", .string, keepsZero: true, doc: "What does not fit, by type."),
                                ])),
                        doc: "What does not fit.")
                ]),
            doc: "Whether the expressions fit the types that the policy names."),
    ])

private let paramRef = Schema.object(
    package + "ParamRef", doc: "Which objects hold the parameters; by name or by labels.",
    [
        .field("name", .string, doc: "The name of the object."),
        .field("namespace", .string, doc: "Its namespace; that of the request when it is not given."),
        .field("parameterNotFoundAction", .string, doc: "What happens when there is none: Allow or Deny."),
        .field("selector", LabelSelectorSchema.selector, doc: "Selects objects; the policy must hold with each."),
    ])

extension KindSchema {
    /// Rules in CEL that decide which objects may be written.
    static let validatingAdmissionPolicy = KindSchema(
        .validatingAdmissionPolicies, categories: ["api-extensions"],
        root: MetadataSchemas.kind(
            package + "ValidatingAdmissionPolicy", doc: "Rules in CEL that decide which objects may be written.",
            [
                .field("spec", spec, doc: "What the policy demands, and of which requests."),
                .field("status", status, doc: "What the server found in the policy."),
            ]),
        subresources: ["status"],
        columns: [
            .name,
            .computed("Validations", type: "integer", "How many expressions must be true.") { object, _ in
                JSONValue((object.value["spec"] ?? [:]).list("validations").count)
            },
            .computed("ParamKind", "The kind of the objects that hold parameters.") { object, _ in
                guard let kind = object.value[["spec", "paramKind"]] else { return "<unset>" }
                return .string("\(kind["apiVersion"]?.string ?? "")/\(kind["kind"]?.string ?? "")")
            },
            .age,
        ],
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.validate = { PolicyRules.check($0, &$1) }
        })

    /// Where policies hold, and with which parameters.
    static let validatingAdmissionPolicyBinding = KindSchema(
        .validatingAdmissionPolicyBindings, categories: ["api-extensions"],
        root: MetadataSchemas.kind(
            package + "ValidatingAdmissionPolicyBinding", doc: "Puts a policy into force.",
            [
                .field(
                    "spec",
                    .object(
                        package + "ValidatingAdmissionPolicyBindingSpec", doc: "Where which policy holds.",
                        [
                            .field("matchResources", AdmissionSchemas.matchResources, doc: "Narrows the policy down."),
                            .field("paramRef", paramRef, doc: "The parameters of the policy."),
                            .field("policyName", .string, doc: "The name of the policy."),
                            .field(
                                "validationActions", .stringSet,
                                doc: "What follows when an expression is not true: Deny, Warn, Audit."),
                        ]),
                    doc: "Where which policy holds.")
            ]),
        columns: [
            .name,
            .computed("PolicyName", "The name of the policy.") { object, _ in
                object.value[["spec", "policyName"]] ?? ""
            },
            .computed("ParamRef", "The parameters of the policy.") { object, _ in
                guard let ref = object.value[["spec", "paramRef"]] else { return "<unset>" }
                guard let name = ref["name"]?.string, !name.isEmpty else { return "*/*" }
                return .string("\(ref["namespace"]?.string ?? "*")/\(name)")
            },
            .age,
        ],
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.validate = { PolicyRules.checkBinding($0.value["spec"] ?? [:], FieldPath("spec"), &$1) }
        })
}
