/// What Kubernetes says about Services, in its order (`ValidateService` of pkg/apis/core/validation).
extension ServiceRules {
    @Sendable
    static func checkSpec(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let type = spec["type"]?.string ?? ""
        let ports = spec.list("ports")
        if ports.isEmpty, !isHeadless(spec), type != "ExternalName" { errors.append(.required(path.child("ports"))) }
        checkType(spec, type, path, &errors)
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            checkPort(port, needsName: ports.count > 1, &names, path.child("ports")[index], &errors)
        }
        MetadataRules.labels(spec["selector"], at: path.child("selector"), into: &errors)
        checkAffinity(spec, path, &errors)
        if type != "ExternalName" { checkAddresses(spec, path, &errors) }
        for (index, address) in spec.texts("externalIPs").enumerated() {
            let place = path.child("externalIPs")[index]
            errors.complain(place, address, NameSyntax.ipAddress(address))
            AddressRules.checkSpecial(address, place, &errors)
        }
        errors.oneOf(path.child("type"), type, ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"])
        checkPortNumbers(ports, type, path.child("ports"), &errors)
        checkBalancer(spec, type, path, &errors)
        checkTraffic(spec, type, path, &errors)
    }

    private static func checkType(
        _ spec: JSONValue, _ type: String, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        switch type {
        case "LoadBalancer" where isHeadless(spec), "NodePort" where isHeadless(spec):
            errors.append(
                .invalid(path.child("clusterIPs")[0], "None", "may not be set to 'None' for \(type) services"))
        case "ExternalName":
            for name in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"]
            where !JSONValue.isEmpty(spec[name]) || name == "clusterIPs" && !JSONValue.isEmpty(spec["clusterIP"]) {
                errors.append(.forbidden(path.child(name), "may not be set for ExternalName services"))
            }
            let name = spec["externalName"]?.string ?? ""
            errors.require(
                path.child("externalName"), name.hasSuffix(".") ? String(name.dropLast()) : name,
                NameSyntax.dnsSubdomain)
        default: return
        }
    }

    private static func checkPort(
        _ port: JSONValue, needsName: Bool, _ names: inout Set<String>, _ path: FieldPath,
        _ errors: inout [FieldError]
    ) {
        let name = port["name"]?.string ?? ""
        if name.isEmpty {
            if needsName { errors.append(.required(path.child("name"))) }
        } else {
            errors.complain(path.child("name"), name, NameSyntax.dnsLabel(name))
            if !names.insert(name).inserted { errors.append(.duplicate(path.child("name"), .string(name))) }
        }
        errors.inRange(path.child("port"), port["port"]?.int ?? 0, 1...65535)
        errors.oneOf(path.child("protocol"), port["protocol"]?.string ?? "TCP", ["SCTP", "TCP", "UDP"])
        errors.port(path.child("targetPort"), port["targetPort"])
        if let spoken = port["appProtocol"]?.string {
            errors.complain(path.child("appProtocol"), spoken, NameSyntax.qualifiedName(spoken))
        }
    }

    private static func checkAffinity(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let affinity = spec["sessionAffinity"]?.string ?? ""
        errors.oneOf(path.child("sessionAffinity"), affinity, ["ClientIP", "None"])
        let place = path.child("sessionAffinityConfig")
        if affinity == "ClientIP" {
            let timeout = spec[["sessionAffinityConfig", "clientIP", "timeoutSeconds"]]?.int ?? 0
            if 1...86400 ~= timeout { return }
            errors.append(
                .invalid(
                    place.child("clientIP", "timeoutSeconds"), JSONValue(timeout),
                    "must be greater than 0 and less than 86400"))
        } else if affinity == "None", spec["sessionAffinityConfig"] != nil {
            errors.append(.forbidden(place, "must not be set when session affinity is None"))
        }
    }

    // MARK: Addresses

    private static func checkAddresses(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let place = path.child("clusterIPs")
        let addresses = spec.texts("clusterIPs")
        let families = spec.texts("ipFamilies")
        let shown = spec["clusterIPs"] ?? []
        if let first = spec["clusterIP"]?.string, !first.isEmpty {
            if addresses.isEmpty {
                errors.append(.required(place))
            } else if addresses[0] != first {
                errors.append(.invalid(place, shown, "first value must match `clusterIP`"))
            }
        } else if !addresses.isEmpty {
            errors.append(.invalid(place, shown, "must be empty when `clusterIP` is not specified"))
        }
        checkFamilies(families, spec["ipFamilyPolicy"]?.string, path, &errors)
        var hasInvalid = false
        for (index, address) in addresses.enumerated() {
            if index == 0, address == "None" {
                guard addresses.count > 1 else { continue }
                hasInvalid = true
                errors.append(.invalid(place, shown, "'None' must be the first and only value"))
                continue
            }
            let complaints = NameSyntax.ipAddress(address)
            hasInvalid = hasInvalid || !complaints.isEmpty
            errors.complain(place[index], address, complaints)
        }
        if addresses.count > 2 { errors.append(.invalid(place, shown, "may only hold up to 2 values")) }
        guard !hasInvalid, addresses != ["None"] else { return }
        if addresses.count > 1, Set(addresses.map { $0.contains(":") }).count != 2 {
            errors.append(.invalid(place, shown, "may specify no more than one IP for each IP family"))
        }
        for (index, (address, family)) in zip(addresses, families).enumerated()
        where address.contains(":") != (family == "IPv6") {
            errors.append(
                .invalid(
                    place[index], .string(address),
                    "expected an \(family) value as indicated by `ipFamilies[\(index)]`"))
        }
    }

    /// The cluster's own addresses are of one family, IPv4.
    private static func checkFamilies(
        _ families: [String], _ policy: String?, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        var seen: Set<String> = []
        for (index, family) in families.enumerated() {
            let place = path.child("ipFamilies")[index]
            errors.oneOf(place, family, ["IPv4", "IPv6"])
            if !seen.insert(family).inserted { errors.append(.duplicate(place, .string(family))) }
            if family == "IPv6" {
                errors.append(.invalid(place, .string(family), "not configured on this cluster"))
            }
        }
        errors.oneOf(
            path.child("ipFamilyPolicy"), policy, ["PreferDualStack", "RequireDualStack", "SingleStack"])
        if policy == "RequireDualStack" {
            errors.append(
                .invalid(
                    path.child("ipFamilyPolicy"), "RequireDualStack",
                    "this cluster is not configured for dual-stack services"))
        }
    }

    // MARK: Numbers

    private static func checkPortNumbers(
        _ ports: [JSONValue], _ type: String, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        func nodePort(_ port: JSONValue) -> JSONValue? { port["nodePort"].flatMap { $0 == 0 ? nil : $0 } }
        for (index, port) in ports.enumerated() where type == "ClusterIP" && nodePort(port) != nil {
            errors.append(
                .forbidden(path[index].child("nodePort"), "may not be used when `type` is 'ClusterIP'"))
        }
        var seen: Set<JSONValue> = []
        for (index, port) in ports.enumerated() {
            guard let number = nodePort(port), !seen.insert([port["protocol"] ?? "", number]).inserted else { continue }
            errors.append(.duplicate(path[index].child("nodePort"), number))
        }
        seen = []
        for (index, port) in ports.enumerated() {
            let (transport, number) = (port["protocol"] ?? "", port["port"] ?? 0)
            if seen.insert([transport, number]).inserted { continue }
            let shown =
                "core.ServicePort{Name:\"\", Protocol:\(transport.text), AppProtocol:(*string)(nil), "
                + "Port:\(number.text), TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}, NodePort:0}"
            errors.append(FieldError(.duplicate, path[index], shownValue: shown))
        }
    }

    // MARK: Ways in

    private static func checkBalancer(
        _ spec: JSONValue, _ type: String, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let isBalancer = type == "LoadBalancer"
        let why = "may only be used when `type` is 'LoadBalancer'"
        let ranges = spec.texts("loadBalancerSourceRanges")
        // Messages write this member with a capital letter.
        let place = path.child("LoadBalancerSourceRanges")
        if !ranges.isEmpty, !isBalancer { errors.append(.forbidden(place, why)) }
        for (index, range) in ranges.enumerated() {
            let text = range.trimmed
            errors.complain(place[index], text, NameSyntax.addressRange(text))
        }
        if spec["allocateLoadBalancerNodePorts"] != nil, !isBalancer {
            errors.append(.forbidden(path.child("allocateLoadBalancerNodePorts"), why))
        }
        guard let name = spec["loadBalancerClass"]?.string else { return }
        if isBalancer {
            errors.complain(path.child("loadBalancerClass"), name, NameSyntax.qualifiedName(name))
        } else {
            errors.append(.forbidden(path.child("loadBalancerClass"), why))
        }
    }

    private static func checkTraffic(
        _ spec: JSONValue, _ type: String, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let policy = spec["externalTrafficPolicy"]?.string ?? ""
        let isReachable = isExternal(spec) || type == "ClusterIP" && !spec.list("externalIPs").isEmpty
        let place = path.child("externalTrafficPolicy")
        if !isReachable {
            if !policy.isEmpty {
                errors.append(.invalid(place, .string(policy), "may only be set for externally-accessible services"))
            }
        } else if policy.isEmpty {
            errors.append(.required(place))
        } else {
            errors.oneOf(place, policy, ["Cluster", "Local"])
        }
        let number = spec["healthCheckNodePort"]?.int ?? 0
        if number != 0, !(type == "LoadBalancer" && policy == "Local") {
            errors.append(
                .invalid(
                    path.child("healthCheckNodePort"), JSONValue(number),
                    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
        } else if number != 0 {
            errors.inRange(path.child("healthCheckNodePort"), number, 1...65535)
        }
        errors.oneOf(
            path.child("internalTrafficPolicy"), spec["internalTrafficPolicy"]?.string, ["Cluster", "Local"])
        errors.oneOf(path.child("trafficDistribution"), spec["trafficDistribution"]?.string, ["PreferClose"])
    }
}

/// What may change about a Service that exists.
enum ServiceUpdateRules {
    @Sendable
    static func check(
        _ service: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]
    ) {
        let (spec, before) = (service.value["spec"] ?? [:], old.value["spec"] ?? [:])
        guard subresource == nil else { return }
        let path = FieldPath("spec")
        if ServiceRules.hasClusterIP(spec), ServiceRules.hasClusterIP(before),
            !(ServiceRules.isHeadless(spec) && ServiceRules.isHeadless(before))
        {
            checkAddresses(spec, before, path.child("clusterIPs"), &errors)
        }
        guard spec["type"] == "LoadBalancer", before["type"] == "LoadBalancer" else { return }
        if spec["loadBalancerClass"] != before["loadBalancerClass"] {
            errors.append(
                .invalid(path.child("loadBalancerClass"), spec["loadBalancerClass"], "may not change once set"))
        }
        let isLocal = [spec, before].allSatisfy { $0["externalTrafficPolicy"] == "Local" }
        if isLocal, spec["healthCheckNodePort"] != before["healthCheckNodePort"] {
            errors.append(.forbidden(path.child("healthCheckNodePort"), "field is immutable"))
        }
    }

    private static func checkAddresses(
        _ spec: JSONValue, _ before: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let (new, old) = (spec.texts("clusterIPs"), before.texts("clusterIPs"))
        let shown = GoText.list(spec["clusterIPs"])
        if new.isEmpty, !old.isEmpty {
            errors.append(FieldError(.invalid, path[0], shownValue: shown, "primary clusterIP can not be unset"))
        }
        for (index, (address, was)) in zip(new, old).enumerated() where address != was {
            errors.append(FieldError(.invalid, path[index], shownValue: shown, "may not change once set"))
        }
    }
}
