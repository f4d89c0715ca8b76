/// What may change about a pod that exists (`ValidatePodUpdate` and its kin of pkg/apis/core/validation).
enum PodUpdateRules {
    private static let mutableFields =
        "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
        + "`spec.tolerations` (only additions to existing tolerations),"
        + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"

    @Sendable
    static func check(
        _ pod: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]
    ) {
        switch subresource {
        case nil: checkSpec(pod.value["spec"] ?? [:], old.value["spec"] ?? [:], &errors)
        case "ephemeralcontainers": checkEphemeral(pod.value["spec"] ?? [:], old.value["spec"] ?? [:], &errors)
        case "status": checkStatus(pod, old, &errors)
        default: return
        }
    }

    // MARK: The spec

    private static func checkSpec(_ spec: JSONValue, _ before: JSONValue, _ errors: inout [FieldError]) {
        let path = FieldPath("spec")
        for list in ["containers", "initContainers"] where spec.list(list).count != before.list(list).count {
            return errors.append(.forbidden(path.child(list), "pod updates may not add or remove containers"))
        }
        guard checkDeadline(spec, before, path, &errors) else { return }
        checkTolerations(spec.list("tolerations"), before.list("tolerations"), path.child("tolerations"), &errors)
        checkGates(spec.list("schedulingGates"), before.list("schedulingGates"), path, &errors)
        var (wish, fixed) = (spec, before)
        if before["terminationGracePeriodSeconds"]?.int ?? 0 < 0, spec["terminationGracePeriodSeconds"] == 1 {
            wish["terminationGracePeriodSeconds"] = before["terminationGracePeriodSeconds"]
        }
        for list in ["containers", "initContainers"] {
            let images = before.list(list).map { $0["image"] }
            var index = 0
            wish.changeElements(list) { container in
                container["image"] = images[index]
                index += 1
            }
        }
        for name in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] { wish[name] = before[name] }
        if !before.list("schedulingGates").isEmpty { checkGated(&wish, before, path, &errors) }
        // Ephemeral containers have a sub-resource of their own.
        wish["ephemeralContainers"] = nil
        fixed["ephemeralContainers"] = nil
        guard wish != fixed else { return }
        let difference = GoDiff.text(fixed, wish, type: "core.PodSpec")
        errors.append(
            .forbidden(path, "pod updates may not change fields other than \(mutableFields)\n\(difference)"))
    }

    /// Whether the check goes on.
    private static func checkDeadline(
        _ spec: JSONValue, _ before: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]
    ) -> Bool {
        let place = path.child("activeDeadlineSeconds")
        let (new, old) = (spec["activeDeadlineSeconds"]?.int, before["activeDeadlineSeconds"]?.int)
        guard let new else {
            if old != nil {
                errors.append(.invalid(place, nil, "must not update from a positive integer to nil value"))
            }
            return true
        }
        guard 0...Int(Int32.max) ~= new else {
            errors.inRange(place, new, 0...Int(Int32.max))
            return false
        }
        guard let old, old < new else { return true }
        errors.append(.invalid(place, JSONValue(new), "must be less than or equal to previous value"))
        return false
    }

    private static func checkTolerations(
        _ new: [JSONValue], _ old: [JSONValue], _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        func fixed(_ toleration: JSONValue) -> JSONValue {
            var toleration = toleration
            toleration["tolerationSeconds"] = nil
            return toleration
        }
        let kept = new.map(fixed)
        if old.allSatisfy({ kept.contains(fixed($0)) }) { return }
        errors.append(
            .forbidden(path, "existing toleration can not be modified except its tolerationSeconds"))
    }

    private static func checkGates(
        _ new: [JSONValue], _ old: [JSONValue], _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let known = old.compactMap { $0["name"]?.string }
        for (index, gate) in new.enumerated() {
            guard let name = gate["name"]?.string, !known.contains(name) else { continue }
            errors.append(
                .forbidden(
                    path.child("schedulingGates")[index].child("name"),
                    "only deletion is allowed, but found new scheduling gate '\(name)'"))
        }
    }

    /// As long as a pod waits at a gate, the nodes it may go to can be narrowed down.
    private static func checkGated(
        _ wish: inout JSONValue, _ before: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let labels = wish["nodeSelector"]?.object ?? [:]
        if (before["nodeSelector"]?.object ?? [:]).contains(where: { labels[$0.key] != $0.value }) {
            errors.append(
                .invalid(
                    path.child("nodeSelector"), wish["nodeSelector"],
                    "only additions to spec.nodeSelector are allowed (no mutations or deletions)"))
        }
        wish["nodeSelector"] = before["nodeSelector"]
        let terms = [
            "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms",
        ]
        let old = before["affinity"]?[terms]?.array ?? []
        let new = wish["affinity"]?[terms]?.array ?? []
        let place = path.child("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
            .child("nodeSelectorTerms")
        if !old.isEmpty, old.count != new.count {
            errors.append(
                .invalid(
                    place, .array(new), "no additions/deletions to non-empty NodeSelectorTerms list are allowed"))
        } else {
            for (index, term) in old.enumerated() where !addsOnly(new[index], term) {
                errors.append(
                    .invalid(place[index], new[index], "only additions are allowed (no mutations or deletions)"))
            }
        }
        var affinity = wish["affinity"] ?? [:]
        affinity["nodeAffinity"] = before[["affinity", "nodeAffinity"]]
        wish["affinity"] = affinity == [:] ? before["affinity"].flatMap { $0 == [:] ? $0 : nil } : affinity
    }

    private static func addsOnly(_ new: JSONValue, _ old: JSONValue) -> Bool {
        let lists = ["matchExpressions", "matchFields"]
        if lists.allSatisfy({ old.list($0).isEmpty }) { return lists.allSatisfy { new.list($0).isEmpty } }
        return lists.allSatisfy { new.list($0).starts(with: old.list($0)) }
    }

    // MARK: Sub-resources

    private static func checkEphemeral(_ spec: JSONValue, _ before: JSONValue, _ errors: inout [FieldError]) {
        let path = FieldPath("spec", "ephemeralContainers")
        let new = spec.list("ephemeralContainers")
        for old in before.list("ephemeralContainers") {
            let name = old["name"]?.string ?? ""
            guard let match = new.first(where: { $0["name"] == old["name"] }) else {
                errors.append(
                    .forbidden(path, "existing ephemeral containers \(GoText.quote(name)) may not be removed\n"))
                continue
            }
            guard match != old else { continue }
            let difference = GoDiff.text(old, match, type: "core.EphemeralContainer")
            errors.append(
                .forbidden(
                    path, "existing ephemeral containers \(GoText.quote(name)) may not be changed\n\(difference)"))
        }
    }

    private static func checkStatus(_ pod: KubeObject, _ old: KubeObject, _ errors: inout [FieldError]) {
        let path = FieldPath("status")
        let status = pod.value["status"] ?? [:]
        let before = old.value["status"] ?? [:]
        for (index, condition) in status.list("conditions").enumerated() {
            let type = condition["type"]?.string ?? ""
            errors.complain(
                FieldPath("metadata", "conditions")[index].child("Type"), type, NameSyntax.qualifiedName(type))
        }
        if let node = status["nominatedNodeName"]?.string, node != before["nominatedNodeName"]?.string ?? "" {
            errors.allow(path.child("nominatedNodeName"), node, NameSyntax.dnsSubdomain)
        }
        let policy = old.value[["spec", "restartPolicy"]]?.string ?? "Always"
        for (list, policy) in [("containerStatuses", policy), ("ephemeralContainerStatuses", "Never")] {
            checkRestarts(status.list(list), before.list(list), policy, path.child(list), &errors)
        }
        for (index, ip) in status.list("podIPs").enumerated() {
            let text = ip["ip"]?.string ?? ""
            errors.complain(path.child("podIPs")[index], text, NameSyntax.ipAddress(text))
        }
    }

    /// A container that has ended for good does not run again.
    private static func checkRestarts(
        _ new: [JSONValue], _ old: [JSONValue], _ policy: String, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        if policy == "Always" { return }
        for (index, before) in old.enumerated() {
            guard let end = before[["state", "terminated"]] else { continue }
            if end["exitCode"]?.int ?? 0 != 0, policy == "OnFailure" { continue }
            let runsAgain = new.contains { $0["name"] == before["name"] && $0[["state", "terminated"]] == nil }
            guard runsAgain else { continue }
            errors.append(
                .forbidden(path[index].child("state"), "may not be transitioned to non-terminated state"))
        }
    }
}
