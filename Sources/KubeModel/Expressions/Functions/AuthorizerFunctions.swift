public import CEL

/// A question to the authorizer, as it is built up: `authorizer.group('apps').resource('deployments').check('create')`.
///
/// Source: Kubernetes, `apiserver/pkg/cel/library/authz.go`.
public struct AuthorizerValue: OpaqueValue {
    /// What a question is about.
    public struct Question: Sendable, Hashable {
        /// Set instead of everything else for a path that is no object.
        public var path: String?
        public var group = ""
        public var resource = ""
        public var subresource = ""
        public var namespace = ""
        public var name = ""
        /// Selectors of the objects that are meant; roles know none, so that they decide nothing here.
        public var fieldSelector = ""
        public var labelSelector = ""
        /// The service account for which it is asked; nil for who makes the request.
        public var serviceAccount: String?
        public var verb = ""

        public init() {}
    }

    /// What the authorizer says.
    public struct Answer: Sendable, Hashable {
        public let isAllowed: Bool
        public let reason: String

        public init(isAllowed: Bool, reason: String) {
            self.isAllowed = isAllowed
            self.reason = reason
        }
    }

    public typealias Decide = @Sendable (Question) -> Answer

    let stage: Stage
    let question: Question
    let decide: Decide

    enum Stage: String {
        case authorizer = "kubernetes.authorization.Authorizer"
        case path = "kubernetes.authorization.PathCheck"
        case group = "kubernetes.authorization.GroupCheck"
        case resource = "kubernetes.authorization.ResourceCheck"
    }

    /// The variable `authorizer`; or, with a question, one about the request's own resource.
    public init(_ question: Question? = nil, decide: @escaping Decide) {
        stage = question == nil ? .authorizer : .resource
        self.question = question ?? Question()
        self.decide = decide
    }

    private init(_ stage: Stage, _ question: Question, _ decide: @escaping Decide) {
        self.stage = stage
        self.question = question
        self.decide = decide
    }

    public var typeName: String { stage.rawValue }

    public func isEqual(to other: any OpaqueValue) -> Bool {
        guard let other = other as? AuthorizerValue else { return false }
        return other.stage == stage && other.question == question
    }

    func with(_ stage: Stage, _ change: (inout Question) -> Void) -> AuthorizerValue {
        var question = question
        change(&question)
        return AuthorizerValue(stage, question, decide)
    }

    static let authorizerType = ValueType.opaque(Stage.authorizer.rawValue)
    static let resourceType = ValueType.opaque(Stage.resource.rawValue)
}

struct DecisionValue: OpaqueValue {
    let answer: AuthorizerValue.Answer

    var typeName: String { "kubernetes.authorization.Decision" }
    static let type = ValueType.opaque("kubernetes.authorization.Decision")

    func isEqual(to other: any OpaqueValue) -> Bool { (other as? DecisionValue)?.answer == answer }
}

enum AuthorizerFunctions {
    private typealias Stage = AuthorizerValue.Stage

    private static func type(_ stage: Stage) -> ValueType { .opaque(stage.rawValue) }

    static let all: [Function] = [
        step("path", from: .authorizer, to: .path, mayBeBlank: false) { $0.path = $1 },
        step("group", from: .authorizer, to: .group) { $0.group = $1 },
        step("resource", from: .group, to: .resource, mayBeBlank: false) { $0.resource = $1 },
        step("subresource", from: .resource, to: .resource) { $0.subresource = $1 },
        step("namespace", from: .resource, to: .resource) { $0.namespace = $1 },
        step("name", from: .resource, to: .resource) { $0.name = $1 },
        step("fieldSelector", from: .resource, to: .resource) { $0.fieldSelector = $1 },
        step("labelSelector", from: .resource, to: .resource) { $0.labelSelector = $1 },
        Function(
            "serviceAccount",
            [
                .member("authorizer_service_account", [type(.authorizer), .string, .string], type(.authorizer)) {
                    arguments throws(EvaluationError) in
                    let (namespace, account) = (arguments[1].string ?? "", arguments[2].string ?? "")
                    guard NameSyntax.dnsSubdomain(account).isEmpty else {
                        throw EvaluationError("Invalid service account name")
                    }
                    guard NameSyntax.dnsLabel(namespace).isEmpty else {
                        throw EvaluationError("Invalid service account namespace")
                    }
                    let name = "system:serviceaccount:\(namespace):\(account)"
                    return .opaque(try value(arguments[0]).with(.authorizer) { $0.serviceAccount = name })
                }
            ]),
        Function(
            "check",
            [Stage.path, .resource].map { stage in
                .member("\(stage)_check", [type(stage), .string], DecisionValue.type) {
                    arguments throws(EvaluationError) in
                    let asked = try value(arguments[0]).with(stage) { $0.verb = arguments[1].string ?? "" }
                    return .opaque(DecisionValue(answer: asked.decide(asked.question)))
                }
            }),
        part("allowed", .bool) { .bool($0.isAllowed) },
        part("reason", .string) { .string($0.reason) },
        // Roles are looked up in memory here, which cannot fail.
        part("errored", .bool) { _ in .bool(false) },
        part("error", .string) { _ in .string("") },
    ]

    private static func value(_ value: Value) throws(EvaluationError) -> AuthorizerValue {
        guard let authorizer = value.opaque(AuthorizerValue.self) else { throw EvaluationError("no such overload") }
        return authorizer
    }

    private static func step(
        _ name: String, from: Stage, to: Stage, mayBeBlank: Bool = true,
        _ change: @escaping @Sendable (inout AuthorizerValue.Question, String) -> Void
    ) -> Function {
        Function(
            name,
            [
                .member("\(from)_\(name)", [type(from), .string], type(to)) { arguments throws(EvaluationError) in
                    let text = arguments[1].string ?? ""
                    guard mayBeBlank || !text.allSatisfy(\.isWhitespace) else {
                        throw EvaluationError("\(name) must not be empty")
                    }
                    return .opaque(try value(arguments[0]).with(to) { change(&$0, text) })
                }
            ])
    }

    private static func part(
        _ name: String, _ result: ValueType, _ body: @escaping @Sendable (AuthorizerValue.Answer) -> Value
    ) -> Function {
        Function(
            name,
            [
                .member("decision_\(name)", [DecisionValue.type], result) { arguments throws(EvaluationError) in
                    guard let decision = arguments[0].opaque(DecisionValue.self) else {
                        throw EvaluationError("no such overload")
                    }
                    return body(decision.answer)
                }
            ])
    }
}
