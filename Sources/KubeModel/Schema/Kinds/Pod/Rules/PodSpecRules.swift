/// What Kubernetes says about the spec of a pod, in its order (`ValidatePodSpec` of pkg/apis/core/validation).
///
/// Much depends on other parts of the spec: mounts on volumes, hooks on the time to end, ports on the network. So one rule
/// goes through the whole spec; the declarations of the members say what they are, not what is wrong with them.
struct PodSpecRules {
    let spec: JSONValue
    let path: FieldPath
    /// The name of the pod; nil in a template, where less is asked for.
    let podName: String?
    private(set) var errors: [FieldError] = []
    /// The volumes with nothing wrong with them: no other can be mounted.
    private(set) var volumes: [String: JSONValue] = [:]

    /// The rule for templates.
    @Sendable
    static func checkTemplate(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        var rules = PodSpecRules(spec: spec, path: path, podName: nil)
        rules.check()
        errors += rules.errors
    }

    /// What is wrong with the spec of a pod itself.
    static func check(_ spec: JSONValue, ofPod name: String, _ errors: inout [FieldError]) {
        var rules = PodSpecRules(spec: spec, path: FieldPath("spec"), podName: name)
        rules.check()
        errors += rules.errors
    }

    private init(spec: JSONValue, path: FieldPath, podName: String?) {
        self.spec = spec
        self.path = path
        self.podName = podName
    }

    private mutating func check() {
        if spec["terminationGracePeriodSeconds"]?.int == nil {
            errors.append(.required(path.child("terminationGracePeriodSeconds")))
        }
        checkVolumes()
        ContainerListRules(self).check(&errors)
        checkHostPorts()
        errors.oneOf(
            path.child("restartPolicy"), spec["restartPolicy"]?.string ?? "", ["Always", "OnFailure", "Never"])
        errors.oneOf(
            path.child("dnsPolicy"), spec["dnsPolicy"]?.string ?? "",
            ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"])
        MetadataRules.labels(spec["nodeSelector"], at: path.child("nodeSelector"), into: &errors)
        SecurityRules.checkPod(spec, path, &errors)
        PlacementRules.checkAffinity(spec["affinity"], path.child("affinity"), &errors)
        checkNames()
        checkGates()
        PlacementRules.checkSpread(spec.list("topologySpreadConstraints"), path, &errors)
        SecurityRules.checkUsers(spec, path, &errors)
        checkRest()
        PlacementRules.checkTolerations(spec.list("tolerations"), path.child("tolerations"), &errors)
        checkHostAliases()
        checkClasses()
        SecurityRules.checkSystem(spec, path, &errors)
    }

    private mutating func checkVolumes() {
        let place = path.child("volumes")
        let made = spec.list("volumes").filter { $0["ephemeral"] != nil }.compactMap { volume -> String? in
            guard let podName, let name = volume["name"]?.string else { return nil }
            return "\(podName)-\(name)"
        }
        for (index, volume) in spec.list("volumes").enumerated() {
            let here = place[index]
            let name = volume["name"]?.string ?? ""
            var found: [FieldError] = []
            VolumeRules.checkSource(of: volume, here, podName: podName, &found)
            found.require(here.child("name"), name, NameSyntax.dnsLabel)
            if volumes[name] != nil { found.append(.duplicate(here.child("name"), .string(name))) }
            if found.isEmpty { volumes[name] = volume }
            errors += found
            if let claim = volume[["persistentVolumeClaim", "claimName"]]?.string, made.contains(claim) {
                errors.append(
                    .invalid(
                        here.child("persistentVolumeClaim", "claimName"), .string(claim),
                        "must not reference a PVC that gets created for an ephemeral volume"))
            }
        }
    }

    /// On the node's network a container's port is the node's port.
    private mutating func checkHostPorts() {
        guard spec["hostNetwork"] == true else { return }
        for (index, container) in spec.list("containers").enumerated() {
            for (position, port) in container.list("ports").enumerated() {
                let hostPort = port["hostPort"]?.int ?? 0
                guard podName != nil || hostPort != 0, hostPort != port["containerPort"]?.int ?? 0 else { continue }
                errors.append(
                    .invalid(
                        path.child("containers")[index].child("ports")[position].child("hostPort"),
                        JSONValue(hostPort), "must match `containerPort` when `hostNetwork` is true"))
            }
        }
    }

    private mutating func checkNames() {
        let place = path.child("dnsConfig")
        let config = spec["dnsConfig"]
        if spec["dnsPolicy"] == "None" {
            guard config != nil else {
                return errors.append(.required(place, "must provide `dnsConfig` when `dnsPolicy` is None"))
            }
            if JSONValue.isEmpty(config?["nameservers"]) {
                return errors.append(
                    .required(
                        place.child("nameservers"),
                        "must provide at least one DNS nameserver when `dnsPolicy` is None"))
            }
        }
        guard let config else { return }
        let servers = config.texts("nameservers")
        if servers.count > 3 {
            errors.append(
                .invalid(place.child("nameservers"), config["nameservers"], "must not have more than 3 nameservers"))
        }
        for (index, server) in servers.enumerated() {
            errors.complain(place.child("nameservers")[index], server, NameSyntax.ipAddress(server))
        }
        let searches = config.texts("searches")
        if searches.count > 32 {
            errors.append(
                .invalid(place.child("searches"), config["searches"], "must not have more than 32 search paths"))
        }
        if searches.joined(separator: " ").utf8.count > 2048 {
            errors.append(
                .invalid(
                    place.child("searches"), config["searches"],
                    "must not have more than 2048 characters (including spaces) in the search list"))
        }
        for (index, search) in searches.enumerated() {
            let name = search.hasSuffix(".") ? String(search.dropLast()) : search
            errors.complain(place.child("searches")[index], name, NameSyntax.dnsSubdomain(name))
        }
        for (index, option) in config.list("options").enumerated() where JSONValue.isEmpty(option["name"]) {
            errors.append(.required(place.child("options")[index], "must not be empty"))
        }
    }

    private mutating func checkGates() {
        for (index, gate) in spec.list("readinessGates").enumerated() {
            let type = gate["conditionType"]?.string ?? ""
            errors.complain(
                path.child("readinessGates")[index].child("conditionType"), type, NameSyntax.qualifiedName(type))
        }
        var seen: Set<String> = []
        for (index, gate) in spec.list("schedulingGates").enumerated() {
            let name = gate["name"]?.string ?? ""
            let place = path.child("schedulingGates")[index]
            errors.complain(place, name, NameSyntax.qualifiedName(name))
            if !seen.insert(name).inserted { errors.append(.duplicate(place, .string(name))) }
        }
    }

    private mutating func checkRest() {
        errors.allow(
            path.child("serviceAccountName"), spec["serviceAccountName"]?.string, NameSyntax.dnsSubdomain)
        errors.allow(path.child("nodeName"), spec["nodeName"]?.string, NameSyntax.dnsSubdomain)
        errors.inRange(
            path.child("activeDeadlineSeconds"), spec["activeDeadlineSeconds"]?.int, 1...Int(Int32.max))
        errors.allow(path.child("hostname"), spec["hostname"]?.string, NameSyntax.dnsLabel)
        errors.allow(path.child("subdomain"), spec["subdomain"]?.string, NameSyntax.dnsLabel)
    }

    private mutating func checkHostAliases() {
        for (index, alias) in spec.list("hostAliases").enumerated() {
            let place = path.child("hostAliases")[index]
            let ip = alias["ip"]?.string ?? ""
            errors.complain(place.child("ip"), ip, NameSyntax.ipAddress(ip))
            for (position, name) in alias.texts("hostnames").enumerated() {
                errors.complain(place.child("hostnames")[position], name, NameSyntax.dnsSubdomain(name))
            }
        }
    }

    private mutating func checkClasses() {
        errors.allow(
            path.child("priorityClassName"), spec["priorityClassName"]?.string, NameSyntax.dnsSubdomain)
        errors.allow(path.child("runtimeClassName"), spec["runtimeClassName"]?.string, NameSyntax.dnsSubdomain)
        errors.oneOf(
            path.child("preemptionPolicy"), spec["preemptionPolicy"]?.string, ["PreemptLowerPriority", "Never"])
        ResourceSchemas.check(["limits": spec["overhead"] ?? [:]], path.child("overhead"), &errors)
    }
}
