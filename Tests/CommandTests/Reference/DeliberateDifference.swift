/// Where this cluster answers otherwise than the one of the reference, and why.
struct DeliberateDifference {
    /// The outputs in which it occurs; nil for all.
    var outputs: Set<Int>?
    var reason: String
    /// Beginnings of the differing lines, with `-` (theirs) or `+` (ours).
    var lines: [String]

    static func explains(_ line: String, in output: Int) -> Bool {
        all.contains { difference in
            difference.outputs?.contains(output) ?? true && difference.lines.contains { line.hasPrefix($0) }
        }
    }

    static let all: [DeliberateDifference] = [
        DeliberateDifference(
            outputs: [1], reason: "their client was newer than their server, and ours is the SDK's dispatcher",
            lines: ["-Client Version:", "+Client Version:", "-stderr: WARNING: version difference"]),
        DeliberateDifference(
            outputs: [4, 5, 49, 154], reason: "our one node is a control plane, as kind's and minikube's are",
            lines: [
                "-NODE Ready", "+NODE Ready", "-Roles:", "+Roles:", "+node-role.kubernetes.io/control-plane=",
                "+velocitylab.dev/runtime=",
            ]),
        DeliberateDifference(
            outputs: [10], reason: "another name and another port",
            lines: [
                "-server:", "+server:", "-name: peers", "+name: velocitylab", "-cluster: peers",
                "+cluster: velocitylab",
                "-current-context:", "+current-context:",
            ]),
        DeliberateDifference(
            outputs: [19, 77, 83], reason: "which steps of a rollout kubectl gets to see depends on how long they take",
            lines: ["-Waiting for deployment", "+Waiting for deployment"]),
        DeliberateDifference(
            outputs: [40], reason: "slices have random names, by which they are sorted",
            lines: ["-payment-gateway-", "+payment-gateway-"]),
        DeliberateDifference(
            outputs: [44, 56], reason: "tokens of service accounts are projected since 1.21, under a random name",
            lines: [
                "-default-token-", "-SecretName: default-token-", "-Type: Secret", "-Optional: false", "-secretName:",
                "-secret:", "-- name: default-token-", "-name: default-token-",
                "-/var/run/secrets/kubernetes.io/serviceaccount from default-token-",
                "+/var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-", "+kube-api-access-",
                "+Type: Projected", "+TokenExpirationSeconds: 3607", "+ConfigMapName: kube-root-ca.crt",
                "+ConfigMapOptional: <nil>", "+Optional: false", "+DownwardAPI: true", "+name: kube-api-access-",
                "+- name: kube-api-access-", "+projected:", "+sources:", "+- serviceAccountToken:",
                "+expirationSeconds: 3607", "+path: token", "+- configMap:", "+items:", "+- key: ca.crt",
                "+path: ca.crt", "+name: kube-root-ca.crt", "+- downwardAPI:", "+- fieldRef:", "+apiVersion: v1",
                "+fieldPath: metadata.namespace", "+path: namespace",
            ]),
        DeliberateDifference(
            outputs: [44, 56], reason: "the condition PodReadyToStartContainers and hostIPs came after 1.20",
            lines: [
                "+PodReadyToStartContainers", "+- lastProbeTime: null", "+lastTransitionTime:", "+status: \"True\"",
                "+type: PodReadyToStartContainers", "+hostIPs:", "+- ip: IP",
            ]),
        DeliberateDifference(
            outputs: [56], reason: "the status says how volumes are mounted since 1.31",
            lines: [
                "+volumeMounts:", "+- mountPath: /var/run/secrets/kubernetes.io/serviceaccount", "+readOnly: true",
                "+recursiveReadOnly: Disabled",
            ]),
        DeliberateDifference(
            outputs: [44, 56],
            reason: "images are recipes of this machine's catalogue, and are looked up when first used",
            lines: [
                "-Image ID:", "+Image ID: builtin:", "-imageID:", "+imageID: builtin:",
                "-image: docker.io/library/web:1.0",
                "+image: web:1.0", "-Container ID:", "+Container ID:", "-- containerID:", "+- containerID:",
                "-Normal Pulled AGE kubelet Container image", "+Normal Pulling AGE kubelet Pulling image",
                "+Normal Pulled AGE kubelet Successfully pulled image",
                "-Normal Created AGE kubelet Created container web",
                "+Normal Created AGE kubelet Created container: web",
            ]),
        DeliberateDifference(
            outputs: [47, 59],
            reason: "Services have IP families and traffic policies since 1.20, and endpoints are slices",
            lines: [
                "-Endpoints: <none>", "+Endpoints: IP:8080", "-IP Families: <none>", "+IP Families: IPv4",
                "+IP Family Policy: SingleStack", "+Internal Traffic Policy: Cluster",
                "+internalTrafficPolicy: Cluster",
                "+ipFamilies:", "+- IPv4", "+ipFamilyPolicy: SingleStack",
            ]),
        DeliberateDifference(
            outputs: [49], reason: "another machine, without huge pages and without their history",
            lines: [
                "-Kernel Version:", "+Kernel Version:", "-Container Runtime Version:", "+Container Runtime Version:",
                "-hugepages-", "-Warning SystemOOM", "-Normal NodeHas", "+Normal NodeHas",
                "-Normal NodeAllocatableEnforced", "-Normal Starting AGE kube-proxy", "-Normal RegisteredNode",
                "+PodCIDR", "+ProviderID: NODE://NODE",
            ]),
        DeliberateDifference(
            outputs: [52, 64], reason: "namespaces carry their name as a label since 1.21",
            lines: [
                "-Labels: <none>", "+Labels: kubernetes.io/metadata.name=", "+labels:", "+kubernetes.io/metadata.name:",
            ]),
        DeliberateDifference(
            outputs: [62], reason: "Endpoints name no revision of a pod since 1.22, and we note no trigger time",
            lines: ["-resourceVersion: RV", "-annotations:", "-endpoints.kubernetes.io/last-change-trigger-time:"]),
        DeliberateDifference(
            outputs: [43], reason: "service accounts have no token Secrets since 1.24",
            lines: ["-default 1 AGE", "+default 0 AGE"]),
        DeliberateDifference(
            outputs: [125, 127], reason: "we serve the groups of 1.32 that a course meets; 1.20 had more beta versions",
            lines: [
                "-storage.k8s.io/", "-scheduling.k8s.io/v1beta1", "-rbac.authorization.k8s.io/v1beta1",
                "-policy/v1beta1",
                "-node.k8s.io/", "-networking.k8s.io/v1beta1", "-flowcontrol.apiserver.k8s.io/", "-extensions/v1beta1",
                "-events.k8s.io/v1beta1", "-discovery.k8s.io/v1beta1", "-coordination.k8s.io/v1beta1",
                "-certificates.k8s.io/", "-batch/v1beta1", "-autoscaling/v2beta", "-authorization.k8s.io/v1beta1",
                "-authentication.k8s.io/v1beta1", "-apiregistration.k8s.io/v1beta1", "-apiextensions.k8s.io/v1beta1",
                "-admissionregistration.k8s.io/", "+autoscaling/v2", "+discovery.k8s.io/v1", "+metrics.k8s.io/v1beta1",
                "+policy/v1", "-podsecuritypolicies",
                "-poddisruptionbudgets", "+poddisruptionbudgets", "-prioritylevelconfigurations",
                "-flowschemas", "+flowschemas flowcontrol.apiserver.k8s.io/v1 ", "+flowcontrol.apiserver.k8s.io/v1",
                "+prioritylevelconfigurations flowcontrol.apiserver.k8s.io/v1 ",
                "+csistoragecapacities storage.k8s.io/v1 ",
                "-ingresses ing extensions/v1beta1", "-endpointslices", "+endpointslices",
                "-cronjobs", "+cronjobs", "-horizontalpodautoscalers",
                "+horizontalpodautoscalers",
                "+selfsubjectreviews", "+validatingadmissionpolic", "+nodes metrics.k8s.io/v1beta1",
                "+pods metrics.k8s.io/v1beta1",
            ]),
        DeliberateDifference(
            outputs: [128, 139, 143], reason: "the server judges fields since 1.25, where kubectl did it before",
            lines: ["-stderr: error: error validating", "+stderr: Error from server (BadRequest): error when creating"]),
        DeliberateDifference(
            outputs: [149], reason: "SelfSubjectReview came with 1.28",
            lines: ["+selfsubjectreviews.authentication.k8s.io"]),
        DeliberateDifference(
            outputs: [161], reason: "the answer does not know the port through which it is asked",
            lines: ["-{\"kind\":\"APIVersions\"", "+{\"kind\":\"APIVersions\""]),
        DeliberateDifference(
            outputs: [160], reason: "another server, not written in Go",
            lines: [
                "-\"minor\"", "+\"minor\"", "-\"gitCommit\"", "+\"gitCommit\"", "-\"gitTreeState\"",
                "+\"gitTreeState\"",
                "-\"goVersion\"", "+\"goVersion\"", "-\"compiler\"", "+\"compiler\"",
            ]),
    ]
}
