import CourseModel
import KubeModel

/// What a condition looks like at one moment.
struct Assessment: Hashable, Sendable {
    enum State: Hashable, Sendable {
        case holds
        /// Waiting may help.
        case notYet
        /// Nothing moves: waiting will hardly help, unless that changes within a moment.
        case stuck
        /// Waiting does not help: somebody has to change something.
        case hopeless
    }

    let state: State
    let expected: String
    let found: String
    /// What is wrong, as far as it can be seen.
    let finding: Finding?

    init(_ state: State, expected: String, found: String, finding: Finding? = nil) {
        self.state = state
        self.expected = expected
        self.found = found
        self.finding = finding
    }
}

/// A cause with its names and numbers, in sentences for the learner.
struct Finding: Hashable, Sendable {
    let cause: Cause
    let text: String
    /// Waiting will not mend it.
    let isFinal: Bool

    init(_ cause: Cause, _ text: String, isFinal: Bool = false) {
        self.cause = cause
        self.text = text
        self.isFinal = isFinal
    }
}

/// A pod that a check has deleted, and what was there at that moment.
struct Victim: Hashable, Sendable {
    let name: String
    let namespace: String?
    let uid: String
    let owner: OwnerReference?
    /// The uids of all pods that were there before.
    let known: Set<String>
}
