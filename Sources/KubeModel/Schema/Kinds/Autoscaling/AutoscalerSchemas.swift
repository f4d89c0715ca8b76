/// The parts of a HorizontalPodAutoscaler of `autoscaling/v2`.
enum AutoscalerSchemas {
    private static func type(_ name: String, doc: String, _ fields: [SchemaField]) -> Schema {
        .object("io.k8s.api.autoscaling.v2.\(name)", doc: doc, fields)
    }

    static let reference = type(
        "CrossVersionObjectReference", doc: "Names an object of the same namespace.",
        [
            .field("apiVersion", .string, doc: "API version of the object."),
            .field("kind", .string, doc: "Kind of the object, for example Deployment."),
            .field("name", .string, doc: "Name of the object."),
        ])

    private static let identifier = type(
        "MetricIdentifier", doc: "Names a metric.",
        [
            .field("name", .string, doc: "Name of the metric."),
            .field("selector", LabelSelectorSchema.selector, doc: "Which series of the metric, if there are several."),
        ])

    private static let target = type(
        "MetricTarget", doc: "The value that is aimed at.",
        [
            .field(
                "averageUtilization", .int32,
                doc: "The average over all pods in percent of what they request; for resources only."),
            .field("averageValue", .quantity, doc: "The average over all pods."),
            .field("type", .string, doc: "Utilization, Value or AverageValue."),
            .field("value", .quantity, doc: "The value of the metric itself."),
        ])

    private static let current = type(
        "MetricValueStatus", doc: "The value that was measured.",
        [
            .field("averageUtilization", .int32, doc: "The average over all pods in percent of what they request."),
            .field("averageValue", .quantity, doc: "The average over all pods."),
            .field("value", .quantity, doc: "The value of the metric itself."),
        ])

    /// One member for each source of a metric, for the wish and for the status.
    private static func sources(_ suffix: String, _ valueName: String, _ value: Schema, doc: String) -> [SchemaField] {
        let metric = SchemaField.field("metric", identifier, default: [:], doc: "Which metric.")
        let goal = SchemaField.field(valueName, value, default: [:], doc: doc)
        let name = SchemaField.field("name", .string, doc: "The resource: cpu or memory.")
        let described = SchemaField.field(
            "describedObject", reference, default: [:], doc: "The object that is measured.")
        return [
            .field(
                "containerResource",
                type(
                    "ContainerResourceMetric\(suffix)", doc: "A resource as one container of each pod uses it.",
                    [.field("container", .string, doc: "Name of the container."), goal, name]),
                doc: "A resource as one container of each pod uses it; for type ContainerResource."),
            .field(
                "external",
                type("ExternalMetric\(suffix)", doc: "A metric from outside of the cluster.", [goal, metric]),
                doc: "A metric from outside of the cluster; for type External."),
            .field(
                "object", type("ObjectMetric\(suffix)", doc: "A metric of one object.", [goal, described, metric]),
                doc: "A metric of one object; for type Object."),
            .field(
                "pods", type("PodsMetric\(suffix)", doc: "A metric of each pod.", [goal, metric]),
                doc: "A metric of each pod; for type Pods."),
            .field(
                "resource", type("ResourceMetric\(suffix)", doc: "A resource that the pods use.", [goal, name]),
                doc: "A resource that the pods use, against what they request; for type Resource."),
            .field("type", .string, doc: "Resource, ContainerResource, Pods, Object or External."),
        ]
    }

    static let metric = type(
        "MetricSpec", doc: "One measure by which the number of pods is chosen.",
        sources("Source", "target", target, doc: "The value that is aimed at."))

    static let metricStatus = type(
        "MetricStatus", doc: "What was last measured.",
        sources("Status", "current", current, doc: "The value that was measured."))

    private static let policy = type(
        "HPAScalingPolicy", doc: "How much may change within a time.",
        [
            .field("periodSeconds", .int32, doc: "The time in seconds, at most 1800."),
            .field("type", .string, doc: "Pods counts pods, Percent is a share of those that are there."),
            .field("value", .int32, doc: "How many pods, or how many percent."),
        ])

    private static let rules = type(
        "HPAScalingRules", doc: "How fast the number of pods may change in one direction.",
        [
            .field("policies", .list(of: policy), doc: "Limits of the change; at least one."),
            .field(
                "selectPolicy", .string,
                doc: "Which limit counts: Max the most generous, Min the strictest, Disabled allows no change."),
            .field(
                "stabilizationWindowSeconds", .int32,
                doc: "Seconds of recommendations that are looked at, so that the number does not flap."),
        ])

    private static func policy(_ type: String, _ value: Int) -> JSONValue {
        ["type": .string(type), "value": JSONValue(value), "periodSeconds": 15]
    }

    private static let behavior = type(
        "HorizontalPodAutoscalerBehavior", doc: "How fast the number of pods may change.",
        [
            .field("scaleDown", rules, doc: "The way down; by default everything at once, after 300 quiet seconds."),
            .field("scaleUp", rules, doc: "The way up; by default 4 pods or a doubling every 15 seconds."),
        ]
    ).defaulting { behavior in
        behavior.setDefault("scaleUp", [:])
        behavior.setDefault("scaleDown", [:])
        behavior.change("scaleUp") { rules in
            rules.setDefault("stabilizationWindowSeconds", 0)
            rules.setDefault("selectPolicy", "Max")
            rules.setDefault("policies", [policy("Pods", 4), policy("Percent", 100)])
        }
        behavior.change("scaleDown") { rules in
            rules.setDefault("selectPolicy", "Max")
            rules.setDefault("policies", [policy("Percent", 100)])
        }
    }

    static let defaultMetrics: JSONValue = [
        [
            "type": "Resource",
            "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 80]],
        ]
    ]

    static let spec = type(
        "HorizontalPodAutoscalerSpec", doc: "What is scaled, by which measures, and how far.",
        [
            .field("behavior", behavior, doc: "How fast the number of pods may change."),
            .field("maxReplicas", .int32, doc: "The most pods."),
            .field("metrics", .list(of: metric), doc: "The measures; the one that wants most pods wins."),
            .field("minReplicas", .int32, default: 1, doc: "The fewest pods."),
            .field("scaleTargetRef", reference, default: [:], doc: "What is scaled."),
        ]
    ).defaulting { spec in
        if JSONValue.isEmpty(spec["metrics"]) { spec["metrics"] = defaultMetrics }
    }

    static let status = type(
        "HorizontalPodAutoscalerStatus", doc: "What was measured and decided.",
        [
            .field(
                "conditions",
                .list(
                    of: MetadataSchemas.condition("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition"),
                    keys: ["type"]),
                doc: "AbleToScale, ScalingActive, ScalingLimited."),
            .field(
                "currentMetrics", .list(of: metricStatus).with { $0.isNullable = true }, doc: "What was last measured."),
            .field("currentReplicas", .int32, doc: "Pods that were there when it was last looked at."),
            .field("desiredReplicas", .int32, doc: "Pods that were last found to be needed."),
            .field("lastScaleTime", .time, doc: "When the number of pods was last changed."),
            .field("observedGeneration", .int64, doc: "The generation that the controller has seen."),
        ])
}
