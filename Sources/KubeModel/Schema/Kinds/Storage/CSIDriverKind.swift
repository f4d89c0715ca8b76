extension ResourceType {
    /// Programs that bring volumes to nodes.
    public static let csiDrivers = ResourceType(
        group: "storage.k8s.io", version: "v1", kind: "CSIDriver", plural: "csidrivers", isNamespaced: false)
}

private let tokenRequest = Schema.object(
    "io.k8s.api.storage.v1.TokenRequest", doc: "A token of the pod's account that the driver gets.",
    [
        .field("audience", .string, keepsZero: true, doc: "For whom the token is; the API server if empty."),
        .field("expirationSeconds", .int64, doc: "For how many seconds the token is good."),
    ])

@Sendable
private func checkTokens(_ requests: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
    var seen: Set<String> = []
    for (index, request) in (requests.array ?? []).enumerated() {
        let audience = request["audience"]?.string ?? ""
        guard seen.insert(audience).inserted else {
            errors.append(.duplicate(path[index].child("audience"), .string(audience)))
            continue
        }
        guard let seconds = request["expirationSeconds"]?.int else { continue }
        let place = path[index].child("expirationSeconds")
        if seconds < 600 {
            errors.append(.invalid(place, JSONValue(seconds), "may not specify a duration less than 10 minutes"))
        } else if seconds > 1 << 32 {
            errors.append(
                .invalid(place, JSONValue(seconds), "may not specify a duration larger than 2^32 seconds"))
        }
    }
}

@Sendable
private func checkModes(_ modes: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
    let known = ["Persistent", "Ephemeral"]
    for mode in modes.array ?? [] where !known.contains(mode.string ?? "") {
        errors.append(.notSupported(path, mode, known))
    }
}

private let spec = Schema.object(
    "io.k8s.api.storage.v1.CSIDriverSpec", doc: "How Kubernetes is to deal with the driver.",
    [
        .field(
            "attachRequired", .bool, default: true, doc: "Whether volumes are attached to a node before they are used."),
        .field(
            "fsGroupPolicy", .string, default: "ReadWriteOnceWithFSType",
            oneOf: ["ReadWriteOnceWithFSType", "File", "None"],
            doc: "Whether the files of a volume are given to the group of the pod."),
        .field("podInfoOnMount", .bool, default: false, doc: "Whether the driver is told for which pod it mounts."),
        .field(
            "requiresRepublish", .bool, default: false, doc: "Whether the driver is asked to mount again and again."),
        .field("seLinuxMount", .bool, default: false, doc: "Whether volumes are mounted with a context of SELinux."),
        .field("storageCapacity", .bool, default: false, doc: "Whether the scheduler looks at the space that is left."),
        .field(
            "tokenRequests", .list(of: tokenRequest).checking(checkTokens),
            doc: "Tokens of the pod's account that the driver gets."),
        .field(
            "volumeLifecycleModes", .stringSet.checking(checkModes), default: ["Persistent"],
            doc: "Persistent for volumes of claims, Ephemeral for those that live as long as their pod."),
    ])

/// What may not change once the driver is there.
private let fixed = ["attachRequired", "fsGroupPolicy", "volumeLifecycleModes"]

extension KindSchema {
    /// A program that brings volumes to nodes.
    static let csiDriver = KindSchema(
        .csiDrivers,
        root: MetadataSchemas.kind(
            "io.k8s.api.storage.v1.CSIDriver",
            doc: "A program that brings volumes to nodes. This cluster keeps such objects and runs no such programs.",
            [.field("spec", spec, required: true, doc: "How Kubernetes is to deal with the driver.")]),
        columns: [
            .name, flag("AttachRequired", "attachRequired", absent: true, "Whether volumes are attached first."),
            flag("PodInfoOnMount", "podInfoOnMount", absent: false, "Whether it is told about pods."),
            flag("StorageCapacity", "storageCapacity", absent: false, "Whether the space that is left counts."),
            .computed("TokenRequests", "For whom it gets tokens.") { object, _ in
                let requests = object.value[["spec", "tokenRequests"]]?.array ?? []
                if requests.isEmpty { return "<unset>" }
                return .string(requests.map { $0["audience"]?.string ?? "" }.joined(separator: ","))
            },
            flag("RequiresRepublish", "requiresRepublish", absent: false, "Whether it mounts again and again."),
            .computed("Modes", "Which volumes it can make.") { object, _ in
                let modes = object.value["spec"]?.texts("volumeLifecycleModes") ?? []
                return modes.isEmpty ? "<none>" : .string(modes.joined(separator: ","))
            },
            .age,
        ],
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.validateUpdate = { object, old, _, errors in
                for member in fixed {
                    let (new, before) = (object.value[["spec", member]], old.value[["spec", member]])
                    guard new != before else { continue }
                    errors.append(.invalid(FieldPath("spec", member), new ?? .null, "field is immutable"))
                }
            }
        })

    private static func flag(_ name: String, _ member: String, absent: JSONValue, _ doc: String) -> PrinterColumn {
        .value(name, type: "boolean", ["spec", member], absent: absent, doc)
    }
}
