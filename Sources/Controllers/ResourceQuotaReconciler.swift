import ControllerKit
import KubeClient
import KubeModel

/// Writes into each quota what its namespace uses.
struct ResourceQuotaReconciler: Reconciler {
    let client: any ClusterClient
    /// Every kind that lives in namespaces.
    let kinds: @Sendable () -> [ResourceType]

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let quota = try await client.find(.resourceQuotas, key), !quota.isBeingDeleted else { return .settled }
        var objects: [ResourceType: [KubeObject]] = [:]
        for kind in QuotaUsage.kinds(for: quota, among: kinds()) {
            objects[kind] = try await client.list(kind, in: key.namespace).items
        }
        let hard = quota.value[["spec", "hard"]] ?? [:]
        let used = QuotaUsage.used(of: quota, by: objects)
        let status = quota.value["status"]
        guard status?["hard"] ?? [:] != hard || !Self.areEqual(status?["used"], used) else { return .settled }
        var changed = quota
        changed.value["status"] = ["hard": hard, "used": used]
        _ = try await client.updateStatus(.resourceQuotas, changed)
        return .settled
    }

    /// `1` and `1000m` are one amount.
    private static func areEqual(_ left: JSONValue?, _ right: JSONValue) -> Bool {
        let (left, right) = (left?.object ?? [:], right.object ?? [:])
        return left.count == right.count
            && right.allSatisfy { name, value in
                let before = left[name]?.string.flatMap(Quantity.init(parsing:))
                return before != nil && before == value.string.flatMap(Quantity.init(parsing:))
            }
    }
}
