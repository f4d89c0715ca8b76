/// Rules of a Service that concern more than one field.
///
/// Addresses and node ports are given out by the server; here they only keep their place.
enum ServiceRules {
    private static func hasClusterIP(_ spec: JSONValue?) -> Bool { spec?["type"] != "ExternalName" }

    private static func isExternal(_ spec: JSONValue?) -> Bool {
        spec?["type"] == "NodePort" || spec?["type"] == "LoadBalancer"
    }

    private static func isHeadless(_ spec: JSONValue?) -> Bool { spec?["clusterIP"] == "None" }

    @Sendable
    static func completeSpec(_ spec: inout JSONValue) {
        if spec["sessionAffinity"] == "ClientIP" {
            if spec["sessionAffinityConfig"] == nil { spec["sessionAffinityConfig"] = ["clientIP": [:]] }
            spec[["sessionAffinityConfig", "clientIP"]] = spec[["sessionAffinityConfig", "clientIP"]] ?? [:]
        }
        guard hasClusterIP(spec) else { return }
        if let address = spec["clusterIP"], address != "" {
            if JSONValue.isEmpty(spec["clusterIPs"]) { spec["clusterIPs"] = [address] }
        } else if let first = spec["clusterIPs"]?.array?.first {
            spec["clusterIP"] = first
        }
        spec.setDefault("internalTrafficPolicy", "Cluster")
        if isExternal(spec) { spec.setDefault("externalTrafficPolicy", "Cluster") }
        if spec["type"] == "LoadBalancer" { spec.setDefault("allocateLoadBalancerNodePorts", true) }
        spec.setDefault("ipFamilyPolicy", "SingleStack")
        if JSONValue.isEmpty(spec["ipFamilies"]) { spec["ipFamilies"] = ["IPv4"] }
    }

    // MARK: Checks

    @Sendable
    static func checkSpec(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        switch spec["type"]?.string ?? "" {
        case "ExternalName":
            let name = spec["externalName"]?.string ?? ""
            let bare = name.hasSuffix(".") ? String(name.dropLast()) : name
            if bare.isEmpty {
                errors.append(.required(path.child("externalName")))
            } else {
                for complaint in NameSyntax.dnsSubdomain(bare) {
                    errors.append(.invalid(path.child("externalName"), .string(name), complaint))
                }
            }
            if !JSONValue.isEmpty(spec["clusterIP"]) || !JSONValue.isEmpty(spec["clusterIPs"]) {
                errors.append(.forbidden(path.child("clusterIPs"), "may not be set for ExternalName services"))
            }
        case "LoadBalancer" where isHeadless(spec), "NodePort" where isHeadless(spec):
            let kind = spec["type"]?.string ?? ""
            errors.append(
                .invalid(
                    path.child("clusterIPs")[0], "None", "may not be set to 'None' for \(kind) services"))
        default: break
        }
        if let policy = spec["externalTrafficPolicy"], policy != "", !isExternal(spec) {
            errors.append(
                .invalid(
                    path.child("externalTrafficPolicy"), policy, "may only be set for externally-accessible services"))
        }
        checkAddresses(spec, path, &errors)
    }

    private static func checkAddresses(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        for (index, address) in (spec["clusterIPs"]?.array ?? []).enumerated() {
            guard let text = address.string, !(text == "None" && index == 0) else { continue }
            for complaint in NameSyntax.ipAddress(text) {
                errors.append(.invalid(path.child("clusterIPs")[index], address, complaint))
            }
        }
        if let address = spec["clusterIP"], address != "", let first = spec["clusterIPs"]?.array?.first,
            first != address
        {
            errors.append(
                FieldError(
                    .invalid, path.child("clusterIPs"), shownValue: goList(spec["clusterIPs"]),
                    "first value must match `clusterIP`"))
        }
        for (index, address) in (spec["externalIPs"]?.array ?? []).enumerated() {
            for complaint in NameSyntax.ipAddress(address.string ?? "") {
                errors.append(.invalid(path.child("externalIPs")[index], address, complaint))
            }
        }
    }

    @Sendable
    static func checkPorts(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let ports = spec["ports"]?.array ?? []
        let path = path.child("ports")
        if ports.isEmpty, hasClusterIP(spec), !isHeadless(spec) { errors.append(.required(path)) }
        var names: Set<JSONValue> = []
        var pairs: Set<JSONValue> = []
        var nodePorts: Set<JSONValue> = []
        for (index, port) in ports.enumerated() {
            let path = path[index]
            let name = port["name"] ?? ""
            if name == "" {
                if ports.count > 1 { errors.append(.required(path.child("name"))) }
            } else if !names.insert(name).inserted {
                errors.append(.duplicate(path.child("name"), name))
            }
            let protocolName = port["protocol"] ?? "TCP"
            let number = port["port"] ?? 0
            if !pairs.insert([protocolName, number]).inserted {
                errors.append(FieldError(.duplicate, path, shownValue: goPort(protocolName, number)))
            }
            guard let nodePort = port["nodePort"]?.int, nodePort != 0 else { continue }
            if !isExternal(spec) {
                let kind = spec["type"]?.string ?? ""
                errors.append(.forbidden(path.child("nodePort"), "may not be used when `type` is '\(kind)'"))
            } else if !nodePorts.insert([protocolName, JSONValue(nodePort)]).inserted {
                errors.append(.duplicate(path.child("nodePort"), JSONValue(nodePort)))
            }
        }
    }

    private static func goPort(_ protocolName: JSONValue, _ number: JSONValue) -> String {
        "core.ServicePort{Name:\"\", Protocol:\(protocolName.text), AppProtocol:(*string)(nil), Port:\(number.text), "
            + "TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}, NodePort:0}"
    }

    private static func goList(_ value: JSONValue?) -> String {
        guard let list = value?.array, !list.isEmpty else { return "[]string(nil)" }
        return "[]string{\(list.map { GoText.quote($0.string ?? "") }.joined(separator: ", "))}"
    }

    // MARK: Changes

    /// What the server once gave out stays, when a change does not speak of it; what a change of type makes void goes.
    @Sendable
    static func keepAllocated(_ service: inout KubeObject, _ old: KubeObject, _ subresource: String?) {
        guard subresource == nil, let before = old.value["spec"] else { return }
        service.value.change("spec") { spec in
            if hasClusterIP(spec), hasClusterIP(before) {
                if JSONValue.isEmpty(spec["clusterIP"]), JSONValue.isEmpty(spec["clusterIPs"]) {
                    spec["clusterIP"] = before["clusterIP"]
                    spec["clusterIPs"] = before["clusterIPs"]
                }
            } else if !hasClusterIP(spec), spec["clusterIP"] == before["clusterIP"] {
                for name in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] { spec[name] = nil }
            }
            if isExternal(spec), isExternal(before) {
                keepNodePorts(&spec, before)
            } else if !isExternal(spec), isExternal(before) {
                dropNodePorts(&spec, before)
            }
        }
    }

    private static func keepNodePorts(_ spec: inout JSONValue, _ before: JSONValue) {
        let known = before["ports"]?.array ?? []
        let taken = Set((spec["ports"]?.array ?? []).compactMap { $0["nodePort"]?.int })
        spec.changeElements("ports") { port in
            guard port["nodePort"]?.int ?? 0 == 0 else { return }
            let match = known.first { $0["port"] == port["port"] && $0["protocol"] == port["protocol"] }
            if let nodePort = match?["nodePort"], !taken.contains(nodePort.int ?? 0) { port["nodePort"] = nodePort }
        }
        if spec["healthCheckNodePort"] == nil, spec["externalTrafficPolicy"] == "Local" {
            spec["healthCheckNodePort"] = before["healthCheckNodePort"]
        }
    }

    private static func dropNodePorts(_ spec: inout JSONValue, _ before: JSONValue) {
        func nodePorts(_ spec: JSONValue) -> Set<Int> {
            Set((spec["ports"]?.array ?? []).compactMap { $0["nodePort"]?.int })
        }
        if nodePorts(spec) == nodePorts(before) { spec.changeElements("ports") { $0["nodePort"] = nil } }
        for name in ["externalTrafficPolicy", "allocateLoadBalancerNodePorts", "healthCheckNodePort"]
        where spec[name] == before[name] {
            spec[name] = nil
        }
    }

    @Sendable
    static func checkUpdate(
        _ service: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]
    ) {
        guard subresource == nil, let spec = service.value["spec"], let before = old.value["spec"],
            hasClusterIP(spec), hasClusterIP(before), let address = before["clusterIP"], address != ""
        else { return }
        let path = FieldPath("spec", "clusterIPs")[0]
        if JSONValue.isEmpty(spec["clusterIP"]) {
            errors.append(
                FieldError(
                    .invalid, path, shownValue: goList(spec["clusterIPs"]), "primary clusterIP can not be unset"))
        } else if spec["clusterIP"] != address {
            errors.append(
                FieldError(.invalid, path, shownValue: goList(spec["clusterIPs"]), "may not change once set"))
        }
    }
}
