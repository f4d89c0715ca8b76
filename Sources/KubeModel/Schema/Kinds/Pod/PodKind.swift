extension KindSchema {
    /// One or more programs that run together on one node.
    static let pod = KindSchema(
        .pods, shortNames: ["po"], categories: ["all"],
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.Pod", doc: "One or more programs that run together on one node.",
            [
                .field("spec", PodSchemas.ownSpec, default: [:], doc: "What the pod is to run, and how."),
                .field("status", PodStatusSchemas.status, doc: "What the pod has reached."),
            ]
        ).defaulting(PodRules.completePod),
        subresources: [
            "attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "status",
        ],
        columns: PodColumns.all,
        selectableFields: [
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
            "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
        ],
        behavior: KindBehavior {
            $0.prepareForCreate = { pod in
                PodRules.admit(&pod)
                pod.value["status"] = PodRules.initialStatus(pod)
            }
            $0.prepareForUpdate = { pod, old, subresource in
                // Only their own sub-resource adds ephemeral containers, and it changes nothing else.
                let path = ["spec", "ephemeralContainers"]
                if subresource == "ephemeralcontainers" {
                    let added = pod.value[path]
                    pod.value = old.value
                    pod.value[path] = added
                } else {
                    pod.value[path] = old.value[path]
                }
                // The class was decided when the pod was created.
                if subresource == "status", let quality = old.value[["status", "qosClass"]] {
                    pod.value[["status", "qosClass"]] = quality
                }
            }
            $0.validate = PodRules.check
            $0.judgesWishOnly = true
            $0.validateCreate = { pod, errors in
                PodRules.checkCreate(pod, &errors)
                AppArmorAnnotations.check(pod.value, .root, &errors)
            }
            $0.validateUpdate = PodUpdateRules.check
            $0.tableCells = PodColumns.cells
        })
}
