import CEL
import KubeModel
import ObjectStore

/// Asks the policies whether an object may be written (`ValidatingAdmissionPolicy`).
///
/// Source: Kubernetes, `apiserver/pkg/admission/plugin/policy/validating/dispatcher.go`.
extension Registry {
    /// Throws the refusal of the first policy that does not want what `request` asks for.
    ///
    /// `object` is nil for a deletion. What the server does on its own is not judged, nor are policies themselves.
    func checkPolicies(
        _ object: KubeObject?, _ request: AdmissionRequest, _ admission: inout Admission
    ) throws(Status) {
        guard request.caller != nil, !PolicyBook.resources.contains(request.resource) else { return }
        let entries = policies.entries(in: store)
        guard !entries.isEmpty else { return }
        var round = PolicyRound(
            request: PolicyRequest(request, object, in: self), facts: AdmissionFacts(store: store), catalog: catalog)
        for entry in entries { round.judge(entry) }
        admission.warnings += round.warnings
        admission.annotations += round.annotations + round.failureAnnotations
        if let denial = round.denial { throw denial }
    }
}

/// One request on its way through the policies.
private struct PolicyRound {
    let request: PolicyRequest
    let facts: AdmissionFacts
    let catalog: KindCatalog
    var warnings: [String] = []
    var annotations: [(name: String, value: String)] = []
    private var audited: [JSONValue] = []
    /// The refusal that the client is told: the first.
    private(set) var denial: Status?

    init(request: PolicyRequest, facts: AdmissionFacts, catalog: KindCatalog) {
        self.request = request
        self.facts = facts
        self.catalog = catalog
    }

    private struct Misconfiguration: Error {
        let message: String
    }

    mutating func judge(_ entry: PolicyBook.Entry) {
        let policy = entry.policy
        let meant: KindSchema?
        do throws(Status) { meant = try policy.match.kind(of: request) } catch {
            return misconfigured(policy, nil, "policy: \(error.message)")
        }
        guard let kind = meant else { return }
        var paramKind: KindSchema?
        if let wanted = policy.paramKind {
            paramKind = catalog.kind(apiVersion: wanted.apiVersion, kind: wanted.kind)
            guard paramKind != nil else {
                let name = "\(wanted.apiVersion.contains("/") ? "" : "/")\(wanted.apiVersion), Kind=\(wanted.kind)"
                return misconfigured(
                    policy, nil, "policy: failed to find resource referenced by paramKind: '\(name)'")
            }
        }
        var remarks: [(key: String, values: [String])] = []
        for binding in entry.bindings {
            do throws(Misconfiguration) {
                guard try isMeant(by: binding) else { continue }
                for params in try params(binding, paramKind) {
                    var known = request.variables(as: kind)
                    if paramKind != nil { known["params"] = params.map { Value($0.value) } ?? .null }
                    let verdict = policy.verdict(known)
                    apply(verdict, policy, binding)
                    for (key, value) in verdict.remarks { Self.note(key, value, in: &remarks) }
                }
            } catch {
                misconfigured(policy, binding, "binding: \(error.message)")
            }
        }
        for (key, values) in remarks { annotations.append(("\(policy.name)/\(key)", values.joined(separator: ", "))) }
    }

    private func isMeant(by binding: AdmissionPolicyBinding) throws(Misconfiguration) -> Bool {
        guard let match = binding.match else { return true }
        do throws(Status) { return try match.kind(of: request) != nil } catch {
            throw Misconfiguration(message: error.message)
        }
    }

    private static func note(_ key: String, _ value: String, in remarks: inout [(key: String, values: [String])]) {
        guard let place = remarks.firstIndex(where: { $0.key == key }) else { return remarks.append((key, [value])) }
        if !remarks[place].values.contains(value) { remarks[place].values.append(value) }
    }

    // MARK: Parameters

    /// The objects that hold the parameters; one nil where there are none to look for.
    private func params(
        _ binding: AdmissionPolicyBinding, _ kind: KindSchema?
    ) throws(Misconfiguration) -> [KubeObject?] {
        guard let kind, let ref = binding.params else { return [nil] }
        var namespace: String?
        if kind.resource.isNamespaced {
            let own = request.kind.resource.isNamespaced ? request.namespace : ""
            namespace = ref.namespace.isEmpty ? own : ref.namespace
            guard namespace?.isEmpty == false else {
                throw Misconfiguration(
                    message: "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
            }
        } else if !ref.namespace.isEmpty {
            throw Misconfiguration(
                message: "paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        }
        let found: [KubeObject]
        if ref.name.isEmpty {
            let range: KeyRange =
                namespace.map { .namespace(resource: kind.storeName, namespace: $0) }
                ?? .all(resource: kind.storeName)
            let selector = ref.selector ?? LabelSelector()
            found = ((try? facts.store.list(range).items) ?? []).map { kind.served($0.object) }
                .filter { selector.matches($0.labels) }
        } else {
            let key = StoreKey(resource: kind.storeName, namespace: namespace, name: ref.name)
            found = facts.store.get(key).map { [kind.served($0.object)] } ?? []
        }
        guard !found.isEmpty || !ref.isNeeded else {
            throw Misconfiguration(
                message: "no params found for policy binding with `Deny` parameterNotFoundAction")
        }
        return found
    }

    // MARK: Consequences

    private mutating func misconfigured(
        _ policy: AdmissionPolicy, _ binding: AdmissionPolicyBinding?, _ why: String
    ) {
        if !policy.ignoresFailures { deny(policy, binding, "failed to configure \(why)", reason: "Invalid") }
    }

    private mutating func apply(
        _ verdict: AdmissionPolicy.Verdict, _ policy: AdmissionPolicy, _ binding: AdmissionPolicyBinding
    ) {
        for failure in verdict.failures {
            for action in binding.actions {
                switch action {
                case "Deny": deny(policy, binding, failure.message, reason: failure.reason)
                case "Warn":
                    warnings.append(
                        "Validation failed for ValidatingAdmissionPolicy '\(policy.name)' with binding "
                            + "'\(binding.name)': \(failure.message)")
                case "Audit": note(failure, policy, binding)
                default: continue
                }
            }
        }
        for error in verdict.errors { deny(policy, binding, error, reason: "Invalid") }
    }

    /// All that the audit event is to know of, in one list.
    var failureAnnotations: [(name: String, value: String)] {
        if audited.isEmpty { return [] }
        let value = JSONValue.array(audited)
        return [("validation.policy.admission.k8s.io/validation_failure", value.text)]
    }

    private mutating func note(
        _ failure: AdmissionPolicy.Verdict.Failure, _ policy: AdmissionPolicy, _ binding: AdmissionPolicyBinding
    ) {
        audited.append([
            "message": .string(failure.message), "policy": .string(policy.name), "binding": .string(binding.name),
            "expressionIndex": JSONValue(failure.index),
            "validationActions": .array(binding.actions.map(JSONValue.string)),
        ])
    }

    private static let codes = ["Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413]

    private mutating func deny(
        _ policy: AdmissionPolicy, _ binding: AdmissionPolicyBinding?, _ why: String, reason: String
    ) {
        guard denial == nil else { return }
        let by = binding.map { " with binding '\($0.name)'" } ?? ""
        let message = "ValidatingAdmissionPolicy '\(policy.name)'\(by) denied request: \(why)"
        var status = Status.forbidden(
            request.kind.resource, request.name, message, causes: [["message": .string(message)]])
        status.reason = reason
        status.code = Self.codes[reason] ?? 422
        denial = status
    }
}
