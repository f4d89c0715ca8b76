import KubeModel

/// The checks of the Pod Security Standards, baseline and restricted, on one pod or template.
struct PodSecurityChecks {
    /// One check that was not passed.
    struct Violation: Equatable {
        let reason: String
        let detail: String
    }

    private let pod: JSONValue
    private let standard: PodSecurity.Standard
    private let containers: [JSONValue]

    /// The version of Kubernetes that the latest standard is of.
    private static let latestMinor = 32

    init(_ pod: JSONValue, _ standard: PodSecurity.Standard) {
        self.pod = pod
        self.standard = standard
        containers = ["initContainers", "containers", "ephemeralContainers"].flatMap { list in
            pod[["spec", list]]?.array ?? []
        }
    }

    private var minor: Int { min(standard.minor ?? Self.latestMinor, Self.latestMinor) }

    /// What is wrong, in the order in which Kubernetes says it.
    var violations: [Violation] {
        guard standard.level != .privileged else { return [] }
        let isRestricted = standard.level == .restricted
        let restrictsCapabilities = isRestricted && minor >= 22
        let restrictsSeccomp = isRestricted && minor >= 19
        var found = [appArmor]
        if !restrictsCapabilities { found.append(baselineCapabilities) }
        found.append(hostNamespaces)
        if !isRestricted { found.append(hostPaths) }
        found += [hostPorts, privileged, procMount, seLinux]
        if !restrictsSeccomp { found.append(minor >= 19 ? seccomp(isRequired: false) : nil) }
        found += [sysctls, hostProcess]
        if isRestricted {
            if minor >= 8 { found.append(privilegeEscalation) }
            if restrictsCapabilities { found.append(restrictedCapabilities) }
            found += [volumeTypes, nonRoot]
            if minor >= 23 { found.append(rootUser) }
            if restrictsSeccomp { found.append(seccomp(isRequired: true)) }
        }
        return found.compactMap { $0 }
    }

    /// All violations in one sentence.
    static func detail(_ violations: [Violation]) -> String {
        violations.map { $0.detail.isEmpty ? $0.reason : "\($0.reason) (\($0.detail))" }.joined(separator: ", ")
    }

    // MARK: Words

    private func security(_ container: JSONValue) -> JSONValue { container["securityContext"] ?? [:] }

    private var podSecurity: JSONValue { pod[["spec", "securityContext"]] ?? [:] }

    private func quoted(_ items: [String]) -> String { items.map { "\"\($0)\"" }.joined(separator: ", ") }

    private func names(_ containers: [JSONValue]) -> String {
        "\(containers.count == 1 ? "container" : "containers") "
            + quoted(containers.map { $0["name"]?.string ?? "" })
    }

    /// `pod and container "x"`, whichever of them did something.
    private func setters(_ isPod: Bool, _ containers: [JSONValue]) -> String? {
        let parts = (isPod ? ["pod"] : []) + (containers.isEmpty ? [] : [names(containers)])
        return parts.isEmpty ? nil : parts.joined(separator: " and ")
    }

    // MARK: Baseline

    private var appArmor: Violation? {
        func isBad(_ security: JSONValue) -> Bool {
            guard let type = security[["appArmorProfile", "type"]]?.string else { return false }
            return type != "RuntimeDefault" && type != "Localhost"
        }
        let bad = containers.filter { isBad(security($0)) }
        var values = Set(
            (bad.map(security) + (isBad(podSecurity) ? [podSecurity] : [])).compactMap {
                $0[["appArmorProfile", "type"]]?.string
            }
        ).sorted()
        var parts = setters(isBad(podSecurity), bad).map { [$0] } ?? []
        let prefix = "container.apparmor.security.beta.kubernetes.io/"
        let annotations = (pod[["metadata", "annotations"]]?.object ?? [:]).compactMap { key, value -> String? in
            let text = value.string ?? ""
            guard key.hasPrefix(prefix), !text.isEmpty, text != "runtime/default", !text.hasPrefix("localhost/")
            else { return nil }
            return "\(key)=\(GoText.quote(text))"
        }.sorted()
        if !annotations.isEmpty {
            values += annotations
            parts.append(annotations.count == 1 ? "annotation" : "annotations")
        }
        guard !parts.isEmpty else { return nil }
        return Violation(
            reason: values.count == 1 ? "forbidden AppArmor profile" : "forbidden AppArmor profiles",
            detail: "\(parts.joined(separator: " and ")) must not set AppArmor profile type to \(quoted(values))")
    }

    private static let defaultCapabilities: Set<String> = [
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    ]

    private func added(_ container: JSONValue, except allowed: Set<String>) -> [String] {
        let list = security(container)[["capabilities", "add"]]?.array?.compactMap(\.string) ?? []
        return list.filter { !allowed.contains($0) }
    }

    private func forbiddenCapabilities(_ allowed: Set<String>) -> String? {
        let bad = containers.filter { !added($0, except: allowed).isEmpty }
        guard !bad.isEmpty else { return nil }
        let values = Set(bad.flatMap { added($0, except: allowed) }).sorted()
        return "\(names(bad)) must not include \(quoted(values)) in securityContext.capabilities.add"
    }

    private var baselineCapabilities: Violation? {
        forbiddenCapabilities(Self.defaultCapabilities).map {
            Violation(reason: "non-default capabilities", detail: $0)
        }
    }

    private var hostNamespaces: Violation? {
        let used = ["hostNetwork", "hostPID", "hostIPC"].filter { pod[["spec", $0]]?.bool == true }
        guard !used.isEmpty else { return nil }
        return Violation(reason: "host namespaces", detail: used.map { "\($0)=true" }.joined(separator: ", "))
    }

    private var volumes: [JSONValue] { pod[["spec", "volumes"]]?.array ?? [] }

    private func volumeNames(_ volumes: [JSONValue]) -> String {
        "\(volumes.count == 1 ? "volume" : "volumes") \(quoted(volumes.map { $0["name"]?.string ?? "" }))"
    }

    private var hostPaths: Violation? {
        let bad = volumes.filter { $0["hostPath"] != nil }
        return bad.isEmpty ? nil : Violation(reason: "hostPath volumes", detail: volumeNames(bad))
    }

    private var hostPorts: Violation? {
        func ports(_ container: JSONValue) -> [String] {
            (container["ports"]?.array ?? []).compactMap { port in
                port["hostPort"]?.int.flatMap { $0 == 0 ? nil : String($0) }
            }
        }
        let bad = containers.filter { !ports($0).isEmpty }
        guard !bad.isEmpty else { return nil }
        let values = Set(bad.flatMap(ports)).sorted()
        return Violation(
            reason: "hostPort",
            detail: "\(names(bad)) \(bad.count == 1 ? "uses" : "use") "
                + "\(values.count == 1 ? "hostPort" : "hostPorts") \(values.joined(separator: ", "))")
    }

    private var privileged: Violation? {
        let bad = containers.filter { security($0)["privileged"]?.bool == true }
        guard !bad.isEmpty else { return nil }
        return Violation(
            reason: "privileged", detail: "\(names(bad)) must not set securityContext.privileged=true")
    }

    private var procMount: Violation? {
        let bad = containers.filter { security($0)["procMount"]?.string.map { $0 != "Default" } ?? false }
        guard !bad.isEmpty else { return nil }
        let values = Set(bad.compactMap { security($0)["procMount"]?.string }).sorted()
        return Violation(
            reason: "procMount",
            detail: "\(names(bad)) must not set securityContext.procMount to \(quoted(values))")
    }

    private var seLinux: Violation? {
        var types: Set<String> = ["", "container_t", "container_init_t", "container_kvm_t"]
        if minor >= 31 { types.insert("container_engine_t") }
        func options(_ security: JSONValue) -> JSONValue { security["seLinuxOptions"] ?? [:] }
        func has(_ member: String, _ security: JSONValue) -> Bool {
            options(security)[member]?.string?.isEmpty == false
        }
        func hasBadType(_ security: JSONValue) -> Bool { !types.contains(options(security)["type"]?.string ?? "") }
        func isBad(_ security: JSONValue) -> Bool {
            hasBadType(security) || has("user", security) || has("role", security)
        }
        let bad = containers.filter { isBad(security($0)) }
        guard let setters = setters(isBad(podSecurity), bad) else { return nil }
        let all = bad.map(security) + [podSecurity]
        let badTypes = Set(all.filter(hasBadType).compactMap { options($0)["type"]?.string }).sorted()
        var wrong: [String] = []
        if !badTypes.isEmpty { wrong.append("\(badTypes.count == 1 ? "type" : "types") \(quoted(badTypes))") }
        for member in ["user", "role"] where all.contains(where: { has(member, $0) }) {
            wrong.append("\(member) may not be set")
        }
        return Violation(
            reason: "seLinuxOptions",
            detail: "\(setters) set forbidden securityContext.seLinuxOptions: \(wrong.joined(separator: "; "))")
    }

    /// With `isRequired`, a profile must be named, by the pod or by each container.
    private func seccomp(isRequired: Bool) -> Violation? {
        func type(_ security: JSONValue) -> String? { security[["seccompProfile", "type"]]?.string }
        func isBad(_ security: JSONValue) -> Bool {
            type(security).map { $0 != "RuntimeDefault" && $0 != "Localhost" } ?? false
        }
        let bad = containers.filter { isBad(security($0)) }
        if let setters = setters(isBad(podSecurity), bad) {
            let values = Set((bad.map(security) + [podSecurity]).filter(isBad).compactMap(type)).sorted()
            return Violation(
                reason: "seccompProfile",
                detail: "\(setters) must not set securityContext.seccompProfile.type to \(quoted(values))")
        }
        guard isRequired, type(podSecurity) == nil else { return nil }
        let silent = containers.filter { type(security($0)) == nil }
        guard !silent.isEmpty else { return nil }
        return Violation(
            reason: "seccompProfile",
            detail: "pod or \(names(silent)) must set securityContext.seccompProfile.type to \"RuntimeDefault\" "
                + "or \"Localhost\"")
    }

    private var sysctls: Violation? {
        var allowed: Set<String> = [
            "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
            "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
        ]
        if minor >= 27 { allowed.insert("net.ipv4.ip_local_reserved_ports") }
        if minor >= 29 {
            allowed.formUnion([
                "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
                "net.ipv4.tcp_keepalive_probes",
            ])
        }
        if minor >= 32 { allowed.formUnion(["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"]) }
        let bad = (podSecurity["sysctls"]?.array ?? []).compactMap { $0["name"]?.string }.filter {
            !allowed.contains($0)
        }
        return bad.isEmpty ? nil : Violation(reason: "forbidden sysctls", detail: bad.joined(separator: ", "))
    }

    private var hostProcess: Violation? {
        func isBad(_ security: JSONValue) -> Bool { security[["windowsOptions", "hostProcess"]]?.bool == true }
        guard let setters = setters(isBad(podSecurity), containers.filter { isBad(security($0)) }) else { return nil }
        return Violation(
            reason: "hostProcess", detail: "\(setters) must not set securityContext.windowsOptions.hostProcess=true")
    }

    // MARK: Restricted

    private var privilegeEscalation: Violation? {
        let bad = containers.filter { security($0)["allowPrivilegeEscalation"]?.bool != false }
        guard !bad.isEmpty else { return nil }
        return Violation(
            reason: "allowPrivilegeEscalation != false",
            detail: "\(names(bad)) must set securityContext.allowPrivilegeEscalation=false")
    }

    private var restrictedCapabilities: Violation? {
        let keeping = containers.filter { container in
            !(security(container)[["capabilities", "drop"]]?.array ?? []).contains("ALL")
        }
        var details: [String] = []
        if !keeping.isEmpty {
            details.append("\(names(keeping)) must set securityContext.capabilities.drop=[\"ALL\"]")
        }
        if let added = forbiddenCapabilities(["NET_BIND_SERVICE"]) { details.append(added) }
        guard !details.isEmpty else { return nil }
        return Violation(reason: "unrestricted capabilities", detail: details.joined(separator: "; "))
    }

    private static let freeVolumes: Set<String> = [
        "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected",
        "secret",
    ]

    private var volumeTypes: Violation? {
        func type(_ volume: JSONValue) -> String {
            (volume.object ?? [:]).keys.first { $0 != "name" } ?? "unknown"
        }
        let bad = volumes.filter { !Self.freeVolumes.contains(type($0)) }
        guard !bad.isEmpty else { return nil }
        let types = Set(bad.map(type)).sorted()
        return Violation(
            reason: "restricted volume types",
            detail: "\(volumeNames(bad)) \(bad.count == 1 ? "uses" : "use") "
                + "\(types.count == 1 ? "restricted volume type" : "restricted volume types") \(quoted(types))")
    }

    private var nonRoot: Violation? {
        let reason = "runAsNonRoot != true"
        let ofPod = podSecurity["runAsNonRoot"]?.bool
        let bad = containers.filter { security($0)["runAsNonRoot"]?.bool == false }
        if let setters = setters(ofPod == false, bad) {
            return Violation(reason: reason, detail: "\(setters) must not set securityContext.runAsNonRoot=false")
        }
        let silent = containers.filter { security($0)["runAsNonRoot"]?.bool == nil }
        guard ofPod != true, !silent.isEmpty else { return nil }
        return Violation(
            reason: reason, detail: "pod or \(names(silent)) must set securityContext.runAsNonRoot=true")
    }

    private var rootUser: Violation? {
        func isRoot(_ security: JSONValue) -> Bool { security["runAsUser"]?.int == 0 }
        guard let setters = setters(isRoot(podSecurity), containers.filter { isRoot(security($0)) }) else {
            return nil
        }
        return Violation(reason: "runAsUser=0", detail: "\(setters) must not set runAsUser=0")
    }
}
