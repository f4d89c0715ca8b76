/// A view of a `batch/v1.Job`.
public struct Job: ObjectView {
    /// Keeps a pod until the Job has counted it.
    public static let finalizer = "batch.kubernetes.io/job-tracking"
    public static let indexLabel = "batch.kubernetes.io/job-completion-index"
    public static let failureCountAnnotation = "batch.kubernetes.io/job-index-failure-count"

    public var object: KubeObject

    public init(_ object: KubeObject) { self.object = object }

    public var selector: LabelSelector { LabelSelector(spec["selector"]) }
    public var template: JSONValue { spec["template"] ?? [:] }
    public var parallelism: Int { spec["parallelism"]?.int ?? 1 }
    /// Nil when the success of one pod is that of all.
    public var completions: Int? { spec["completions"]?.int }
    public var backoffLimit: Int { spec["backoffLimit"]?.int ?? 6 }
    public var backoffLimitPerIndex: Int? { spec["backoffLimitPerIndex"]?.int }
    public var maxFailedIndexes: Int? { spec["maxFailedIndexes"]?.int }
    public var activeDeadlineSeconds: Int? { spec["activeDeadlineSeconds"]?.int }
    public var ttlSecondsAfterFinished: Int? { spec["ttlSecondsAfterFinished"]?.int }
    public var isIndexed: Bool { spec["completionMode"]?.string == "Indexed" }
    public var isSuspended: Bool { spec["suspend"]?.bool ?? false }
    public var restartsContainers: Bool { template[["spec", "restartPolicy"]]?.string == "OnFailure" }
    /// Whether a pod is replaced only when it has ended, and not when it is asked to.
    public var replacesOnlyFailed: Bool { spec["podReplacementPolicy"]?.string == "Failed" }
    public var isOwn: Bool {
        (spec["managedBy"]?.string ?? "kubernetes.io/job-controller") == "kubernetes.io/job-controller"
    }

    public var conditions: Conditions { Conditions(status["conditions"]) }
    public var isComplete: Bool { conditions["Complete"]?.isTrue ?? false }
    public var isFailed: Bool { conditions["Failed"]?.isTrue ?? false }
    public var isFinished: Bool { isComplete || isFailed }
    public var startTime: Timestamp? { status["startTime"]?.string.flatMap(Timestamp.init(parsing:)) }
    public var succeeded: Int { status["succeeded"]?.int ?? 0 }
    public var failed: Int { status["failed"]?.int ?? 0 }

    /// When the Job was done or failed; nil while it is neither.
    public var finishTime: Timestamp? {
        conditions.list.first { ($0.type == "Complete" || $0.type == "Failed") && $0.isTrue }?.lastTransitionTime
    }
}

/// A view of a `batch/v1.CronJob`.
public struct CronJob: ObjectView {
    public var object: KubeObject

    public init(_ object: KubeObject) { self.object = object }

    public var schedule: String { spec["schedule"]?.string ?? "" }
    public var timeZone: String { spec["timeZone"]?.string ?? "" }
    public var isSuspended: Bool { spec["suspend"]?.bool ?? false }
    /// `Allow`, `Forbid`, `Replace`.
    public var concurrencyPolicy: String { spec["concurrencyPolicy"]?.string ?? "Allow" }
    public var startingDeadlineSeconds: Int? { spec["startingDeadlineSeconds"]?.int }
    public var successfulJobsHistoryLimit: Int? { spec["successfulJobsHistoryLimit"]?.int }
    public var failedJobsHistoryLimit: Int? { spec["failedJobsHistoryLimit"]?.int }
    public var jobTemplate: JSONValue { spec["jobTemplate"] ?? [:] }
    /// References to the Jobs that still run.
    public var active: [JSONValue] { object.value[["status", "active"]]?.array ?? [] }
    public var lastScheduleTime: Timestamp? {
        object.value[["status", "lastScheduleTime"]]?.string.flatMap(Timestamp.init(parsing:))
    }
}
