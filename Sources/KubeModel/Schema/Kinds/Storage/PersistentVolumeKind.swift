private let nodeAffinity = Schema.core(
    "VolumeNodeAffinity", doc: "From which nodes the volume can be reached.",
    [.field("required", AffinitySchemas.nodeSelector, doc: "Demands that such a node meets.")])

private let spec = Schema.core(
    "PersistentVolumeSpec", doc: "The storage, and what may be done with it.",
    [
        .field("accessModes", .stringList, required: true, doc: "From how many nodes, and whether to write."),
        .field("capacity", .resourceAmounts, doc: "How large the volume is; storage: 1Gi, for example."),
        .field("claimRef", VolumeSchemas.objectReference, doc: "The claim that the volume serves, or is kept for."),
        .field("mountOptions", .stringList, doc: "Options for mounting, for example ro."),
        .field("nodeAffinity", nodeAffinity, doc: "From which nodes the volume can be reached."),
        .field(
            "persistentVolumeReclaimPolicy", .string, default: "Retain", oneOf: ["Delete", "Recycle", "Retain"],
            doc: "What becomes of the volume when its claim goes: Retain keeps it with its data, Delete removes it, "
                + "Recycle empties it."),
        .field("storageClassName", .string, doc: "The class of the volume; empty for none."),
        .field("volumeAttributesClassName", .string, doc: "The class of the volume's performance attributes."),
        .field(
            "volumeMode", .string, default: "Filesystem", oneOf: ["Block", "Filesystem"],
            doc: "A file system, or a raw device."),
    ] + PersistentVolumeSources.all)

private let status = Schema.core(
    "PersistentVolumeStatus", doc: "What the volume is doing.",
    [
        .field("lastPhaseTransitionTime", .time, doc: "When the phase last changed."),
        .field("message", .string, doc: "Why the volume is in its phase, for people."),
        .field(
            "phase", .string, default: "Pending",
            doc: "Pending, Available, Bound, Released when its claim has gone, or Failed."),
        .field("reason", .string, doc: "One word for why, for programs."),
    ])

private func source(of spec: JSONValue) -> JSONValue {
    var source: JSONValue = [:]
    for field in PersistentVolumeSources.all { source[field.name] = spec[field.name] }
    return source
}

@Sendable
private func check(_ volume: KubeObject, _ errors: inout [FieldError]) {
    let path = FieldPath("spec")
    let spec = volume.value["spec"] ?? [:]
    StorageRules.checkModes(spec, path.child("accessModes"), &errors)
    checkCapacity(spec["capacity"], path.child("capacity"), &errors)
    let given = PersistentVolumeSources.all.filter { spec[$0.name] != nil }
    if given.isEmpty { errors.append(.required(path, "must specify a volume type")) }
    for extra in given.dropFirst() {
        errors.append(.forbidden(path.child(extra.name), "may not specify more than 1 volume type"))
    }
    if let affinity = spec["nodeAffinity"], affinity["required"] == nil {
        errors.append(
            .required(path.child("nodeAffinity", "required"), "must specify required node constraints"))
    }
    if spec["local"] != nil, spec[["nodeAffinity", "required"]] == nil {
        errors.append(.required(path.child("nodeAffinity"), "Local volume requires node affinity"))
    }
    checkPaths(spec, path, &errors)
    StorageRules.checkClass(spec, path, &errors)
}

private func checkPaths(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
    for name in ["hostPath", "local"] {
        guard let place = spec[[name, "path"]]?.string, place.split(separator: "/").contains("..") else { continue }
        errors.append(.invalid(path.child(name, "path"), .string(place), "must not contain '..'"))
    }
    if let place = spec[["hostPath", "path"]]?.string, !place.isEmpty,
        place.allSatisfy({ $0 == "/" || $0 == "." }), spec["persistentVolumeReclaimPolicy"] == "Recycle"
    {
        errors.append(
            .forbidden(
                path.child("persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'"))
    }
}

private func checkCapacity(_ capacity: JSONValue?, _ path: FieldPath, _ errors: inout [FieldError]) {
    if JSONValue.isEmpty(capacity) { errors.append(.required(path)) }
    if capacity?["storage"] == nil || capacity?.object?.count ?? 0 > 1 {
        let shown = JSONValue.isEmpty(capacity) ? "core.ResourceList(nil)" : capacity?.text
        errors.append(FieldError(.notSupported, path, shownValue: shown, "supported values: \"storage\""))
    }
    for (name, amount) in capacity?.object ?? [:] {
        guard let quantity = Quantity(amount), quantity.milliValue <= 0 else { continue }
        if quantity.value < 0 {
            errors.append(
                .invalid(path[name], JSONValue(Int(quantity.value)), "must be a valid resource quantity"))
        }
        errors.append(.invalid(path[name], .string(quantity.description), "must be greater than zero"))
    }
}

@Sendable
private func checkUpdate(
    _ volume: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]
) {
    guard subresource != "status" else { return }
    let (spec, before) = (volume.value["spec"] ?? [:], old.value["spec"] ?? [:])
    var present = source(of: spec)
    let past = source(of: before)
    let secret = ["csi", "controllerExpandSecretRef"]
    if past["csi"] != nil, past[secret] == nil { present[secret] = nil }
    if present != past {
        errors.append(
            .forbidden(
                FieldPath("spec", "persistentvolumesource"),
                "spec.persistentvolumesource is immutable after creation\n"
                    + GoDiff.text(past, present, type: "core.PersistentVolumeSource")))
    }
    if spec["volumeMode"] != before["volumeMode"] {
        errors.append(.invalid(FieldPath("volumeMode"), spec["volumeMode"], "field is immutable"))
    }
    if let affinity = before["nodeAffinity"], affinity != spec["nodeAffinity"] {
        errors.append(.invalid(FieldPath("nodeAffinity"), spec["nodeAffinity"], "field is immutable"))
    }
}

extension KindSchema {
    /// A piece of storage of the cluster.
    static let persistentVolume = KindSchema(
        .persistentVolumes, shortNames: ["pv"],
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.PersistentVolume",
            doc: "A piece of storage of the cluster, made by hand or by a storage class.",
            [
                .field("spec", spec, default: [:], doc: "The storage, and what may be done with it."),
                .field("status", status, default: [:], doc: "What the volume is doing."),
            ]),
        subresources: ["status"],
        columns: [
            .name,
            .computed("Capacity", "How large the volume is.") { volume, _ in
                .string(StorageRules.amount(volume.value[["spec", "capacity", "storage"]]))
            },
            .computed("Access Modes", "From how many nodes, and whether to write.") { volume, _ in
                .string(StorageRules.shortModes(volume.value[["spec", "accessModes"]]))
            },
            .value(
                "Reclaim Policy", ["spec", "persistentVolumeReclaimPolicy"], absent: "",
                "What becomes of the volume when its claim goes."),
            .computed("Status", "What the volume is doing.") { volume, _ in .string(StorageRules.phase(volume)) },
            .computed("Claim", "The claim that the volume serves.") { volume, _ in
                guard let claim = volume.value[["spec", "claimRef"]] else { return "" }
                return .string("\(claim["namespace"]?.string ?? "")/\(claim["name"]?.string ?? "")")
            },
            .computed("StorageClass", "The class of the volume.") { volume, _ in
                .string(StorageRules.className(volume))
            },
            .volumeAttributes,
            .value("Reason", ["status", "reason"], absent: "", "Why the volume is in its phase."),
            .age, .volumeMode,
        ],
        behavior: KindBehavior {
            $0.prepareForCreate = { volume in
                volume.value["status"] = ["phase": "Pending"]
                volume.value[["status", "lastPhaseTransitionTime"]] =
                    volume.value[["metadata", "creationTimestamp"]]
                let finalizer = "kubernetes.io/pv-protection"
                if !volume.finalizers.contains(finalizer) { volume.finalizers.append(finalizer) }
            }
            $0.prepareForUpdate = { volume, old, subresource in
                guard subresource == "status" else { return }
                let (phase, time) = (["status", "phase"], ["status", "lastPhaseTransitionTime"])
                if volume.value[phase] != old.value[phase], volume.value[time] == old.value[time] {
                    volume.value[time] = .string(Timestamp.now.text)
                }
            }
            $0.validate = check
            $0.validateUpdate = checkUpdate
        })
}
