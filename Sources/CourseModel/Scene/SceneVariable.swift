/// What the program itself tells a scene about the learner and their cluster: a script writes `{$learner}` or
/// `<<if $recovery_seconds > 0>>`.
///
/// Until something is known, it is left out of the facts: in conditions it is false, 0 and empty. In a line it shows
/// its ``standIn``, so a line that is about a measurement belongs behind a condition.
public enum SceneVariable: String, Sendable, CaseIterable {
    /// The learner's name.
    case learner
    /// How many checkpoints the learner has had judged.
    case attempts
    /// How many hints the learner has been shown.
    case hints
    /// The pod that a check deleted last.
    case pod
    /// The pod that came in its place.
    case newPod = "new_pod"
    /// How long the cluster took to replace a deleted pod in the latest run of such a check, in seconds.
    case recoverySeconds = "recovery_seconds"
    /// How long the learner took to mend the cluster in the latest drill, in seconds.
    case mendingSeconds = "mending_seconds"
    /// How long it took from 3 to 5 ready replicas in the latest run of such a check, in seconds.
    case scalingSeconds = "scaling_seconds"
    /// How long nothing answered while a rollout ran, in seconds.
    case downtimeSeconds = "downtime_seconds"
    /// True once ``downtimeSeconds`` was measured: 0 is the best value that it can have.
    case downtimeMeasured = "downtime_measured"

    /// What stands for it while nothing is known, and in the author's cut.
    public var standIn: SceneValue {
        switch self {
        case .learner: .text("the intern")
        case .attempts: .number(0)
        case .hints: .number(0)
        case .pod: .text("payment-gateway-deployment-6d4cf56db6-x7k2p")
        case .newPod: .text("payment-gateway-deployment-6d4cf56db6-q9wlt")
        case .recoverySeconds: .number(0)
        case .mendingSeconds: .number(0)
        case .scalingSeconds: .number(0)
        case .downtimeSeconds: .number(0)
        case .downtimeMeasured: .bool(false)
        }
    }

    /// What it means, in one sentence, for authors.
    public var about: String {
        switch self {
        case .learner: "the learner's name"
        case .attempts: "how many checkpoints have been judged"
        case .hints: "how many hints have been shown"
        case .pod: "the pod that a check deleted last"
        case .newPod: "the pod that came in its place"
        case .recoverySeconds: "seconds from the deletion to the ready replacement; 0 until measured"
        case .mendingSeconds: "seconds that the learner took to mend the cluster in the latest drill; 0 until measured"
        case .scalingSeconds: "seconds from 3 to 5 ready replicas; 0 until measured"
        case .downtimeSeconds: "seconds without an answer during a rollout; 0 until measured"
        case .downtimeMeasured: "true once downtime_seconds was measured"
        }
    }

    /// The facts, with stand-ins where nothing is known: what a scene's text is filled with.
    public static func filled(_ facts: [String: SceneValue]) -> [String: SceneValue] {
        var values = facts
        for variable in allCases where values[variable.rawValue] == nil { values[variable.rawValue] = variable.standIn }
        return values
    }
}
