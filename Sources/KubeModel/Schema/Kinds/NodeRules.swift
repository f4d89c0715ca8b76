/// What Kubernetes says about nodes.
enum NodeRules {
    @Sendable
    static func check(_ node: KubeObject, _ errors: inout [FieldError]) {
        // Messages place the taints with the metadata.
        checkTaints(node.value[["spec", "taints"]]?.array ?? [], FieldPath("metadata", "taints"), &errors)
        for list in ["capacity", "allocatable"] {
            for (name, amount) in node.value[["status", list]]?.object ?? [:] {
                ResourceNames.checkAmount(name, amount, at: FieldPath("status", list, name), into: &errors)
            }
        }
        let ranges = node.value[["spec", "podCIDRs"]]?.array ?? []
        let path = FieldPath("spec", "podCIDRs")
        for (index, range) in ranges.enumerated() {
            errors.complain(path[index], range.string ?? "", NameSyntax.addressRange(range.string ?? ""))
        }
        guard ranges.count > 1 else { return }
        let families = Set(ranges.map { $0.string?.contains(":") ?? false })
        if ranges.count > 2 || families.count != ranges.count {
            errors.append(
                .invalid(path, .array(ranges), "may specify no more than one CIDR for each IP family"))
        }
    }

    private static func checkTaints(_ taints: [JSONValue], _ path: FieldPath, _ errors: inout [FieldError]) {
        var seen: Set<[String]> = []
        for (index, taint) in taints.enumerated() {
            let here = path[index]
            let key = taint["key"]?.string ?? ""
            let value = taint["value"]?.string ?? ""
            let effect = taint["effect"]?.string ?? ""
            errors.complain(here.child("key"), key, NameSyntax.qualifiedName(key))
            let complaints = NameSyntax.labelValue(value)
            if !complaints.isEmpty {
                errors.append(.invalid(here.child("value"), .string(value), complaints.joined(separator: ";")))
            }
            if effect.isEmpty {
                errors.append(.required(here.child("effect")))
            } else {
                errors.oneOf(here.child("effect"), effect, ["NoSchedule", "PreferNoSchedule", "NoExecute"])
            }
            guard !seen.insert([key, effect]).inserted else { continue }
            let shown =
                "core.Taint{Key:\(GoText.quote(key)), Value:\(GoText.quote(value)), Effect:\(GoText.quote(effect)), "
                + "TimeAdded:<nil>}"
            errors.append(
                FieldError(.duplicate, here, shownValue: shown, "taints must be unique by key and effect pair"))
        }
    }

    @Sendable
    static func checkUpdate(
        _ node: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]
    ) {
        let before = old.value[["spec", "podCIDRs"]]?.array ?? []
        if !before.isEmpty, node.value[["spec", "podCIDRs"]]?.array ?? [] != before {
            errors.append(
                .forbidden(
                    FieldPath("spec", "podCIDRs"), "node updates may not change podCIDR except from \"\" to valid"))
        }
        let provider = old.value[["spec", "providerID"]]
        if !JSONValue.isEmpty(provider), node.value[["spec", "providerID"]] != provider {
            errors.append(
                .forbidden(
                    FieldPath("spec", "providerID"),
                    "node updates may not change providerID except from \"\" to valid"))
        }
    }
}
