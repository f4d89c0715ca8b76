import KubeModel
import Testing

@testable import ClusterNetwork

@Suite("Resolver configuration", .timeLimit(.minutes(5)))
struct ResolverConfigurationTests {
    private func text(_ spec: JSONValue) -> String {
        ResolverConfiguration(
            spec: spec,
            cluster: ResolverConfiguration(server: "10.96.0.10", domain: "cluster.local", namespace: "shop"),
            host: ResolverConfiguration(
                parsing: "# local\nnameserver 192.0.2.1\nnameserver\t192.0.2.2\nsearch corp.example\noptions edns0\n")
        ).text
    }

    private static let cluster = """
        search shop.svc.cluster.local svc.cluster.local cluster.local
        nameserver 10.96.0.10
        options ndots:5

        """

    private static let host = """
        search corp.example
        nameserver 192.0.2.1
        nameserver 192.0.2.2
        options edns0

        """

    @Test(
        "the pod's policy says whose names it knows",
        arguments: [
            (nil, false, cluster), ("ClusterFirst", false, cluster), ("Default", false, host),
            ("ClusterFirst", true, host), ("ClusterFirstWithHostNet", true, cluster),
        ] as [(String?, Bool, String)])
    func policies(policy: String?, isOnHost: Bool, expected: String) {
        var spec: JSONValue = isOnHost ? ["hostNetwork": true] : [:]
        if let policy { spec["dnsPolicy"] = .string(policy) }
        #expect(text(spec) == expected)
    }

    @Test("what the pod configures itself is added; its options come before those of the cluster")
    func configuration() {
        let own: JSONValue = [
            "nameservers": ["192.0.2.9", "10.96.0.10"], "searches": ["example.com", "cluster.local"],
            "options": [["name": "ndots", "value": "2"], ["name": "rotate"]],
        ]
        #expect(
            text(["dnsConfig": own]) == """
                search shop.svc.cluster.local svc.cluster.local cluster.local example.com
                nameserver 10.96.0.10
                nameserver 192.0.2.9
                options ndots:2 rotate

                """)
        #expect(
            text(["dnsPolicy": "None", "dnsConfig": ["nameservers": ["192.0.2.9"]]]) == "nameserver 192.0.2.9\n")
    }
}
