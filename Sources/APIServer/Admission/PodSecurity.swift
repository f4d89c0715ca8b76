import KubeModel
import ObjectStore

/// Pods keep to the security level of their namespace (`Pod Security Admission`).
enum PodSecurity {
    private static let prefix = "pod-security.kubernetes.io/"

    enum Level: String, Comparable {
        case privileged, baseline, restricted

        private var rank: Int { self == .privileged ? 0 : self == .baseline ? 1 : 2 }
        static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
    }

    /// A level as of a version of Kubernetes; reads as `restricted:latest`.
    struct Standard: Equatable, CustomStringConvertible {
        var level = Level.privileged
        /// The minor version; nil is the latest.
        var minor: Int?

        var description: String { "\(level.rawValue):\(minor.map { "v1.\($0)" } ?? "latest")" }
    }

    /// What a namespace's labels ask for.
    struct Policy: Equatable {
        var enforce = Standard()
        var audit = Standard()
        var warn = Standard()
        var errors: [FieldError] = []

        init(_ labels: [String: String]) {
            var hasEnforce = false
            enforce = read("enforce", labels, onError: .restricted) { hasEnforce = $0 }
            audit = read("audit", labels, onError: .privileged)
            warn = read("warn", labels, onError: .privileged)
            // Whoever will be refused pods is warned of it with everything that makes them.
            if labels["\(prefix)warn"] == nil, hasEnforce, warn.level < enforce.level {
                warn.level = enforce.level
                if labels["\(prefix)warn-version"] == nil { warn.minor = enforce.minor }
            }
        }

        private mutating func read(
            _ mode: String, _ labels: [String: String], onError: Level, _ found: (Bool) -> Void = { _ in }
        ) -> Standard {
            var standard = Standard()
            let path = FieldPath("metadata", "labels")
            if let text = labels["\(prefix)\(mode)"] {
                let level = Level(rawValue: text)
                standard.level = level ?? onError
                found(level != nil)
                if level == nil {
                    errors.append(
                        .invalid(
                            path[prefix + mode], .string(text), "must be one of privileged, baseline, restricted"))
                }
            }
            if let text = labels["\(prefix)\(mode)-version"], text != "latest" {
                standard.minor = text.hasPrefix("v1.") ? Int(text.dropFirst(3)) : nil
                if standard.minor == nil {
                    errors.append(
                        .invalid(path["\(prefix)\(mode)-version"], .string(text), "must be \"latest\" or \"v1.x\""))
                }
            }
            return standard
        }

        var isPrivileged: Bool { [enforce, audit, warn].allSatisfy { $0.level == .privileged } && errors.isEmpty }
    }

    /// Where workloads keep what their pods will be.
    private static func template(_ object: KubeObject, _ resource: ResourceType) -> JSONValue? {
        switch resource {
        case .podTemplates: object.value["template"]
        case .replicaSets, .deployments, .statefulSets, .daemonSets, .jobs, .replicationControllers:
            object.value[["spec", "template"]]
        case .cronJobs: object.value[["spec", "jobTemplate", "spec", "template"]]
        default: nil
        }
    }

    private static let podSubresources: Set<String?> = [nil, "ephemeralcontainers", "resize"]

    static func check(
        _ object: KubeObject, _ request: AdmissionRequest, _ facts: AdmissionFacts, _ admission: inout Admission
    ) throws(Status) {
        if request.resource == .namespaces { return try checkNamespace(object, request, facts, &admission) }
        let isPod = request.resource == .pods && podSubresources.contains(request.subresource)
        let checked = isPod ? object.value : request.subresource == nil ? template(object, request.resource) : nil
        guard let checked, let namespace = object.namespace, let labels = facts.object(.namespaces, namespace)?.labels
        else { return }
        if isPod, let old = request.old, !changesImages(object, old) { return }
        let policy = Policy(labels)
        guard !policy.isPrivileged else { return }
        if isPod {
            admission.annotations.append(("\(prefix)enforce-policy", policy.enforce.description))
            let found = PodSecurityChecks(checked, policy.enforce).violations
            guard found.isEmpty else {
                throw request.forbidden(
                    object, "violates PodSecurity \"\(policy.enforce)\": \(PodSecurityChecks.detail(found))")
            }
        }
        let audited = PodSecurityChecks(checked, policy.audit).violations
        if !audited.isEmpty {
            admission.annotations.append(
                (
                    "\(prefix)audit-violations",
                    "would violate PodSecurity \"\(policy.audit)\": \(PodSecurityChecks.detail(audited))"
                ))
        }
        let warned = PodSecurityChecks(checked, policy.warn).violations
        if !warned.isEmpty {
            admission.warnings.append(
                "would violate PodSecurity \"\(policy.warn)\": \(PodSecurityChecks.detail(warned))")
        }
    }

    /// Whether an update of a pod touches what the levels are about.
    private static func changesImages(_ pod: KubeObject, _ old: KubeObject) -> Bool {
        ["containers", "initContainers", "ephemeralContainers"].contains { list in
            func images(_ object: KubeObject) -> [JSONValue?] {
                (object.value[["spec", list]]?.array ?? []).map { $0["image"] }
            }
            return images(pod) != images(old)
        }
    }

    // MARK: Namespaces

    /// Labels must say something that there is; a stricter level warns of the pods that do not keep to it.
    private static func checkNamespace(
        _ namespace: KubeObject, _ request: AdmissionRequest, _ facts: AdmissionFacts, _ admission: inout Admission
    ) throws(Status) {
        guard request.subresource == nil else { return }
        let policy = Policy(namespace.labels)
        guard let old = request.old else {
            guard policy.errors.isEmpty else {
                throw .invalid(request.resource, name: namespace.name, policy.errors)
            }
            return
        }
        let before = Policy(old.labels)
        guard policy.errors.isEmpty || policy.errors == before.errors else {
            throw .invalid(request.resource, name: namespace.name, policy.errors)
        }
        guard policy.enforce != before.enforce, policy.enforce.level != .privileged,
            policy.enforce.minor != before.enforce.minor || policy.enforce.level > before.enforce.level
        else { return }
        var pods: [(reason: String, names: [String])] = []
        for item in facts.objects(.pods, in: namespace.name) {
            let found = PodSecurityChecks(item.object.value, policy.enforce).violations
            guard !found.isEmpty else { continue }
            let reason = found.map(\.reason).joined(separator: ", ")
            if let index = pods.firstIndex(where: { $0.reason == reason }) {
                pods[index].names.append(item.object.name)
            } else {
                pods.append((reason, [item.object.name]))
            }
        }
        guard !pods.isEmpty else { return }
        admission.warnings.append(
            "existing pods in namespace \"\(namespace.name)\" violate the new PodSecurity enforce level "
                + "\"\(policy.enforce)\"")
        admission.warnings += pods.map { reason, names in
            let others = names.count - 1
            let more = others == 0 ? "" : others == 1 ? " (and 1 other pod)" : " (and \(others) other pods)"
            return "\(names.min() ?? "")\(more): \(reason)"
        }.sorted()
    }
}
