/// Rules of a Service that concern more than one field.
///
/// Addresses and node ports are given out by the server; here they only keep their place.
enum ServiceRules {
    static func hasClusterIP(_ spec: JSONValue?) -> Bool { spec?["type"] != "ExternalName" }

    static func isExternal(_ spec: JSONValue?) -> Bool {
        spec?["type"] == "NodePort" || spec?["type"] == "LoadBalancer"
    }

    static func isHeadless(_ spec: JSONValue?) -> Bool { spec?["clusterIP"] == "None" }

    @Sendable
    static func completeSpec(_ spec: inout JSONValue) {
        if spec["sessionAffinity"] == "ClientIP" {
            if spec["sessionAffinityConfig"] == nil { spec["sessionAffinityConfig"] = ["clientIP": [:]] }
            spec[["sessionAffinityConfig", "clientIP"]] = spec[["sessionAffinityConfig", "clientIP"]] ?? [:]
        } else if spec["sessionAffinity"] == "None" {
            // What was said of an affinity goes with it, so that one word switches it off.
            spec["sessionAffinityConfig"] = nil
        }
        guard hasClusterIP(spec) else { return }
        if let address = spec["clusterIP"], address != "" {
            if JSONValue.isEmpty(spec["clusterIPs"]) { spec["clusterIPs"] = [address] }
        } else if let first = spec["clusterIPs"]?.array?.first {
            spec["clusterIP"] = first
        }
        spec.setDefault("internalTrafficPolicy", "Cluster")
        if isExternal(spec) || spec["type"] == "ClusterIP" && !spec.list("externalIPs").isEmpty {
            spec.setDefault("externalTrafficPolicy", "Cluster")
        }
        if spec["type"] == "LoadBalancer" { spec.setDefault("allocateLoadBalancerNodePorts", true) }
        spec.setDefault("ipFamilyPolicy", "SingleStack")
        if JSONValue.isEmpty(spec["ipFamilies"]) { spec["ipFamilies"] = ["IPv4"] }
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
}
