@Sendable
private func check(_ claim: KubeObject, _ errors: inout [FieldError]) {
    let path = FieldPath("spec")
    let spec = claim.value["spec"] ?? [:]
    if JSONValue.isEmpty(spec["accessModes"]) {
        errors.append(.required(path.child("accessModes"), "at least 1 access mode is required"))
    }
    StorageRules.checkModes(spec, path.child("accessModes"), &errors)
    let place = path.child("resources")["storage"]
    switch Quantity(spec[["resources", "requests", "storage"]]) {
    case nil: errors.append(.required(place))
    case let size? where size.milliValue <= 0:
        errors.append(.invalid(place, .string(size.description), "must be greater than zero"))
    default: break
    }
    StorageRules.checkClass(spec, path, &errors)
    for name in ["dataSource", "dataSourceRef"] {
        if let source = spec[name] { checkSource(source, path.child(name), &errors) }
    }
    guard let source = spec["dataSource"], let reference = spec["dataSourceRef"] else { return }
    if !JSONValue.isEmpty(reference["namespace"]) {
        errors.append(
            FieldError(
                .invalid, path, shownValue: "spec.dataSource",
                "may not be specified when dataSourceRef.namespace is specified"))
    } else if ["apiGroup", "kind", "name"].contains(where: { source[$0] != reference[$0] }) {
        errors.append(FieldError(.invalid, path, shownValue: "spec.dataSource", "must match dataSourceRef"))
    }
}

private func checkSource(_ source: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
    let group = source["apiGroup"]?.string ?? ""
    if group.isEmpty, source["kind"] != "PersistentVolumeClaim" {
        errors.append(
            .invalid(
                path, source["kind"] ?? "", "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
    }
    guard !group.isEmpty else { return }
    for complaint in NameSyntax.dnsSubdomain(group) {
        errors.append(.invalid(path.child("apiGroup"), .string(group), complaint))
    }
}

@Sendable
private func checkUpdate(
    _ claim: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]
) {
    guard subresource != "status" else { return checkStatus(claim, &errors) }
    let path = FieldPath("spec")
    var (spec, before) = (claim.value["spec"] ?? [:], old.value["spec"] ?? [:])
    // What serves the claim is written once; a class may be filled in later.
    if JSONValue.isEmpty(before["volumeName"]) { before["volumeName"] = spec["volumeName"] }
    if before["storageClassName"] == nil { before["storageClassName"] = spec["storageClassName"] }
    let storage = ["resources", "requests", "storage"]
    let (size, sizeBefore) = (spec[storage], before[storage])
    if claim.value[["status", "phase"]] == "Bound" {
        spec[storage] = sizeBefore
        if spec["volumeAttributesClassName"] != nil {
            spec["volumeAttributesClassName"] = before["volumeAttributesClassName"]
        }
    }
    if Quantity(spec[storage]) == Quantity(before[storage]) { spec[storage] = before[storage] }
    if spec != before {
        errors.append(
            .forbidden(
                path,
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound "
                    + "claims\n" + GoDiff.text(before, spec, type: "core.PersistentVolumeClaimSpec")))
    }
    if let size = Quantity(size), let sizeBefore = Quantity(sizeBefore), size < sizeBefore {
        let capacity = Quantity(old.value[["status", "capacity", "storage"]]) ?? Quantity(0)
        if size <= capacity {
            errors.append(
                .forbidden(
                    path.child("resources", "requests", "storage"), "field can not be less than status.capacity"))
        }
    }
    let (mode, modeBefore) = (claim.value[["spec", "volumeMode"]], old.value[["spec", "volumeMode"]])
    if mode != modeBefore { errors.append(.invalid(FieldPath("volumeMode"), mode, "field is immutable")) }
}

private func checkStatus(_ claim: KubeObject, _ errors: inout [FieldError]) {
    for (name, amount) in claim.value[["status", "capacity"]]?.object ?? [:] {
        guard let quantity = Quantity(amount), quantity.value < 0 else { continue }
        errors.append(
            .invalid(
                FieldPath("status", "capacity")[name], JSONValue(Int(quantity.value)),
                "must be a valid resource quantity"))
    }
}

/// The two ways of naming a source say the same.
private func normalizeSources(_ spec: inout JSONValue) {
    if let source = spec["dataSource"], spec["dataSourceRef"] == nil {
        spec["dataSourceRef"] = source
    } else if let reference = spec["dataSourceRef"], spec["dataSource"] == nil,
        JSONValue.isEmpty(reference["namespace"])
    {
        spec["dataSource"] = reference
        spec[["dataSource", "namespace"]] = nil
    }
}

extension KindSchema {
    /// Storage that a user asks for and pods mount.
    static let persistentVolumeClaim = KindSchema(
        .persistentVolumeClaims, shortNames: ["pvc"], root: ClaimSchemas.claim, subresources: ["status"],
        columns: [
            .name,
            .computed("Status", "Whether the claim is served.") { claim, _ in .string(StorageRules.phase(claim)) },
            .value("Volume", ["spec", "volumeName"], absent: "", "The volume that serves the claim."),
            .computed("Capacity", "How large the volume is.") { claim, _ in
                if JSONValue.isEmpty(claim.value[["spec", "volumeName"]]) { return "" }
                return .string(StorageRules.amount(claim.value[["status", "capacity", "storage"]]))
            },
            .computed("Access Modes", "What the volume allows.") { claim, _ in
                if JSONValue.isEmpty(claim.value[["spec", "volumeName"]]) { return "" }
                return .string(StorageRules.shortModes(claim.value[["status", "accessModes"]]))
            },
            .computed("StorageClass", "The class that makes the volume.") { claim, _ in
                .string(StorageRules.className(claim))
            },
            .volumeAttributes, .age, .volumeMode,
        ],
        behavior: KindBehavior {
            $0.initialStatus = ["phase": "Pending"]
            $0.prepareForCreate = { claim in
                claim.value.change("spec", normalizeSources)
                let finalizer = "kubernetes.io/pvc-protection"
                if !claim.finalizers.contains(finalizer) { claim.finalizers.append(finalizer) }
            }
            $0.prepareForUpdate = { claim, _, _ in claim.value.change("spec", normalizeSources) }
            $0.validate = check
            $0.validateUpdate = checkUpdate
        })
}
