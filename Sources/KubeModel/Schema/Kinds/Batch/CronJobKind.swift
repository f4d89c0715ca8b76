private let jobTemplate = Schema.object(
    "io.k8s.api.batch.v1.JobTemplateSpec", doc: "What Jobs are made from.",
    [
        .field("metadata", MetadataSchemas.metadata, doc: "Labels and annotations that each Job gets."),
        .field("spec", JobSchemas.spec, default: [:], doc: "What each Job is to do."),
    ])

private let spec = Schema.object(
    "io.k8s.api.batch.v1.CronJobSpec", doc: "What is to be done, and when.",
    [
        .field(
            "schedule", .string, required: true,
            doc: "When: minute, hour, day, month and weekday, as in crontab, or a word such as @daily."),
        .field(
            "startingDeadlineSeconds", .int64, minimum: 0,
            doc: "Seconds by which a start may be late; a later one is missed."),
        .field(
            "timeZone", .string, keepsZero: true,
            doc: "The zone of the schedule, for example Europe/Berlin; the controller's if absent."
        ),
        .field(
            "concurrencyPolicy", .string, default: "Allow", oneOf: ["Allow", "Forbid", "Replace"],
            doc: "What happens when the Job before still runs: Allow starts another, Forbid skips, Replace ends it."),
        .field("suspend", .bool, default: false, doc: "Whether no Jobs are started for now."),
        .field("jobTemplate", jobTemplate, default: [:], doc: "What the Jobs are made from."),
        .field(
            "successfulJobsHistoryLimit", .int32, default: 3, minimum: 0,
            doc: "How many Jobs that are done are kept."),
        .field("failedJobsHistoryLimit", .int32, default: 1, minimum: 0, doc: "How many Jobs that failed are kept."),
    ]
).checking { value, path, errors in
    let template = path.child("jobTemplate", "spec")
    let job = value[["jobTemplate", "spec"]]
    if let selector = job?["selector"], selector.object != nil {
        errors.append(
            FieldError(
                .invalid, template.child("selector"), shownValue: GoText.selector(selector),
                "`selector` will be auto-generated"))
    }
    if job?["manualSelector"] == true {
        errors.append(.notSupported(template.child("manualSelector"), true, ["nil", "false"]))
    }
}

private let status = Schema.object(
    "io.k8s.api.batch.v1.CronJobStatus", doc: "What the CronJob has started.",
    [
        .field("active", .list(of: VolumeSchemas.objectReference), doc: "Jobs that still run."),
        .field("lastScheduleTime", .time, doc: "The last time for which a Job was started."),
        .field("lastSuccessfulTime", .time, doc: "When a Job was last done."),
    ])

private func checkSchedule(_ object: KubeObject, _ errors: inout [FieldError]) {
    let path = FieldPath("spec", "schedule")
    guard let schedule = object.value[["spec", "schedule"]]?.string, !schedule.isEmpty else { return }
    do throws(CronError) {
        _ = try CronSchedule(parsing: schedule)
    } catch {
        errors.append(.invalid(path, .string(schedule), error.message))
    }
    if schedule.contains("TZ") {
        errors.append(
            .invalid(
                path, .string(schedule), "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"))
    }
}

private func isZonePart(_ part: Substring) -> Bool {
    guard part != ".", part != "..", !part.hasPrefix("-"), 1...14 ~= part.utf8.count else { return false }
    return part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-_+".contains($0)) }
}

private func checkZone(_ object: KubeObject, _ errors: inout [FieldError]) {
    guard let zone = object.value[["spec", "timeZone"]], let name = zone.string else { return }
    let path = FieldPath("spec", "timeZone")
    if name.isEmpty {
        errors.append(.invalid(path, zone, "timeZone must be nil or non-empty string"))
        return
    }
    let unknown = FieldError.invalid(path, zone, "unknown time zone \(name)")
    guard name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(isZonePart) else {
        errors.append(unknown)
        return
    }
    if name.lowercased() == "local" {
        errors.append(
            .invalid(
                path, zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"))
        if name == "Local" { return }
    }
    if !TimeZoneRules.isKnown(name) { errors.append(unknown) }
}

extension KindSchema {
    /// Starts Jobs at set times.
    static let cronJob = KindSchema(
        .cronJobs, shortNames: ["cj"], categories: ["all"],
        root: MetadataSchemas.kind(
            "io.k8s.api.batch.v1.CronJob", doc: "Starts Jobs at set times.",
            [
                .field("spec", spec, default: [:], doc: "What is to be done, and when."),
                .field("status", status, doc: "What has been started."),
            ]),
        subresources: ["status"],
        columns: [
            .name,
            .value("Schedule", ["spec", "schedule"], absent: "", "When Jobs are started."),
            .value("Timezone", ["spec", "timeZone"], "The zone of the schedule."),
            .computed("Suspend", type: "boolean", "Whether no Jobs are started.") { object, _ in
                object.value[["spec", "suspend"]] == true ? "True" : "False"
            },
            .computed("Active", type: "integer", "Jobs that still run.") { object, _ in
                JSONValue(object.value[["status", "active"]]?.array?.count ?? 0)
            },
            .computed("Last Schedule", "How long ago a Job was last started.") { object, now in
                let time = object.value[["status", "lastScheduleTime"]]?.string.flatMap(Timestamp.init(parsing:))
                return .string(time.map { HumanDuration.since($0, now: now) } ?? "<none>")
            },
            .age,
            .wide("Containers", "Names of the containers in the template.") { object, _ in
                .string(ContainerCells(object.value[["spec", "jobTemplate", "spec", "template", "spec"]]).names)
            },
            .wide("Images", "Images of the containers in the template.") { object, _ in
                .string(ContainerCells(object.value[["spec", "jobTemplate", "spec", "template", "spec"]]).images)
            },
            .wide("Selector", "The pods that belong to the Jobs.") { object, _ in
                .string(ContainerCells.selector(object.value[["spec", "jobTemplate", "spec", "selector"]]))
            },
        ],
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.initialStatus = [:]
            $0.validate = { object, errors in
                // Jobs add eleven characters to the name, and have at most 63.
                if object.name.utf8.count > 52 {
                    errors.append(
                        .invalid(
                            FieldPath("metadata", "name"), .string(object.name), "must be no more than 52 characters"))
                }
                checkSchedule(object, &errors)
                checkZone(object, &errors)
            }
        })
}
