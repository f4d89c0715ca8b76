/// Text of `/etc/resolv.conf` in pods (the kubelet's dnsPolicy `ClusterFirst`).
struct ResolverConfiguration: Equatable, Sendable {
    var server: String
    var domain: String

    /// Names are tried in the pod's namespace first, then as services, then as they are.
    func text(namespace: String) -> String {
        """
        search \(namespace).svc.\(domain) svc.\(domain) \(domain)
        nameserver \(server)
        options ndots:5

        """
    }
}
