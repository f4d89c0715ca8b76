/// An object read as one kind: named properties over the object, which stays the only truth.
public protocol ObjectView: Sendable, Hashable {
    var object: KubeObject { get set }

    /// - Parameter object: Of the view's kind; what is missing in it reads as its default.
    init(_ object: KubeObject)
}

extension ObjectView {
    public var key: ObjectKey { ObjectKey(object) }
    public var name: String { object.name }
    public var spec: JSONValue { object.value["spec"] ?? [:] }
    public var status: JSONValue { object.value["status"] ?? [:] }
}

/// What keeps pods running that are made from a template.
public protocol WorkloadView: ObjectView {
    var selector: LabelSelector { get }
}

extension WorkloadView {
    public var selector: LabelSelector { LabelSelector(spec["selector"]) }
    public var template: JSONValue { spec["template"] ?? [:] }
    public var replicas: Int { spec["replicas"]?.int ?? 1 }
    /// A pod counts as available when it has been ready for so long.
    public var minReadySeconds: Int { spec["minReadySeconds"]?.int ?? 0 }
    /// How many outdated revisions are kept.
    public var revisionHistoryLimit: Int { spec["revisionHistoryLimit"]?.int ?? 10 }
}
