/// What the program itself tells a scene about the learner; a script writes `{$learner}` or `<<if $attempts > 2>>`.
///
/// A variable of which nothing is known yet is left out: it is false, 0 and empty in conditions.
public enum SceneVariable: String, Sendable, CaseIterable {
    /// The learner's name.
    case learner
    /// How many checkpoints the learner has had judged.
    case attempts
    /// How long the cluster took to replace a deleted pod in the latest run of such a check, in seconds.
    case recoverySeconds = "recovery_seconds"
}
