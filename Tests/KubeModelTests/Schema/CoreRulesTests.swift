import KubeModel
import Testing

@Suite("Rules of Services, Secrets, Nodes and Namespaces", .timeLimit(.minutes(5))) struct CoreRulesTests {
    @Test(
        "a service's faults are named in Kubernetes' words",
        arguments: [
            (
                #""type": "ClusterIP", "ports": [{"port": 80}], "loadBalancerClass": "a""#,
                ["spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"]
            ),
            (
                #""ports": [{"port": 80}], "ipFamilies": ["IPv6"]"#,
                [#"spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster"#]
            ),
            (
                #""ports": [{"port": 80}], "sessionAffinity": "ClientIP", "#
                    + #""sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 86401}}"#,
                [
                    "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 "
                        + "and less than 86400"
                ]
            ),
            (
                #""ports": [{"port": 80}], "externalIPs": ["127.0.0.1"]"#,
                [
                    #"spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range "#
                        + "(127.0.0.0/8, ::1/128)"
                ]
            ),
            (
                #""ports": [{"port": 80}], "healthCheckNodePort": 30000"#,
                [
                    "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and "
                        + "`externalTrafficPolicy` is 'Local'"
                ]
            ),
            (
                #""type": "LoadBalancer", "ports": [{"port": 80}], "loadBalancerSourceRanges": ["x"]"#,
                [
                    #"spec.LoadBalancerSourceRanges[0]: Invalid value: "x": must be a valid CIDR value, "#
                        + "(e.g. 10.9.8.0/24 or 2001:db8::/64)"
                ]
            ),
            (
                #""ports": [{"port": 80}], "clusterIP": "None", "clusterIPs": ["None", "10.96.0.5"]"#,
                [
                    #"spec.clusterIPs: Invalid value: []string{"None", "10.96.0.5"}: "#
                        + "'None' must be the first and only value"
                ]
            ),
        ])
    func service(spec: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.services, #"{"spec": {\#(spec)}}"#) == expected)
    }

    @Test(
        "the entries of some secrets are looked at, and not shown",
        arguments: [
            (
                #"{"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "{x"}}"#,
                [
                    #"data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": "#
                        + "invalid character 'x' looking for beginning of object key string"
                ]
            ),
            (
                #"{"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "[]"}}"#,
                [
                    #"data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": "#
                        + "json: cannot unmarshal array into Go value of type map[string]interface {}"
                ]
            ),
            (#"{"type": "kubernetes.io/dockercfg", "stringData": {".dockercfg": "{}"}}"#, []),
            (
                #"{"type": "kubernetes.io/ssh-auth", "data": {"ssh-privatekey": ""}}"#,
                ["data[ssh-privatekey]: Required value"]
            ),
        ])
    func secret(text: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.secrets, text) == expected)
    }

    @Test("two taints of one key and effect are one too many")
    func taints() throws {
        let text = #"{"spec": {"taints": [{"key": "a", "effect": "NoExecute"}, {"key": "a", "effect": "NoExecute"}]}}"#
        #expect(
            try Fixture.complaints(.nodes, text) == [
                #"metadata.taints[1]: Duplicate value: core.Taint{Key:"a", Value:"", Effect:"NoExecute", "#
                    + "TimeAdded:<nil>}: taints must be unique by key and effect pair"
            ])
    }

    @Test("the range of a node's pods is told twice, and stays")
    func ranges() throws {
        let old = try Fixture.object(.nodes, #"{"spec": {"podCIDR": "10.244.0.0/24"}}"#)
        #expect(old.value[["spec", "podCIDRs"]] == ["10.244.0.0/24"])
        var new = old
        new.value["spec"] = ["podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24"]]
        #expect(
            try Fixture.kind(.nodes).validateUpdate(new, old: old).map(\.description) == [
                #"spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid"#
            ])
    }

    @Test("finalizers without a domain are Kubernetes' own")
    func finalizers() throws {
        #expect(
            try Fixture.complaints(.namespaces, #"{"spec": {"finalizers": ["mine"]}}"#) == [
                #"spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully "#
                    + "qualified"
            ])
        #expect(
            try Fixture.complaints(.configMaps, #"{"metadata": {"finalizers": ["mine"]}}"#) == [
                #"metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it "#
                    + "fully qualified"
            ])
    }
}
