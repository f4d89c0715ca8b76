/// A view of a `v1.Pod`.
public struct Pod: ObjectView {
    public var object: KubeObject

    public init(_ object: KubeObject) { self.object = object }

    public var namespace: String { object.namespace ?? "" }
    public var uid: String { object.uid }

    public var nodeName: String { spec["nodeName"]?.string ?? "" }
    public var isScheduled: Bool { !nodeName.isEmpty }
    public var restartPolicy: String { spec["restartPolicy"]?.string ?? "Always" }
    /// How long the pod may be active after its start; nil for ever.
    public var activeDeadlineSeconds: Int? { spec["activeDeadlineSeconds"]?.int }
    public var terminationGracePeriodSeconds: Int { spec["terminationGracePeriodSeconds"]?.int ?? 30 }
    public var containers: [Container] { (spec["containers"]?.array ?? []).map(Container.init) }
    public var initContainers: [Container] { (spec["initContainers"]?.array ?? []).map(Container.init) }
    /// Added to the pod while it runs, for looking into it.
    public var ephemeralContainers: [Container] { (spec["ephemeralContainers"]?.array ?? []).map(Container.init) }

    /// The claims for storage that the pod mounts, those made for it included.
    public var claimNames: [String] {
        (spec["volumes"]?.array ?? []).compactMap { volume in
            if let name = volume[["persistentVolumeClaim", "claimName"]]?.string { return name }
            return volume["ephemeral"] == nil ? nil : "\(name)-\(volume["name"]?.string ?? "")"
        }
    }

    /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
    public var phase: String { object.value[["status", "phase"]]?.string ?? "" }
    /// The pod has ended and will not start again.
    public var isTerminal: Bool { phase == "Succeeded" || phase == "Failed" }
    /// Neither ended nor on its way out.
    public var isActive: Bool { !isTerminal && !object.isBeingDeleted }

    public var conditions: Conditions { Conditions(object.value[["status", "conditions"]]) }
    /// The conditions besides its containers' readiness that the pod's own readiness asks for.
    public var readinessGates: [String] {
        (spec["readinessGates"]?.array ?? []).compactMap { $0["conditionType"]?.string }
    }
    public var priority: Int { spec["priority"]?.int ?? 0 }
    /// The node on which room is being made for the pod.
    public var nominatedNodeName: String? { object.value[["status", "nominatedNodeName"]]?.string }
    public var isReady: Bool { conditions["Ready"]?.isTrue ?? false }
    public var podIP: String { object.value[["status", "podIP"]]?.string ?? "" }

    /// When the pod last became ready; nil while it is not.
    public var readySince: Timestamp? {
        guard let ready = conditions["Ready"], ready.isTrue else { return nil }
        return ready.lastTransitionTime
    }

    public var containerStatuses: [JSONValue] { object.value[["status", "containerStatuses"]]?.array ?? [] }
    public var restartCount: Int { containerStatuses.reduce(0) { $0 + ($1["restartCount"]?.int ?? 0) } }

    /// Ready for at least so long, so that it counts as available.
    public func isAvailable(minReadySeconds: Int, now: Timestamp) -> Bool {
        guard isReady else { return false }
        guard minReadySeconds > 0 else { return true }
        return readySince.map { now - $0 >= .seconds(minReadySeconds) } ?? false
    }

    /// What the pod takes of a node: the sum of its containers and sidecars, or what its init containers need on the way there.
    public func requests(_ resource: String) -> Quantity { total(resource, \.requests) }

    /// What all containers may use together at any time; nil where one of them has no limit.
    public func limits(_ resource: String) -> Quantity? {
        let areAllLimited = (containers + initContainers).allSatisfy { $0.limits[resource]?.isZero == false }
        return areAllLimited ? total(resource, \.limits) : nil
    }

    private func total(_ resource: String, _ amounts: (Container) -> [String: Quantity]) -> Quantity {
        let zero = Quantity(0)
        var sidecars = zero
        var largest = zero
        for container in initContainers {
            let amount = amounts(container)[resource] ?? zero
            largest = max(largest, sidecars + amount)
            if container.isSidecar { sidecars = sidecars + amount }
        }
        let sum = containers.reduce(sidecars) { $0 + (amounts($1)[resource] ?? zero) }
        let overhead = spec[["overhead", resource]]?.string.flatMap(Quantity.init(parsing:)) ?? zero
        return max(sum, largest) + overhead
    }

    /// `Guaranteed`, `Burstable` or `BestEffort` (Kubernetes docs, "Pod Quality of Service Classes").
    public var qosClass: String {
        let all = containers + initContainers
        if all.allSatisfy({ $0.requests.isEmpty && $0.limits.isEmpty }) { return "BestEffort" }
        let isGuaranteed = all.allSatisfy { container in
            ["cpu", "memory"].allSatisfy { resource in
                guard let limit = container.limits[resource], !limit.isZero else { return false }
                return (container.requests[resource] ?? limit) == limit
            }
        }
        return isGuaranteed ? "Guaranteed" : "Burstable"
    }
}

/// A view of one container of a pod's spec.
public struct Container: Sendable, Hashable {
    public var value: JSONValue

    public init(_ value: JSONValue) { self.value = value }

    public var name: String { value["name"]?.string ?? "" }
    public var image: String { value["image"]?.string ?? "" }
    public var imagePullPolicy: String { value["imagePullPolicy"]?.string ?? "IfNotPresent" }
    public var command: [String] { value["command"]?.array?.compactMap(\.string) ?? [] }
    public var arguments: [String] { value["args"]?.array?.compactMap(\.string) ?? [] }
    public var workingDirectory: String? { value["workingDir"]?.string }
    public var requests: [String: Quantity] { Self.quantities(value[["resources", "requests"]]) }
    public var limits: [String: Quantity] { Self.quantities(value[["resources", "limits"]]) }
    public var ports: [JSONValue] { value["ports"]?.array ?? [] }
    public var hasInput: Bool { value["stdin"]?.bool ?? false }
    /// The input ends with the first client that was attached to it.
    public var isInputOnce: Bool { value["stdinOnce"]?.bool ?? false }
    public var isTerminal: Bool { value["tty"]?.bool ?? false }
    /// An init container that keeps running beside the others.
    public var isSidecar: Bool { value["restartPolicy"]?.string == "Always" }

    public func probe(_ kind: Probe.Kind) -> Probe? { value[kind.rawValue].map { Probe(kind, $0) } }

    /// The number of a port given by number or by the name of one of this container's ports.
    public func port(_ port: JSONValue?) -> Int? {
        if let number = port?.int { return number }
        guard let name = port?.string else { return nil }
        return ports.first { $0["name"]?.string == name }?["containerPort"]?.int ?? Int(name)
    }

    private static func quantities(_ value: JSONValue?) -> [String: Quantity] {
        var quantities: [String: Quantity] = [:]
        for (name, amount) in value?.object ?? [:] {
            switch amount {
            case .string(let text): quantities[name] = Quantity(parsing: text)
            case .int(let number): quantities[name] = Quantity(number)
            default: break
            }
        }
        return quantities
    }
}

/// A view of a container's probe.
public struct Probe: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        case startup = "startupProbe"
        case liveness = "livenessProbe"
        case readiness = "readinessProbe"
    }

    public let kind: Kind
    public let value: JSONValue

    public init(_ kind: Kind, _ value: JSONValue) {
        self.kind = kind
        self.value = value
    }

    public var initialDelaySeconds: Int { value["initialDelaySeconds"]?.int ?? 0 }
    public var periodSeconds: Int { max(1, value["periodSeconds"]?.int ?? 10) }
    public var timeoutSeconds: Int { max(1, value["timeoutSeconds"]?.int ?? 1) }
    public var successThreshold: Int { max(1, value["successThreshold"]?.int ?? 1) }
    public var failureThreshold: Int { max(1, value["failureThreshold"]?.int ?? 3) }
}
