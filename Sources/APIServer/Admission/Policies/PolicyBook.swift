import KubeModel
import ObjectStore
import Synchronization

/// The policies in force, compiled again only after a policy or a binding was written.
final class PolicyBook: Sendable {
    /// A policy and the bindings that put it into force.
    struct Entry: Sendable {
        let policy: AdmissionPolicy
        let bindings: [AdmissionPolicyBinding]
    }

    private let entries = Mutex<[Entry]?>(nil)

    static let resources: Set<ResourceType> = [.validatingAdmissionPolicies, .validatingAdmissionPolicyBindings]

    /// Called after an object was written or taken away, before the writer is answered.
    func react(toWriteOf target: Target, in registry: Registry) async {
        guard Self.resources.contains(target.resource) else { return }
        entries.withLock { $0 = nil }
        guard target.resource == .validatingAdmissionPolicies else { return }
        await PolicyTypeCheck.writeStatus(of: target, in: registry)
    }

    /// The policies that have a binding, by their names.
    func entries(in store: ObjectStore) -> [Entry] {
        entries.withLock { entries in
            if let entries { return entries }
            let fresh = Self.read(AdmissionFacts(store: store))
            entries = fresh
            return fresh
        }
    }

    private static func read(_ facts: AdmissionFacts) -> [Entry] {
        let bindings = facts.objects(.validatingAdmissionPolicyBindings).map { AdmissionPolicyBinding($0.object) }
        guard !bindings.isEmpty else { return [] }
        return facts.objects(.validatingAdmissionPolicies).compactMap { item in
            let own = bindings.filter { $0.policyName == item.object.name }
            return own.isEmpty ? nil : Entry(policy: AdmissionPolicy(item.object), bindings: own)
        }
    }
}
