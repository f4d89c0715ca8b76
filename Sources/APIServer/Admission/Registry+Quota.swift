import KubeModel
import ObjectStore

/// What was counted against one quota.
struct QuotaCharge: Sendable {
    let quota: StoreKey
    let amounts: [String: Quantity]
}

/// Nothing is written that a namespace's quotas do not leave room for (`Resource Quotas`).
///
/// What is used is kept in the quota's status and changed by compare-and-swap before the object is written, so that of two
/// requests for the last place one is refused.
extension Registry {
    private static let quotaAttemptsMax = 16

    func chargeQuotas(_ object: KubeObject, _ request: AdmissionRequest) async throws(Status) -> [QuotaCharge] {
        guard request.subresource == nil, let namespace = object.namespace, isCounted(request) else { return [] }
        let facts = AdmissionFacts(store: store)
        let quotas = facts.objects(.resourceQuotas, in: namespace)
        guard !quotas.isEmpty else { return [] }
        var charges: [QuotaCharge] = []
        for quota in quotas {
            do throws(Status) {
                if let charge = try await charge(quota.key, object, request) { charges.append(charge) }
            } catch {
                for charge in charges { await giveBack(charge) }
                throw error
            }
        }
        return charges
    }

    /// Of most objects only their number counts; a service or claim can come to use more.
    private func isCounted(_ request: AdmissionRequest) -> Bool {
        request.operation == .create || [.services, .persistentVolumeClaims].contains(request.resource)
    }

    private func charge(
        _ key: StoreKey, _ object: KubeObject, _ request: AdmissionRequest
    ) async throws(Status) -> QuotaCharge? {
        for _ in 0..<Self.quotaAttemptsMax {
            guard let stored = store.get(key) else { return nil }
            guard let (changed, amounts) = try plan(stored.object, object, request) else { return nil }
            guard !request.isDryRun else { return nil }
            do throws(StoreError) {
                try await store.put(key, changed, .revision(stored.revision))
                return QuotaCharge(quota: key, amounts: amounts)
            } catch .conflict {
                continue
            } catch .notFound {
                return nil
            } catch {
                throw .answer(to: error, .resourceQuotas, name: key.name)
            }
        }
        throw .modified(.resourceQuotas, key.name)
    }

    /// The quota with the object counted, and what was counted; nil when the object does not concern it.
    private func plan(
        _ quota: KubeObject, _ object: KubeObject, _ request: AdmissionRequest
    ) throws(Status) -> (KubeObject, [String: Quantity])? {
        let usage = QuotaUsage(object, request.resource)
        let hard = Self.amounts(quota.value[["spec", "hard"]])
        let names = usage.concerned(hard.keys)
        guard !names.isEmpty, usage.matches(quota) else { return nil }
        if request.operation == .create, let missing = usage.missing(names) {
            throw request.forbidden(object, "failed quota: \(quota.name): \(missing)")
        }
        var delta = usage.amounts.filter { names.contains($0.key) }
        if let old = request.old {
            let before = QuotaUsage(old, request.resource).amounts
            for (name, amount) in delta { delta[name] = max(Quantity(0), amount - (before[name] ?? Quantity(0))) }
        }
        delta = delta.filter { !$0.value.isZero }
        guard !delta.isEmpty else { return nil }
        var used = Self.amounts(quota.value[["status", "used"]])
        // Nobody has added up yet what is there.
        for name in names where used[name] == nil { used[name] = present(name, quota, request) }
        let exceeded = delta.keys.filter { name in
            guard let limit = hard[name], let now = used[name], let more = delta[name] else { return false }
            return now + more > limit
        }
        guard exceeded.isEmpty else {
            func shown(_ amounts: [String: Quantity]) -> String {
                exceeded.sorted().map { "\($0)=\(amounts[$0] ?? Quantity(0))" }.joined(separator: ",")
            }
            throw request.forbidden(
                object,
                "exceeded quota: \(quota.name), requested: \(shown(delta)), used: \(shown(used)), limited: "
                    + shown(hard))
        }
        var changed = quota
        changed.value[["status", "hard"]] = quota.value[["spec", "hard"]]
        for (name, amount) in delta { used[name] = (used[name] ?? Quantity(0)) + amount }
        for (name, amount) in used.sorted(by: { $0.key < $1.key }) {
            changed.value[["status", "used", name]] = .string(amount.description)
        }
        return (changed, delta)
    }

    /// What the objects of the request's kind that are there use of one of a quota's amounts.
    private func present(_ name: String, _ quota: KubeObject, _ request: AdmissionRequest) -> Quantity {
        let objects = AdmissionFacts(store: store).objects(request.resource, in: quota.namespace)
        return objects.reduce(Quantity(0)) { sum, item in
            let usage = QuotaUsage(item.object, request.resource)
            guard usage.matches(quota), let amount = usage.amounts[name] else { return sum }
            return sum + amount
        }
    }

    func giveBack(_ charge: QuotaCharge) async {
        for _ in 0..<Self.quotaAttemptsMax {
            guard let stored = store.get(charge.quota) else { return }
            var quota = stored.object
            for (name, amount) in charge.amounts {
                guard let used = Self.amounts(quota.value[["status", "used"]])[name] else { continue }
                quota.value[["status", "used", name]] = .string((used - amount).description)
            }
            do throws(StoreError) {
                try await store.put(charge.quota, quota, .revision(stored.revision))
                return
            } catch .conflict {
                continue
            } catch {
                return
            }
        }
    }

    private static func amounts(_ value: JSONValue?) -> [String: Quantity] {
        var amounts: [String: Quantity] = [:]
        for (name, amount) in value?.object ?? [:] {
            amounts[name] = Quantity(parsing: amount.string ?? amount.text)
        }
        return amounts
    }
}
