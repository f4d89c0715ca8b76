/// The classes that every cluster has, for pods without which it does not work.
public enum SystemPriorityClass: String, Sendable, CaseIterable {
    case nodeCritical = "system-node-critical"
    case clusterCritical = "system-cluster-critical"

    public var value: Int {
        switch self {
        case .clusterCritical: 2_000_000_000
        case .nodeCritical: 2_000_001_000
        }
    }

    /// The class as it is created when a cluster starts for the first time.
    public var object: KubeObject {
        var object = KubeObject(.priorityClasses, name: rawValue)
        object.value["value"] = JSONValue(value)
        object.value["description"] =
            switch self {
            case .clusterCritical:
                "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."
            case .nodeCritical: "Used for system critical pods that must not be moved from their current node."
            }
        return object
    }

    /// What a class of the cluster's own names must be like; nil if it is right.
    static func complaint(about object: KubeObject) -> String? {
        guard let known = Self(rawValue: object.name) else {
            return "\(object.name) is not a known system priority class"
        }
        if object.value["value"]?.int ?? 0 != known.value {
            return "value of \(object.name) PriorityClass must be \(known.value)"
        }
        return object.value["globalDefault"] == true
            ? "globalDefault of \(object.name) PriorityClass must be false" : nil
    }
}

private let highestOfUsers = 1_000_000_000

@Sendable
private func check(_ object: KubeObject, _ errors: inout [FieldError]) {
    if object.name.hasPrefix("system-") {
        guard let complaint = SystemPriorityClass.complaint(about: object) else { return }
        errors.append(
            .forbidden(
                FieldPath("metadata", "name"),
                "priority class names with 'system-' prefix are reserved for system use only. error: \(complaint)"))
    } else if object.value["value"]?.int ?? 0 > highestOfUsers {
        errors.append(
            .forbidden(
                FieldPath("value"), "maximum allowed value of a user defined priority is \(highestOfUsers)"))
    }
}

extension KindSchema {
    /// Gives a name to the importance of pods.
    static let priorityClass = KindSchema(
        .priorityClasses, shortNames: ["pc"],
        root: MetadataSchemas.kind(
            "io.k8s.api.scheduling.v1.PriorityClass", doc: "Gives a name to the importance of pods.",
            [
                .field("value", .int32, default: 0, doc: "The importance; pods of a higher value go first."),
                .field(
                    "globalDefault", .bool, doc: "Whether pods that name no class are of this one; only one can be."),
                .field("description", .string, doc: "For whom the class is meant."),
                .field(
                    "preemptionPolicy", .string, default: "PreemptLowerPriority", immutable: true,
                    oneOf: ["PreemptLowerPriority", "Never"],
                    doc: "Whether less important pods may be ended to make room."),
            ]),
        columns: [
            .name,
            .count("Value", ["value"], "The importance."),
            .value(
                "Global-Default", type: "boolean", ["globalDefault"], absent: false,
                "Whether pods that name no class are of this one."),
            .age,
            .value(
                "PreemptionPolicy", ["preemptionPolicy"], absent: "",
                "Whether less important pods may be ended to make room."),
        ],
        behavior: KindBehavior {
            $0.prepareForCreate = { object in object.value[["metadata", "generation"]] = 1 }
            $0.validate = check
            $0.validateUpdate = { object, old, _, errors in
                if object.value["value"]?.int ?? 0 != old.value["value"]?.int ?? 0 {
                    errors.append(.forbidden(FieldPath("value"), "may not be changed in an update."))
                }
            }
        })
}
