import KubeModel

/// The identity that a StatefulSet gives a pod: name, labels, host name and claims.
enum StatefulPod {
    static func name(_ set: StatefulSet, _ ordinal: Int) -> String { "\(set.name)-\(ordinal)" }

    static func claimName(_ template: JSONValue, _ set: StatefulSet, _ ordinal: Int) -> String {
        "\(KubeObject(template).name)-\(name(set, ordinal))"
    }

    static func make(_ set: StatefulSet, _ ordinal: Int, template: JSONValue, revision: String) -> KubeObject {
        var pod = PodControl.pod(from: template, owner: set.object)
        let name = name(set, ordinal)
        pod.name = name
        pod.labels[StatefulSet.podNameLabel] = name
        pod.labels[StatefulSet.podIndexLabel] = "\(ordinal)"
        pod.labels[StatefulSet.revisionLabel] = revision
        pod.value[["spec", "hostname"]] = .string(name)
        if let service = set.spec["serviceName"]?.string, !service.isEmpty {
            pod.value[["spec", "subdomain"]] = .string(service)
        }
        guard !set.claimTemplates.isEmpty else { return pod }
        let claims = set.claimTemplates.map { claim -> JSONValue in
            [
                "name": .string(KubeObject(claim).name),
                "persistentVolumeClaim": ["claimName": .string(claimName(claim, set, ordinal))],
            ]
        }
        let names = Set(claims.compactMap { $0["name"]?.string })
        let others = (pod.value[["spec", "volumes"]]?.array ?? []).filter {
            !names.contains($0["name"]?.string ?? "")
        }
        pod.value[["spec", "volumes"]] = .array(claims + others)
        return pod
    }

    /// The claims of a pod, as they are to be made.
    static func claims(_ set: StatefulSet, _ ordinal: Int) -> [KubeObject] {
        set.claimTemplates.map { template in
            let source = KubeObject(template)
            var claim = KubeObject(
                .persistentVolumeClaims, namespace: set.key.namespace, name: claimName(template, set, ordinal))
            claim.labels = source.labels.merging(
                KubeObject(["metadata": ["labels": set.spec[["selector", "matchLabels"]] ?? [:]]]).labels
            ) { _, selector in selector }
            claim.annotations = source.annotations
            claim.value["spec"] = template["spec"] ?? [:]
            if set.deletesClaimsWithSet { claim.ownerReferences = [OwnerReference(controller: set.object)] }
            return claim
        }
    }

    /// The owners that the set's policy gives a claim.
    ///
    /// `pod` is the claim's pod when scaling down takes it away: with it the claim goes, if the policy says so.
    static func owners(of claim: KubeObject, _ set: StatefulSet, leaving pod: Pod?) -> [OwnerReference] {
        let podPrefix = "\(set.name)-"
        let others = claim.ownerReferences.filter {
            $0.uid != set.object.uid && !($0.kind == "Pod" && $0.name.hasPrefix(podPrefix))
        }
        if set.deletesClaimsOfScaledPods, let pod { return others + [OwnerReference(controller: pod.object)] }
        return set.deletesClaimsWithSet ? others + [OwnerReference(controller: set.object)] : others
    }
}
