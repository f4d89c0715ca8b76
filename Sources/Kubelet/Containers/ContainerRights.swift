import ContainerRuntime
import KubeModel

/// The user of a container and what its processes may do, from the security contexts of the container and of its pod.
///
/// Source: Kubernetes docs, "Configure a Security Context for a Pod or Container".
struct ContainerRights: Sendable, Hashable {
    var user: Int?
    var security = ContainerSecurity()
    /// What the manifest asks for and a container here does not get, in sentences.
    var reductions: [String] = []

    init(_ container: Container, _ pod: Pod, _ image: Image) throws(ConfigurationError) {
        let own = container.value["securityContext"]
        let ofPod = pod.spec["securityContext"]
        /// The container's word goes before that of its pod.
        func effective(_ name: String) -> JSONValue? { own?[name] ?? ofPod?[name] }

        let asked = effective("runAsUser")?.int
        user = asked ?? image.user
        security.group = effective("runAsGroup")?.int
        security.supplementalGroups =
            [ofPod?["fsGroup"]?.int].compactMap { $0 } + (ofPod?["supplementalGroups"]?.array ?? []).compactMap(\.int)
        security.hasReadOnlyRoot = own?["readOnlyRootFilesystem"]?.bool ?? false
        security.allowsPrivilegeEscalation = own?["allowPrivilegeEscalation"]?.bool ?? true
        security.hasMaskedProc = own?["procMount"]?.string != "Unmasked"
        if pod.spec["shareProcessNamespace"]?.bool ?? false { security.processes = .pod }
        if effective("runAsNonRoot")?.bool ?? false { try Self.refuseRoot(asked, image, container, pod) }
        try setFilter(effective("seccompProfile"))
        setCapabilities(own?["capabilities"])
        if own?["privileged"]?.bool ?? false {
            security.capabilities = .possible
            security.isSystemCallFiltered = false
            reductions.append(
                "privileged containers get all rights that reach no further than their pod, and no others")
        }
        let propagated = (container.value["volumeMounts"]?.array ?? []).contains {
            !["", "None"].contains($0["mountPropagation"]?.string ?? "")
        }
        if propagated {
            reductions.append(
                "mountPropagation is not given: what is mounted in a volume later stays where it was mounted")
        }
        for name in ["hostPID", "hostIPC"] where pod.spec[name]?.bool ?? false {
            reductions.append("\(name) is not given: the pod has a namespace of its own")
        }
    }

    private static func refuseRoot(
        _ asked: Int?, _ image: Image, _ container: Container, _ pod: Pod
    ) throws(ConfigurationError) {
        let place = "(pod: \"\(pod.name)_\(pod.namespace)(\(pod.uid))\", container: \(container.name))"
        if let asked {
            guard asked == 0 else { return }
            throw ConfigurationError(message: "container's runAsUser breaks non-root policy \(place)")
        }
        if let name = image.userName {
            throw ConfigurationError(
                message: "container has runAsNonRoot and image has non-numeric user (\(name)), cannot verify user is"
                    + " non-root \(place)")
        }
        guard (image.user ?? 0) == 0 else { return }
        throw ConfigurationError(message: "container has runAsNonRoot and image will run as root \(place)")
    }

    private mutating func setFilter(_ profile: JSONValue?) throws(ConfigurationError) {
        switch profile?["type"]?.string {
        case "Unconfined": security.isSystemCallFiltered = false
        case "Localhost":
            let name = profile?["localhostProfile"]?.string ?? ""
            throw ConfigurationError(
                reason: "CreateContainerError",
                message:
                    "cannot load seccomp profile \"\(name)\": this node has no profiles of its own; use RuntimeDefault")
        default: break
        }
    }

    private mutating func setCapabilities(_ changes: JSONValue?) {
        func names(_ member: String) -> [String] { changes?[member]?.array?.compactMap(\.string) ?? [] }
        security.capabilities = .standard(adding: names("add"), dropping: names("drop"))
        let impossible = names("add").filter { $0 != "ALL" && !CapabilitySet.possible.list.contains($0) }
        if !impossible.isEmpty {
            reductions.append("capabilities not given: \(impossible.joined(separator: ", "))")
        }
    }
}

/// How a pod calls itself.
///
/// Source: Kubernetes docs, "DNS for Services and Pods", "Pod's hostname and subdomain fields".
struct PodHostName: Sendable, Hashable {
    /// The first label of the pod's name in DNS.
    let short: String
    /// With the domain of its Service; nil without a subdomain.
    let full: String?
    /// What `hostname` says in the pod.
    let shown: String

    /// - Parameter node: The node's name, for a pod in the node's network.
    init(_ pod: Pod, node: String? = nil) {
        if let node {
            (short, full, shown) = (node, nil, node)
            return
        }
        var name = pod.spec["hostname"]?.string ?? String(pod.name.prefix(63))
        while let last = name.last, last == "-" || last == "." { name.removeLast() }
        short = name
        full = pod.spec["subdomain"]?.string.flatMap {
            $0.isEmpty ? nil : "\(name).\($0).\(pod.namespace).svc.cluster.local"
        }
        shown = pod.spec["setHostnameAsFQDN"]?.bool ?? false ? full ?? short : short
    }

    /// Why the kernel would not take the name; nil if it does.
    var obstacle: String? {
        let countMax = 64
        guard shown.utf8.count > countMax else { return nil }
        return "Failed to construct FQDN from Pod hostname and cluster domain, FQDN \(shown) is too long"
            + " (\(countMax) characters is the max, \(shown.utf8.count) characters requested)"
    }
}

/// Settings of the kernel that a pod asks for.
enum PodSysctls {
    /// Those that reach no further than the pod (Kubernetes docs, "Using sysctls in a Kubernetes Cluster").
    private static let safe: Set<String> = [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    ]

    /// `name=value`, with points for slashes as in manifests.
    static func wanted(by pod: Pod) -> [String] {
        (pod.spec[["securityContext", "sysctls"]]?.array ?? []).compactMap { entry in
            guard let name = entry["name"]?.string else { return nil }
            return "\(name.replacing("/", with: "."))=\(entry["value"]?.string ?? "")"
        }
    }

    /// Why the node does not let the pod in; nil if it does.
    static func refusal(_ pod: Pod) -> PodStatus.Failure? {
        let names = wanted(by: pod).map { String($0.prefix { $0 != "=" }) }
        guard let forbidden = names.first(where: { !safe.contains($0) }) else { return nil }
        return PodStatus.Failure(
            reason: "SysctlForbidden",
            message: "Pod was rejected: forbidden sysctl: \"\(forbidden)\" not allowlisted")
    }
}

extension Pod {
    /// The user that the manifest gives to all of the pod's containers; nil if it leaves one to its image, or they differ.
    var onlyUser: Int? {
        let ofPod = spec[["securityContext", "runAsUser"]]?.int
        let users = (initContainers + containers + ephemeralContainers).map {
            $0.value[["securityContext", "runAsUser"]]?.int ?? ofPod
        }
        return Set(users).count == 1 ? users[0] : nil
    }
}
