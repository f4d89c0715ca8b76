/// What the signers of Kubernetes sign, and what not.
///
/// Source: Kubernetes, `pkg/apis/certificates/helpers.go`.
enum SigningRules: String {
    case client = "kubernetes.io/kube-apiserver-client"
    case kubeletClient = "kubernetes.io/kube-apiserver-client-kubelet"
    case kubeletServing = "kubernetes.io/kubelet-serving"

    /// Nil for a signer of somebody else.
    init?(signer: String) { self.init(rawValue: signer) }

    /// Why such a certificate is not signed; nil when it is.
    func complaint(about subject: SigningSubject, usages: [String]) -> String? {
        switch self {
        case .client: Self.clientComplaint(usages)
        case .kubeletClient, .kubeletServing: nodeComplaint(subject, Set(usages))
        }
    }

    private static func clientComplaint(_ usages: [String]) -> String? {
        let allowed = ["digital signature", "key encipherment", "client auth"]
        if let other = usages.first(where: { !allowed.contains($0) }) {
            return "\(other) is not valid for client certificates"
        }
        return usages.contains("client auth") ? nil : "missing required usage: client auth"
    }

    /// The certificates of kubelets name a node, and nothing that is not its own.
    private func nodeComplaint(_ subject: SigningSubject, _ usages: Set<String>) -> String? {
        if subject.organizations != ["system:nodes"] { return "subject organization is not system:nodes" }
        if self == .kubeletServing {
            if subject.dnsNames + subject.addresses == 0 { return "DNS or IP subjectAltName is required" }
        } else {
            if subject.dnsNames > 0 { return "DNS subjectAltNames are not allowed" }
        }
        if subject.mailAddresses > 0 { return "Email subjectAltNames are not allowed" }
        if self == .kubeletClient, subject.addresses > 0 { return "IP subjectAltNames are not allowed" }
        if subject.uris > 0 { return "URI subjectAltNames are not allowed" }
        let purpose = self == .kubeletServing ? "server auth" : "client auth"
        // Keys of elliptic curves encipher nothing.
        let wanted: Set = ["digital signature", "key encipherment", purpose]
        if usages != wanted, usages != wanted.subtracting(["key encipherment"]) {
            return "usages did not match [\(wanted.sorted().joined(separator: " "))]"
        }
        return subject.commonName.hasPrefix("system:node:")
            ? nil : "subject common name does not begin with system:node:"
    }
}
