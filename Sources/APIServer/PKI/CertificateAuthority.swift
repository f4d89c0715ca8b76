import Crypto
import FoundationEssentials
import KubeModel
import SwiftASN1
import X509

/// Issues the certificates of one cluster, all for the same year.
struct CertificateAuthority {
    private let key: Certificate.PrivateKey
    private let certificate: Certificate
    private let validity: (from: Date, to: Date)

    /// Clocks of other programs may be behind ours.
    private static let backdating: Double = 3600
    private static let lifetime: Double = 365 * 86_400

    init(now: Timestamp) throws {
        let moment = Date(timeIntervalSince1970: Double(now.seconds))
        validity = (moment.addingTimeInterval(-Self.backdating), moment.addingTimeInterval(Self.lifetime))
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        self.key = key
        let name = try DistinguishedName { CommonName("velocitylab-ca") }
        certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: validity.from, notValidAfter: validity.to, issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
            },
            issuerPrivateKey: key)
    }

    /// Certificates and keys in the order in which a `PKI` takes them.
    func issueAll(serviceAddress: String) throws -> [String] {
        let names = [
            "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ]
        var addresses: [[UInt8]] = [[127, 0, 0, 1], [UInt8](repeating: 0, count: 15) + [1]]
        if let address = AddressBlock.address(serviceAddress) {
            addresses.append([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: address >> $0) })
        }
        let alternatives =
            names.map(GeneralName.dnsName)
            + addresses.map { GeneralName.ipAddress(ASN1OctetString(contentBytes: $0[...])) }
        let server = try issue(
            DistinguishedName { CommonName("kube-apiserver") }, usage: .serverAuth,
            alternatives: SubjectAlternativeNames(alternatives))
        let client = try issue(
            DistinguishedName {
                OrganizationName("system:masters")
                CommonName("kubernetes-admin")
            }, usage: .clientAuth, alternatives: nil)
        let authority = try certificate.serializeAsPEM().pemString + "\n"
        return [authority, server.certificate, server.key, client.certificate, client.key]
    }

    private func issue(
        _ subject: DistinguishedName, usage: ExtendedKeyUsage.Usage, alternatives: SubjectAlternativeNames?
    ) throws -> (certificate: String, key: String) {
        let subjectKey = P256.Signing.PrivateKey()
        let publicKey = Certificate.PublicKey(subjectKey.publicKey)
        let issued = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
            notValidBefore: validity.from, notValidAfter: validity.to, issuer: certificate.subject, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([usage])
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier)
                if let alternatives { alternatives }
            },
            issuerPrivateKey: key)
        return (try issued.serializeAsPEM().pemString + "\n", subjectKey.pemRepresentation + "\n")
    }
}
