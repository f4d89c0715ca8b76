private let port = Schema.core(
    "ServicePort", doc: "A port of the Service.",
    [
        .field("name", .text(.dnsLabel), doc: "A name; needed as soon as there are two ports."),
        .field("protocol", .string, default: "TCP", oneOf: ["SCTP", "TCP", "UDP"], doc: "TCP, UDP or SCTP."),
        .field("appProtocol", .text(.qualifiedName), doc: "What is spoken, for example http or kubernetes.io/h2c."),
        .field("port", .port, countsAbsentAsZero: true, doc: "The port at the Service's address."),
        .field("targetPort", .portOrName, doc: "The port of the pods, by number or name; the same port if absent."),
        .field("nodePort", .int32, doc: "The port at every node, for types NodePort and LoadBalancer."),
    ]
).defaulting { port in
    if port["targetPort"] == nil || port["targetPort"] == 0 || port["targetPort"] == "" {
        port["targetPort"] = port["port"]
    }
}

private let affinity = Schema.core(
    "SessionAffinityConfig", doc: "How long clients stay with a pod.",
    [
        .field(
            "clientIP",
            .core(
                "ClientIPConfig", doc: "How long a client's address stays with a pod.",
                [
                    .field(
                        "timeoutSeconds", .int32, default: 10800, minimum: 1, maximum: 86400,
                        doc: "Seconds since the last connection.")
                ]), doc: "How long a client's address stays with a pod.")
    ])

private let selector = Schema.strings.checking { value, path, errors in
    MetadataRules.labels(value, at: path, into: &errors)
}

private let spec = Schema.core(
    "ServiceSpec", doc: "Which pods the Service stands for, and how it is reached.",
    [
        .field(
            "ports", .list(of: port, keys: ["port", "protocol"]), doc: "The ports of the Service."),
        .field("selector", selector, doc: "Labels of the pods that the Service stands for."),
        .field(
            "sessionAffinity", .string, default: "None", oneOf: ["ClientIP", "None"],
            doc: "Whether a client stays with a pod."),
        .field(
            "type", .string, default: "ClusterIP", oneOf: ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
            doc: "From where the Service is reached."),
        .field("clusterIP", .string, doc: "The address in the cluster; None for a headless Service."),
        .field("clusterIPs", .stringList, doc: "The addresses in the cluster; the first is clusterIP."),
        .field("externalIPs", .stringList, doc: "Further addresses that lead to the Service."),
        .field("loadBalancerIP", .string, doc: "The wished address of the load balancer."),
        .field("loadBalancerSourceRanges", .stringList, doc: "From where the load balancer may be reached."),
        .field("loadBalancerClass", .string, doc: "The kind of load balancer."),
        .field("externalName", .string, doc: "The name that the Service stands for, for type ExternalName."),
        .field(
            "externalTrafficPolicy", .string, oneOf: ["Cluster", "Local"],
            doc: "Local leads traffic from outside only to pods of the node that got it."),
        .field(
            "internalTrafficPolicy", .string, oneOf: ["Cluster", "Local"],
            doc: "Local leads traffic from inside only to pods of the same node."),
        .field("healthCheckNodePort", .int32, doc: "The port at which load balancers ask nodes for pods."),
        .field("publishNotReadyAddresses", .bool, doc: "Whether pods count before they are ready."),
        .field("sessionAffinityConfig", affinity, doc: "How long clients stay with a pod."),
        .field("ipFamilies", .list(of: .oneOf("IPv4", "IPv6")), doc: "IPv4, IPv6, or both."),
        .field(
            "ipFamilyPolicy", .string, oneOf: ["PreferDualStack", "RequireDualStack", "SingleStack"],
            doc: "Whether the Service has addresses of one family or both."),
        .field("allocateLoadBalancerNodePorts", .bool, doc: "Whether a load balancer gets node ports."),
        .field("trafficDistribution", .string, doc: "PreferClose leads traffic to pods nearby."),
    ]
).defaulting(ServiceRules.completeSpec)
    .judged(by: ServiceRules.checkSpec)

private let ingress = Schema.core(
    "LoadBalancerIngress", doc: "A way in through the load balancer.",
    [
        .field("hostname", .string, doc: "Its name."), .field("ip", .string, doc: "Its address."),
        .field("ipMode", .string, doc: "VIP or Proxy."),
        .field(
            "ports",
            .list(
                of: .core(
                    "PortStatus", doc: "How a port fares.",
                    [
                        .field("error", .string, doc: "What is wrong."), .field("port", .int32, doc: "The port."),
                        .field("protocol", .string, doc: "TCP, UDP or SCTP."),
                    ])), doc: "How its ports fare."),
    ])

private let status = Schema.core(
    "ServiceStatus", doc: "What the Service has reached.",
    [
        .field(
            "conditions", .list(of: MetadataSchemas.condition, keys: ["type"]), doc: "Aspects of the Service's state."),
        .field(
            "loadBalancer",
            .core(
                "LoadBalancerStatus", doc: "The load balancer.",
                [.field("ingress", .list(of: ingress), doc: "Ways in.")]), doc: "The load balancer."),
    ])

extension KindSchema {
    /// One stable address for a changing set of pods.
    static let service = KindSchema(
        .services, shortNames: ["svc"], categories: ["all"],
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.Service", doc: "One stable address and name for a changing set of pods.",
            [
                .field("spec", spec, default: [:], doc: "Which pods, and how they are reached."),
                .field("status", status, doc: "What has been reached."),
            ]),
        subresources: ["proxy", "status"],
        columns: ServiceColumns.all,
        selectableFields: ["spec.clusterIP", "spec.type"],
        behavior: KindBehavior {
            $0.nameSyntax = NameSyntax.dns1035Label
            $0.initialStatus = ["loadBalancer": [:]]
            $0.prepareForUpdate = ServiceRules.keepAllocated
            $0.validateUpdate = ServiceUpdateRules.check
        })
}
