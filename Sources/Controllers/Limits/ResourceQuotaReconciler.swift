import ControllerKit
import KubeClient
import KubeModel
import Synchronization

/// Writes into each quota what its namespace uses.
///
/// Admission counts an object in the quota before the object is written. To what lies between, a count from the objects is blind:
/// taken at its word it would hand out the same place twice. So a quota is only said to be used less when the count
/// comes out the same a while later, with nothing admitted meanwhile.
final class ResourceQuotaReconciler: Reconciler {
    /// Longer than any request takes from its admission to its object.
    static let doubt = Duration.milliseconds(250)

    private let client: any ClusterClient
    /// Every kind that lives in namespaces.
    private let kinds: @Sendable () -> [ResourceType]
    /// The versions of quotas of which less was found in use than they say.
    private let doubted = Mutex<[ObjectKey: String]>([:])

    init(client: any ClusterClient, kinds: @escaping @Sendable () -> [ResourceType]) {
        self.client = client
        self.kinds = kinds
    }

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let quota = try await client.find(.resourceQuotas, key), !quota.isBeingDeleted else { return .settled }
        var objects: [ResourceType: [KubeObject]] = [:]
        for kind in QuotaUsage.kinds(for: quota, among: kinds()) {
            objects[kind] = try await client.list(kind, in: key.namespace).items
        }
        let hard = quota.value[["spec", "hard"]] ?? [:]
        let used = QuotaUsage.used(of: quota, by: objects)
        let status = quota.value["status"]
        let before = doubted.withLock { $0.removeValue(forKey: key) }
        guard status?["hard"] ?? [:] != hard || !Self.areEqual(status?["used"], used) else { return .settled }
        if Self.isLess(used, than: status?["used"]), before != quota.resourceVersion {
            doubted.withLock { $0[key] = quota.resourceVersion }
            return .again(after: Self.doubt)
        }
        var changed = quota
        changed.value["status"] = ["hard": hard, "used": used]
        _ = try await client.updateStatus(.resourceQuotas, changed)
        return .settled
    }

    /// `1` and `1000m` are one amount.
    private static func areEqual(_ left: JSONValue?, _ right: JSONValue) -> Bool {
        let (left, right) = (left?.object ?? [:], right.object ?? [:])
        return left.count == right.count
            && right.allSatisfy { name, value in amount(left[name]) != nil && amount(left[name]) == amount(value) }
    }

    private static func isLess(_ used: JSONValue, than before: JSONValue?) -> Bool {
        (used.object ?? [:]).contains { name, value in
            guard let before = amount(before?[name]), let now = amount(value) else { return false }
            return now < before
        }
    }

    private static func amount(_ value: JSONValue?) -> Quantity? { value?.string.flatMap(Quantity.init(parsing:)) }
}
