import KubeModel

/// To which sizes a rolling update brings the ReplicaSets of a Deployment next.
///
/// The arithmetic is Kubernetes' own (docs, "Rolling Update Deployment"): never more than `replicas + maxSurge` pods, never fewer
/// than `replicas - maxUnavailable` available ones.
struct RolloutPlan: Equatable, Sendable {
    /// New sizes, by the name of the ReplicaSet; those that stay as they are do not appear.
    var sizes: [String: Int] = [:]

    struct Set: Equatable, Sendable {
        var name: String
        var replicas: Int
        var available: Int
    }

    /// `old` are the other ReplicaSets of the Deployment, oldest first.
    init(replicas: Int, surge: Int, unavailable: Int, new: Set, old: [Set]) {
        let grown = Self.grow(replicas: replicas, surge: surge, new: new, old: old)
        if grown != new.replicas {
            sizes[new.name] = grown
            return
        }
        shrink(replicas: replicas, unavailable: unavailable, new: new, old: old)
    }

    private static func grow(replicas: Int, surge: Int, new: Set, old: [Set]) -> Int {
        if new.replicas > replicas { return replicas }
        let total = new.replicas + old.reduce(0) { $0 + $1.replicas }
        let room = max(0, replicas + surge - total)
        return min(replicas, new.replicas + room)
    }

    private mutating func shrink(replicas: Int, unavailable: Int, new: Set, old: [Set]) {
        let total = new.replicas + old.reduce(0) { $0 + $1.replicas }
        guard old.contains(where: { $0.replicas > 0 }) else { return }
        let minimum = replicas - unavailable
        var spare = total - minimum - (new.replicas - new.available)
        guard spare > 0 else { return }
        var old = old
        // Pods that do not work are no loss: they go first, whatever their age.
        for index in old.indices where spare > 0 {
            let broken = min(spare, old[index].replicas - old[index].available)
            guard broken > 0 else { continue }
            old[index].replicas -= broken
            sizes[old[index].name] = old[index].replicas
            spare -= broken
        }
        var room = new.available + old.reduce(0) { $0 + min($1.available, $1.replicas) } - minimum
        for index in old.indices where room > 0 {
            let gone = min(room, old[index].replicas)
            guard gone > 0 else { continue }
            old[index].replicas -= gone
            sizes[old[index].name] = old[index].replicas
            room -= gone
        }
    }

    /// Spreads a changed size over ReplicaSets in the middle of a rollout, in proportion to their own sizes.
    ///
    /// `sets` all have pods; the largest come first, then the newest.
    static func proportional(total wanted: Int, sets: [Set]) -> RolloutPlan {
        var plan = RolloutPlan()
        let present = sets.reduce(0) { $0 + $1.replicas }
        guard present > 0, wanted != present else { return plan }
        let difference = wanted - present
        var left = difference
        for set in sets {
            let exact = Double(set.replicas) * Double(difference) / Double(present)
            let share = Int(exact.rounded(.toNearestOrAwayFromZero))
            let bounded = difference > 0 ? min(share, left) : max(share, left)
            plan.sizes[set.name] = max(0, set.replicas + bounded)
            left -= bounded
        }
        if left != 0, let first = sets.first { plan.sizes[first.name] = max(0, (plan.sizes[first.name] ?? 0) + left) }
        plan.sizes = plan.sizes.filter { name, size in sets.first { $0.name == name }?.replicas != size }
        return plan
    }

    private init() {}
}
