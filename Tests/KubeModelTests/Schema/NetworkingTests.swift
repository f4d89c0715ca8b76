import KubeModel
import Testing

@Suite("Ingress, IngressClass and NetworkPolicy", .timeLimit(.minutes(5))) struct NetworkingTests {
    private static func path(_ members: String) -> String {
        #"{"spec": {"rules": [{"http": {"paths": [{\#(members)}]}}]}}"#
    }

    private static let backend = #""backend": {"service": {"name": "web", "port": {"number": 80}}}"#

    @Test(
        "an ingress's faults are named in Kubernetes' words",
        arguments: [
            (
                #"{"spec": {}}"#,
                [
                    "spec: Invalid value: []networking.IngressRule(nil): "
                        + "either `defaultBackend` or `rules` must be specified"
                ]
            ),
            (
                path(#""path": "/", \#(backend)"#),
                ["spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"]
            ),
            (
                path(#""path": "x//y/.", "pathType": "Prefix", \#(backend)"#),
                [
                    #"spec.rules[0].http.paths[0].path: Invalid value: "x//y/.": must be an absolute path"#,
                    #"spec.rules[0].http.paths[0].path: Invalid value: "x//y/.": must not contain '//'"#,
                    #"spec.rules[0].http.paths[0].path: Invalid value: "x//y/.": cannot end with '/.'"#,
                ]
            ),
            (
                path(#""path": "/", "pathType": "Regex", \#(backend)"#),
                [
                    #"spec.rules[0].http.paths[0].pathType: Unsupported value: "Regex": "#
                        + #"supported values: "Exact", "ImplementationSpecific", "Prefix""#
                ]
            ),
            (
                path(#""path": "/", "pathType": "Exact""#),
                [
                    #"spec.rules[0].http.paths[0].backend: Invalid value: "": resource or service backend is required"#
                ]
            ),
            (
                #"{"spec": {"defaultBackend": {"service": {"name": "web"}}}}"#,
                ["spec.defaultBackend: Required value: port name or number is required"]
            ),
            (
                #"{"spec": {"rules": [{"host": "192.0.2.1"}]}}"#,
                [#"spec.rules[0].host: Invalid value: "192.0.2.1": must be a DNS name, not an IP address"#]
            ),
            (
                #"{"spec": {"rules": [{"http": {}}]}}"#, ["spec.rules[0].http.paths: Required value"]
            ),
            (#"{"spec": {"rules": [{"host": "*.shop.example"}]}}"#, []),
        ])
    func ingress(text: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.ingresses, text) == expected)
    }

    @Test("a star stands for the first part of a host name only")
    func wildcard() throws {
        let complaints = try Fixture.complaints(.ingresses, #"{"spec": {"rules": [{"host": "a.*.example"}]}}"#)
        #expect(
            complaints == [
                #"spec.rules[0].host: Invalid value: "a.*.example": a wildcard DNS-1123 subdomain must start with "#
                    + "'*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric "
                    + "characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used "
                    + #"for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#
            ])
    }

    @Test(
        "an ingress class names its controller, and settings in the scope they have",
        arguments: [
            (#"{"spec": {}}"#, ["spec.controller: Required value"]),
            (
                #"{"spec": {"controller": "nginx"}}"#,
                [
                    #"spec.controller: Invalid value: "nginx": "#
                        + #"must be a domain-prefixed path (such as "acme.io/foo")"#
                ]
            ),
            (
                #"{"spec": {"controller": "a.b/c", "parameters": {"kind": "K", "name": "n", "scope": "Namespace"}}}"#,
                ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"]
            ),
            (
                #"{"spec": {"controller": "a.b/c", "parameters": {"kind": "K", "name": "n", "namespace": "x"}}}"#,
                ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"]
            ),
        ])
    func ingressClass(text: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.ingressClasses, text) == expected)
    }

    @Test("the controller of an ingress class is for ever")
    func controller() throws {
        let kind = try Fixture.kind(.ingressClasses)
        let old = try Fixture.object(.ingressClasses, #"{"spec": {"controller": "a.b/c"}}"#)
        let new = try Fixture.object(.ingressClasses, #"{"spec": {"controller": "a.b/d"}}"#)
        #expect(
            kind.validateUpdate(new, old: old).map(\.description) == [
                #"spec.controller: Invalid value: "a.b/d": field is immutable"#
            ])
    }

    private static func rule(_ members: String) -> String { #"{"spec": {"ingress": [{\#(members)}]}}"# }

    @Test(
        "a network policy's faults are named in Kubernetes' words",
        arguments: [
            (rule(#""from": [{}]"#), ["spec.ingress[0].from[0]: Required value: must specify a peer"]),
            (
                rule(#""from": [{"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}]"#),
                ["spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer"]
            ),
            (
                rule(#""from": [{"ipBlock": {"cidr": "10.0.0.0"}}]"#),
                [
                    #"spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.0": must be a valid CIDR value, "#
                        + "(e.g. 10.9.8.0/24 or 2001:db8::/64)"
                ]
            ),
            (
                rule(#""from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}]"#),
                [
                    #"spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": "#
                        + "must be a strict subset of `cidr`"
                ]
            ),
            (
                rule(#""ports": [{"port": 80, "endPort": 79}]"#),
                ["spec.ingress[0].ports[0].endPort: Invalid value: 79: must be greater than or equal to `port`"]
            ),
            (
                rule(#""ports": [{"endPort": 79}]"#),
                [
                    "spec.ingress[0].ports[0].endPort: Invalid value: 79: may not be specified when `port` is not specified"
                ]
            ),
            (
                #"{"spec": {"policyTypes": ["Both"]}}"#,
                [#"spec.policyTypes[0]: Unsupported value: "Both": supported values: "Ingress", "Egress""#]
            ),
        ])
    func networkPolicy(text: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.networkPolicies, text) == expected)
    }

    @Test(
        "a policy is about what its rules show",
        arguments: [("{}", ["Ingress"]), (#"{"egress": [{}]}"#, ["Ingress", "Egress"])] as [(String, JSONValue)])
    func policyTypes(spec: String, expected: JSONValue) throws {
        let policy = try Fixture.object(.networkPolicies, #"{"spec": \#(spec)}"#)
        #expect(policy.value[["spec", "policyTypes"]] == expected)
        #expect(policy.value[["spec", "podSelector"]] == [:])
    }

    @Test(
        "ranges of addresses contain what shares their prefix",
        arguments: [
            ("10.0.0.0/8", "10.1.2.0/24", true), ("10.0.0.0/8", "10.0.0.0/8", false),
            ("10.0.0.0/8", "11.0.0.0/9", false), ("0.0.0.0/0", "1.2.3.4/32", true),
            ("2001:db8::/32", "2001:db8:1::/48", true), ("2001:db8::/32", "10.0.0.0/16", false),
            ("::ffff:10.0.0.0/104", "::ffff:10.1.2.3/128", true),
        ])
    func ranges(outer: String, inner: String, isInside: Bool) throws {
        let range = try #require(AddressRange(parsing: outer))
        #expect(try #require(AddressRange(parsing: inner)).isStrictlyInside(range) == isInside)
    }
}
