/// A view of an `apps/v1.StatefulSet`.
public struct StatefulSet: WorkloadView {
    public static let podNameLabel = "statefulset.kubernetes.io/pod-name"
    public static let podIndexLabel = "apps.kubernetes.io/pod-index"
    public static let revisionLabel = "controller-revision-hash"

    public var object: KubeObject

    public init(_ object: KubeObject) { self.object = object }

    /// The number of the first pod.
    public var start: Int { spec[["ordinals", "start"]]?.int ?? 0 }
    /// One pod after the other, each when the one before is ready.
    public var isOrdered: Bool { spec["podManagementPolicy"]?.string != "Parallel" }
    public var rollsUpdates: Bool { spec[["updateStrategy", "type"]]?.string != "OnDelete" }
    /// Pods with a lower number are not updated; nil when the strategy does not say.
    public var partition: Int? { spec[["updateStrategy", "rollingUpdate", "partition"]]?.int }
    public var claimTemplates: [JSONValue] { spec["volumeClaimTemplates"]?.array ?? [] }
    public var deletesClaimsWithSet: Bool { retention("whenDeleted") }
    public var deletesClaimsOfScaledPods: Bool { retention("whenScaled") }

    private func retention(_ name: String) -> Bool {
        spec[["persistentVolumeClaimRetentionPolicy", name]]?.string == "Delete"
    }
}

/// A view of an `apps/v1.DaemonSet`.
public struct DaemonSet: WorkloadView {
    public static let generationAnnotation = "deprecated.daemonset.template.generation"
    public static let generationLabel = "pod-template-generation"

    public var object: KubeObject

    public init(_ object: KubeObject) { self.object = object }

    public var rollsUpdates: Bool { spec[["updateStrategy", "type"]]?.string != "OnDelete" }
    public var templateGeneration: String { object.annotations[Self.generationAnnotation] ?? "1" }

    /// On how many of so many nodes an update may add a second pod, or leave the pod out.
    public func surgeAndUnavailable(nodes: Int) -> (surge: Int, unavailable: Int) {
        let update = spec[["updateStrategy", "rollingUpdate"]]
        func scaled(_ name: String) -> Int {
            update?[name].flatMap { IntOrPercent($0).scaled(total: nodes, roundsUp: true) } ?? 0
        }
        return (scaled("maxSurge"), scaled("maxUnavailable"))
    }
}
