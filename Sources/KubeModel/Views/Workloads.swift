/// A number, or a share of another number: `3`, `"25%"`.
public struct IntOrPercent: Sendable, Hashable {
    public let value: JSONValue

    public init(_ value: JSONValue) { self.value = value }

    /// The number, where a percentage is taken of `total`; nil when it is neither.
    public func scaled(total: Int, roundsUp: Bool) -> Int? {
        if let number = value.int { return number }
        guard let text = value.string, text.hasSuffix("%"), let percent = Int(text.dropLast()) else { return nil }
        return roundsUp ? (percent * total + 99) / 100 : percent * total / 100
    }
}

/// A view of an `apps/v1.Deployment`.
public struct Deployment: WorkloadView {
    public var object: KubeObject

    public init(_ object: KubeObject) { self.object = object }

    public var isPaused: Bool { spec["paused"]?.bool ?? false }
    public var isRecreate: Bool { spec[["strategy", "type"]]?.string == "Recreate" }
    public var progressDeadlineSeconds: Int? { spec["progressDeadlineSeconds"]?.int }
    public var conditions: Conditions { Conditions(object.value[["status", "conditions"]]) }

    /// How many pods above and below `replicas` a rolling update may go; never both zero.
    public var surgeAndUnavailable: (surge: Int, unavailable: Int) {
        if isRecreate { return (0, 0) }
        let update = spec[["strategy", "rollingUpdate"]]
        let surge = update?["maxSurge"].flatMap { IntOrPercent($0).scaled(total: replicas, roundsUp: true) } ?? 0
        let unavailable =
            update?["maxUnavailable"].flatMap { IntOrPercent($0).scaled(total: replicas, roundsUp: false) } ?? 0
        return surge == 0 && unavailable == 0 ? (0, 1) : (surge, unavailable)
    }
}

/// A view of an `apps/v1.ReplicaSet`, or of a `v1.ReplicationController`, which differs only in its selector.
public struct ReplicaSet: WorkloadView {
    public static let revisionAnnotation = "deployment.kubernetes.io/revision"
    public static let desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas"
    public static let maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas"
    public static let hashLabel = "pod-template-hash"

    public var object: KubeObject

    public init(_ object: KubeObject) { self.object = object }

    public var selector: LabelSelector {
        object.kind == "ReplicationController"
            ? LabelSelector(["matchLabels": spec["selector"] ?? [:]]) : LabelSelector(spec["selector"])
    }
    public var statusReplicas: Int { object.value[["status", "replicas"]]?.int ?? 0 }
    public var readyReplicas: Int { object.value[["status", "readyReplicas"]]?.int ?? 0 }
    public var availableReplicas: Int { object.value[["status", "availableReplicas"]]?.int ?? 0 }
    public var revision: Int { object.annotations[Self.revisionAnnotation].flatMap { Int($0) } ?? 0 }

    /// The template without the label that tells ReplicaSets apart: what a Deployment's template is compared with.
    public var comparableTemplate: JSONValue {
        var template = template
        template[["metadata", "labels", Self.hashLabel]] = nil
        return template
    }
}

/// A view of a `v1.Service`; named apart from the `Service` that a service group runs.
public struct KubeService: ObjectView {
    public var object: KubeObject

    public init(_ object: KubeObject) { self.object = object }

    public var type: String { spec["type"]?.string ?? "ClusterIP" }
    /// Nil for a Service without selector, whose endpoints somebody else writes.
    public var selector: LabelSelector? {
        let labels = spec["selector"]?.object ?? [:]
        return labels.isEmpty ? nil : LabelSelector(["matchLabels": .object(labels)])
    }
    public var clusterIP: String { spec["clusterIP"]?.string ?? "" }
    public var isHeadless: Bool { clusterIP == "None" }
    public var publishesNotReady: Bool { spec["publishNotReadyAddresses"]?.bool ?? false }
    public var ports: [Port] { (spec["ports"]?.array ?? []).map(Port.init) }

    public struct Port: Sendable, Hashable {
        public let value: JSONValue

        public init(_ value: JSONValue) { self.value = value }

        public var name: String { value["name"]?.string ?? "" }
        public var port: Int { value["port"]?.int ?? 0 }
        public var nodePort: Int? { value["nodePort"]?.int.flatMap { $0 > 0 ? $0 : nil } }
        public var transport: String { value["protocol"]?.string ?? "TCP" }

        /// The port of a pod that this one leads to; nil when the pod has no port of that name.
        public func target(in pod: Pod) -> Int? {
            guard let target = value["targetPort"] else { return port }
            if let number = target.int { return number == 0 ? port : number }
            for container in pod.containers + pod.initContainers.filter(\.isSidecar) {
                let found = container.ports.first { candidate in
                    candidate["name"] == target && (candidate["protocol"]?.string ?? "TCP") == transport
                }
                if let number = found?["containerPort"]?.int { return number }
            }
            return nil
        }
    }
}
