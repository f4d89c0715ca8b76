import Synchronization

/// How much memory the bodies of all requests that are being received or answered may take together.
final class BodyBudget: Sendable {
    private let bytesMax: Int
    private let used = Atomic(0)

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// The part of one request; given back when nobody has the request any more.
    final class Share {
        private let budget: BodyBudget
        private var taken = 0

        init(_ budget: BodyBudget) { self.budget = budget }

        deinit { budget.used.subtract(taken, ordering: .relaxed) }

        /// Takes more; false when there is no more.
        func take(_ count: Int) -> Bool {
            let before = budget.used.add(count, ordering: .relaxed).oldValue
            guard before + count <= budget.bytesMax else {
                budget.used.subtract(count, ordering: .relaxed)
                return false
            }
            taken += count
            return true
        }

        /// What follows the last `take`: the part is only kept, and may go to another task.
        func sealed() -> Receipt { Receipt(budget, taking: &taken) }
    }

    /// A part that does not change any more.
    final class Receipt: Sendable {
        private let budget: BodyBudget
        private let taken: Int

        fileprivate init(_ budget: BodyBudget, taking taken: inout Int) {
            self.budget = budget
            self.taken = taken
            taken = 0
        }

        deinit { budget.used.subtract(taken, ordering: .relaxed) }
    }
}
