/// The types that describe a Job; CronJobs hold the same.
enum JobSchemas {
    private static let exitCodes = Schema.object(
        "io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement",
        doc: "Exit codes of containers that a rule is about.",
        [
            .field("containerName", .string, doc: "The container; every one if absent."),
            .field(
                "operator", .string,
                doc: "In: the code is one of the values; NotIn: it is not 0 and none of the values."),
            .field(
                "values", .set(of: .int32).with { $0.patchStrategies = [] },
                doc: "The exit codes, in order and without repeats; at most 255."),
        ])

    private static let podCondition = Schema.object(
        "io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern",
        doc: "A condition of the failed pod that a rule is about.",
        [
            .field("status", .string, default: "True", doc: "The status that the condition must have."),
            .field("type", .string, required: true, doc: "Type of the condition."),
        ])

    private static let failureRule = Schema.object(
        "io.k8s.api.batch.v1.PodFailurePolicyRule",
        doc: "What to do about a failed pod; either exit codes or conditions say which.",
        [
            .field(
                "action", .string,
                doc: "FailJob ends the Job, FailIndex gives up the pod's index, Ignore does not count the failure, "
                    + "Count counts it as usual."),
            .field("onExitCodes", exitCodes, doc: "Exit codes of containers."),
            .field(
                "onPodConditions", .list(of: podCondition), doc: "Conditions of the pod, of which one must be met."),
        ])

    static let failurePolicy = Schema.object(
        "io.k8s.api.batch.v1.PodFailurePolicy", doc: "What failures of pods mean for the Job.",
        [
            .field(
                "rules", .list(of: failureRule),
                doc: "The rules in their order; the first that fits decides, and without one the failure counts.")
        ])

    private static let successRule = Schema.object(
        "io.k8s.api.batch.v1.SuccessPolicyRule", doc: "What must have succeeded for the Job to be done.",
        [
            .field("succeededCount", .int32, doc: "How many of the indexes must have succeeded."),
            .field("succeededIndexes", .string, doc: "Which indexes count, for example 1,3-5; all if absent."),
        ])

    static let successPolicy = Schema.object(
        "io.k8s.api.batch.v1.SuccessPolicy", doc: "When an indexed Job counts as done before all indexes are.",
        [.field("rules", .list(of: successRule), doc: "The rules, of which one must be met; at most 20.")])

    private static let limits: [SchemaField] = [
        .field("parallelism", .int32, minimum: 0, doc: "How many pods may run at the same time."),
        .field(
            "completions", .int32, minimum: 0,
            doc: "How many pods must succeed; if absent, the success of one is that of all."),
        .field(
            "activeDeadlineSeconds", .int64, minimum: 0,
            doc: "Seconds after which the Job is ended, wherever it stands."),
        .field("backoffLimit", .int32, minimum: 0, doc: "How many failures are borne before the Job counts as failed."),
        .field(
            "ttlSecondsAfterFinished", .int32, minimum: 0,
            doc: "Seconds after its end when the Job is deleted; it stays if absent."),
        .field(
            "backoffLimitPerIndex", .int32, minimum: 0,
            doc: "How many failures are borne for each index; only for indexed Jobs."),
        .field(
            "maxFailedIndexes", .int32, minimum: 0,
            doc: "How many indexes may fail before the whole Job does; needs backoffLimitPerIndex."),
    ]

    private static let ways: [SchemaField] = [
        .field(
            "managedBy", .string, keepsZero: true, doc: "The controller that runs the Job; the built-in one if absent."),
        .field(
            "completionMode", .string, oneOf: ["NonIndexed", "Indexed"],
            doc: "NonIndexed: any pod's success counts; Indexed: each pod has a number from 0 to completions - 1."),
        .field("podFailurePolicy", failurePolicy, doc: "What failures of pods mean for the Job."),
        .field("successPolicy", successPolicy, doc: "When an indexed Job counts as done before all indexes are."),
        .field(
            "podReplacementPolicy", .string,
            doc: "TerminatingOrFailed replaces a pod when it is asked to end; Failed when it has ended."),
        .field(
            "selector", LabelSelectorSchema.selector,
            doc: "The pods that belong to the Job; made by the server unless manualSelector is set."),
        .field("manualSelector", .bool, doc: "Whether selector and pod labels are the writer's own affair."),
        .field("suspend", .bool, doc: "Whether no pods are to run for now."),
        .field(
            "template", PodSchemas.template, default: [:],
            doc: "What the pods are made from; their restartPolicy is Never or OnFailure."),
    ]

    static let spec = Schema.object(
        "io.k8s.api.batch.v1.JobSpec", doc: "What is to be done, how often and how many times in parallel.",
        limits + ways
    ).checking(JobRules.checkSpec)

    private static let condition = MetadataSchemas.condition(
        "io.k8s.api.batch.v1.JobCondition",
        [.field("lastProbeTime", .time, doc: "When the condition was last checked.")])

    private static let uncounted = Schema.object(
        "io.k8s.api.batch.v1.UncountedTerminatedPods",
        doc: "Pods that have ended and are not yet in the numbers.",
        [
            .field("failed", .set(of: .string).with { $0.patchStrategies = [] }, doc: "UIDs of failed pods."),
            .field(
                "succeeded", .set(of: .string).with { $0.patchStrategies = [] }, doc: "UIDs of pods that succeeded."),
        ])

    static let status = Schema.object(
        "io.k8s.api.batch.v1.JobStatus", doc: "How far the Job has come.",
        [
            .field("active", .int32, doc: "Pods that wait or run and are not on their way out."),
            .field("completedIndexes", .string, doc: "Indexes that have succeeded, for example 1,3-5."),
            .field("completionTime", .time, doc: "When the Job was done; absent for one that failed."),
            .field(
                "conditions", .list(of: condition, keys: ["type"]).with { $0.listMapKeys = [] },
                doc: "Complete, Failed, Suspended, SuccessCriteriaMet, FailureTarget."),
            .field("failed", .int32, doc: "Pods that failed."),
            .field(
                "failedIndexes", .string, keepsZero: true, doc: "Indexes that have failed for good, for example 1,3-5."),
            .field("ready", .int32, doc: "Active pods that are ready."),
            .field("startTime", .time, doc: "When the Job was first taken up, or last resumed."),
            .field("succeeded", .int32, doc: "Pods that succeeded."),
            .field("terminating", .int32, doc: "Pods that are on their way out."),
            .field("uncountedTerminatedPods", uncounted, doc: "Pods that have ended and are not yet in the numbers."),
        ])
}
