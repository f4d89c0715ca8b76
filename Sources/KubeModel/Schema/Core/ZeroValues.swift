/// Whether 0, false, empty text or an empty list says something at a place.
///
/// Kubernetes' own types leave such values out when they are written, except where they are behind a pointer or always
/// written. Objects that were sent with them come back without them, and so they do here.
enum ZeroValues {
    /// Numbers and truth values of which zero differs from absence, by the name of the member.
    static let significantScalars: Set<String> = [
        "activeDeadlineSeconds", "allocateLoadBalancerNodePorts", "allowPrivilegeEscalation", "allowVolumeExpansion",
        "allowed", "attachRequired", "automountServiceAccountToken", "averageUtilization", "backoffLimit",
        "backoffLimitPerIndex",
        "blockOwnerDeletion", "completions", "controller", "currentHealthy", "currentNumberScheduled", "defaultMode",
        "deletionGracePeriodSeconds", "desiredHealthy", "desiredNumberScheduled", "desiredReplicas",
        "disruptionsAllowed", "enableServiceLinks", "exitCode", "expectedPods", "expirationSeconds",
        "failedJobsHistoryLimit", "fsGroup", "gracePeriodSeconds", "hostUsers", "immutable", "leaseDurationSeconds",
        "leaseTransitions", "manualSelector", "endPort",
        "maxFailedIndexes", "maxReplicas", "maximum", "maxItems", "maxLength", "maxProperties", "minItems", "minLength",
        "minProperties", "minReplicas", "minimum", "mode", "numberMisscheduled", "numberReady", "optional",
        "orphanDependents",
        "parallelism", "partition", "priority", "privileged", "progressDeadlineSeconds", "readOnlyRootFilesystem",
        "ready", "replicas", "restartCount", "revision", "revisionHistoryLimit", "runAsGroup", "runAsNonRoot",
        "runAsUser", "seconds", "served", "serving", "setHostnameAsFQDN", "shareProcessNamespace",
        "stabilizationWindowSeconds", "started", "startingDeadlineSeconds", "storage", "storageCapacity",
        "succeededCount",
        "successfulJobsHistoryLimit",
        "suspend", "terminatedReplicas", "terminating", "terminationGracePeriodSeconds", "tolerationSeconds",
        "ttlSecondsAfterFinished", "value", "weight", "x-kubernetes-preserve-unknown-fields",
    ]

    /// Texts of which the empty one differs from absence.
    static let significantTexts: Set<String> = [
        "appProtocol", "ingressClassName", "loadBalancerClass", "message", "reason", "status", "storageClassName",
        "volumeName",
    ]

    /// Lists and maps that are written although they are empty.
    static let significantCollections: Set<String> = [
        "addresses", "endpoints", "items", "rules", "versions",
    ]

    static func isDropped(_ name: String, _ schema: Schema) -> Bool {
        switch schema.shape {
        case .int32, .int64, .number, .bool: !significantScalars.contains(name)
        case .string, .bytes: !significantTexts.contains(name)
        case .array, .map: !significantCollections.contains(name)
        default: false
        }
    }

    static func isZero(_ value: JSONValue) -> Bool {
        switch value {
        case .int(0), .double(0), .bool(false), .string(""): true
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}
