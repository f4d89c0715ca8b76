extension ResourceType {
    /// Autoscalers as `autoscaling/v1` serves them; kept as those of `autoscaling/v2`.
    public static let horizontalPodAutoscalersV1 = ResourceType(
        group: "autoscaling", version: "v1", kind: "HorizontalPodAutoscaler", plural: "horizontalpodautoscalers")
}

private let statusV1 = Schema.object(
    "io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus", doc: "What was measured and decided.",
    [
        .field(
            "currentCPUUtilizationPercentage", .int32, keepsZero: true,
            doc: "The average use of CPU over all pods, in percent of what they request."),
        .field("currentReplicas", .int32, keepsZero: true, doc: "Pods that were there when it was last looked at."),
        .field("desiredReplicas", .int32, doc: "Pods that were last found to be needed."),
        .field("lastScaleTime", .time, doc: "When the number of pods was last changed."),
        .field("observedGeneration", .int64, doc: "The generation that the controller has seen."),
    ])

private let specV1 = Schema.object(
    "io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec", doc: "What is scaled, and how far.",
    [
        .field("maxReplicas", .int32, doc: "The most pods."),
        .field("minReplicas", .int32, default: 1, doc: "The fewest pods."),
        .field("scaleTargetRef", AutoscalerSchemas.reference, default: [:], doc: "What is scaled."),
        .field(
            "targetCPUUtilizationPercentage", .int32, keepsZero: true,
            doc: "The use of CPU that is aimed at, in percent of what the pods request; 80 if nothing else is said."),
    ])

private let purpose = "Changes the number of pods of a workload by what they use."

extension KindSchema {
    /// Changes the number of pods of a workload by what they use.
    static let horizontalPodAutoscaler = KindSchema(
        .horizontalPodAutoscalers, shortNames: ["hpa"], categories: ["all"],
        root: MetadataSchemas.kind(
            "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler", doc: purpose,
            [
                .field(
                    "spec", AutoscalerSchemas.spec, default: [:], doc: "What is scaled, by which measures, how far."),
                .field("status", AutoscalerSchemas.status, doc: "What was measured and decided."),
            ]),
        subresources: ["status"], columns: AutoscalerColumns.all,
        behavior: KindBehavior {
            $0.initialStatus = ["currentMetrics": nil, "desiredReplicas": 0]
            $0.prepareForCreate = { AutoscalerAnnotations.drop(from: &$0) }
            $0.prepareForUpdate = { object, _, _ in AutoscalerAnnotations.drop(from: &object) }
            $0.validate = { object, errors in AutoscalerRules.check(object, into: &errors) }
            $0.validateUpdate = { object, _, subresource, errors in
                if subresource == "status" { AutoscalerRules.checkStatus(object, into: &errors) }
            }
        })

    /// The same autoscalers in the older form: CPU only, everything else in annotations.
    static let horizontalPodAutoscalerV1 = KindSchema(
        .horizontalPodAutoscalersV1, shortNames: ["hpa"], categories: ["all"],
        root: MetadataSchemas.kind(
            "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler", doc: purpose,
            [
                .field("spec", specV1, default: [:], doc: "What is scaled, and how far."),
                .field("status", statusV1, doc: "What was measured and decided."),
            ]),
        subresources: ["status"],
        columns: AutoscalerColumns.all.map { column in
            PrinterColumn(
                name: column.name, type: column.type, format: column.format, description: column.description,
                priority: column.priority
            ) { object, now in
                var stored = object
                AutoscalerConversion.toV2(&stored)
                return column.cell(stored, now)
            }
        },
        storedForm: StoredForm(
            .horizontalPodAutoscalers, judgedAs: { .horizontalPodAutoscaler }, toStored: AutoscalerConversion.toV2,
            toServed: AutoscalerConversion.toV1),
        behavior: KindBehavior { $0.initialStatus = ["currentReplicas": 0, "desiredReplicas": 0] })
}

/// The columns of `kubectl get hpa`.
private enum AutoscalerColumns {
    static let all: [PrinterColumn] = [
        .name,
        .computed("Reference", "What is scaled.") { object, _ in
            let reference = object.value[["spec", "scaleTargetRef"]]
            return .string("\(reference?["kind"]?.string ?? "")/\(reference?["name"]?.string ?? "")")
        },
        .computed("Targets", "What was measured, and what is aimed at.") { object, _ in
            .string(
                targets(
                    object.value[["spec", "metrics"]]?.array ?? [],
                    object.value[["status", "currentMetrics"]]?.array ?? []))
        },
        .computed("MinPods", "The fewest pods.") { object, _ in
            .string(object.value[["spec", "minReplicas"]]?.int.map(String.init) ?? "<unset>")
        },
        .count("MaxPods", ["spec", "maxReplicas"], "The most pods."),
        .count("Replicas", ["status", "currentReplicas"], "Pods that are there."),
        .age,
    ]

    private static func targets(_ metrics: [JSONValue], _ statuses: [JSONValue]) -> String {
        guard !metrics.isEmpty else { return "<none>" }
        let all = metrics.enumerated().map { index, metric in
            text(metric, statuses.indices.contains(index) ? statuses[index] : nil)
        }
        let shown = all.prefix(2).joined(separator: ", ")
        return all.count > 2 ? "\(shown) + \(all.count - 2) more..." : shown
    }

    private static func text(_ metric: JSONValue, _ status: JSONValue?) -> String {
        let type = metric["type"]?.string ?? ""
        let source = type.prefix(1).lowercased() + type.dropFirst()
        let target = metric[[source, "target"]]
        let current = status?[[source, "current"]]
        func amount(_ name: String) -> String {
            "\(current?[name]?.string ?? "<unknown>")/\(target?[name]?.string ?? "0")"
        }
        switch type {
        case "Resource", "ContainerResource":
            let name = metric[[source, "name"]]?.string ?? ""
            if target?["averageValue"] != nil { return "\(name): \(amount("averageValue"))" }
            let percent = current?["averageUtilization"]?.int.map { "\($0)%" } ?? "<unknown>"
            let goal = target?["averageUtilization"]?.int.map { "\($0)%" } ?? "<auto>"
            return "\(name): \(percent)/\(goal)"
        case "Pods": return amount("averageValue")
        case "Object", "External":
            return target?["averageValue"] != nil ? "\(amount("averageValue")) (avg)" : amount("value")
        default: return "<unknown type>"
        }
    }
}
