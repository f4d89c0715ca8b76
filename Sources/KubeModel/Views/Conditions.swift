/// One entry of `status.conditions`.
public struct StatusCondition: Sendable, Hashable {
    public var value: JSONValue

    public init(_ value: JSONValue) { self.value = value }

    /// - Parameter updates: Also keep `lastUpdateTime`, as Deployments do.
    public init(
        _ type: String, _ isTrue: Bool, reason: String = "", message: String = "", at now: Timestamp,
        updates: Bool = false
    ) {
        value = ["type": .string(type), "status": isTrue ? "True" : "False"]
        if updates { value["lastUpdateTime"] = .string(now.text) }
        value["lastTransitionTime"] = .string(now.text)
        if !reason.isEmpty { value["reason"] = .string(reason) }
        if !message.isEmpty { value["message"] = .string(message) }
    }

    public var type: String { value["type"]?.string ?? "" }
    public var status: String { value["status"]?.string ?? "Unknown" }
    public var isTrue: Bool { status == "True" }
    public var reason: String { value["reason"]?.string ?? "" }
    public var message: String { value["message"]?.string ?? "" }
    public var lastTransitionTime: Timestamp? { value["lastTransitionTime"]?.string.flatMap(Timestamp.init(parsing:)) }
    public var lastUpdateTime: Timestamp? { value["lastUpdateTime"]?.string.flatMap(Timestamp.init(parsing:)) }
}

/// A list of conditions, one of each type.
public struct Conditions: Sendable, Hashable {
    public private(set) var list: [StatusCondition]

    public init(_ value: JSONValue?) { list = (value?.array ?? []).map(StatusCondition.init) }

    public var value: JSONValue { .array(list.map(\.value)) }

    public subscript(type: String) -> StatusCondition? { list.first { $0.type == type } }

    /// Sets a condition; its transition time stays when its status does.
    ///
    /// One that says the same as before is left as it is.
    public mutating func set(_ condition: StatusCondition) {
        guard let index = list.firstIndex(where: { $0.type == condition.type }) else {
            list.append(condition)
            return
        }
        let old = list[index]
        guard old.status != condition.status || old.reason != condition.reason || old.message != condition.message
        else {
            return
        }
        var new = condition
        if old.status == condition.status, let time = old.value["lastTransitionTime"] {
            new.value["lastTransitionTime"] = time
        }
        list[index] = new
    }

    /// Brings the conditions into the order of some types; the others stay behind them as they were.
    public mutating func arrange(_ types: [String]) {
        list = types.compactMap { self[$0] } + list.filter { !types.contains($0.type) }
    }

    public mutating func remove(_ type: String) { list.removeAll { $0.type == type } }
}
