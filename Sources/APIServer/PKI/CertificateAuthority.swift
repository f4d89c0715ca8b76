import Crypto
import FoundationEssentials
import KubeModel
import SwiftASN1
import X509

/// Issues the certificates of one cluster.
struct CertificateAuthority: Sendable {
    private let key: Certificate.PrivateKey
    private let certificate: Certificate
    /// When the certificates are good that it makes when it is made: all for the same year.
    private let validity: (from: Date, to: Date)

    /// Clocks of other programs may be behind ours.
    private static let backdating: Double = 3600
    private static let lifetime: Double = 365 * 86_400

    /// An authority that exists, as PEM.
    init(certificate: String, key: String) throws {
        self.key = try Certificate.PrivateKey(pemEncoded: key)
        self.certificate = try Certificate(pemEncoded: certificate)
        validity = (self.certificate.notValidBefore, self.certificate.notValidAfter)
    }

    /// A new authority.
    init(now: Timestamp, name: String = "velocitylab-ca") throws {
        let moment = Date(timeIntervalSince1970: Double(now.seconds))
        validity = (moment.addingTimeInterval(-Self.backdating), moment.addingTimeInterval(Self.lifetime))
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        self.key = key
        let name = try DistinguishedName { CommonName(name) }
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
        return [try pem, server.certificate, server.key, client.certificate, client.key, try keyPEM]
    }

    private var pem: String { get throws { try certificate.serializeAsPEM().pemString + "\n" } }

    private var keyPEM: String { get throws { try key.serializeAsPEM().pemString + "\n" } }

    /// The authority and the certificate by which the API server is known to servers behind it.
    func issueFrontProxy() throws -> [String] {
        let client = try issue(
            DistinguishedName { CommonName(PKI.frontProxyName) }, usage: .clientAuth, alternatives: nil)
        return [try pem, client.certificate, client.key]
    }

    /// A certificate for somebody else's key, as PEM; it ends with the authority at the latest.
    func issue(
        _ request: CertificateSigningRequest, usages: [String], from begin: Date, to end: Date
    ) throws -> String {
        let purposes: [ExtendedKeyUsage.Usage] =
            (usages.contains("server auth") ? [.serverAuth] : [])
            + (usages.contains("client auth") ? [.clientAuth] : [])
        let alternatives = request.alternativeNames
        let keyUsage = KeyUsage(
            digitalSignature: usages.contains("digital signature"),
            keyEncipherment: usages.contains("key encipherment"))
        let issued = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: request.publicKey,
            notValidBefore: begin, notValidAfter: min(end, certificate.notValidAfter), issuer: certificate.subject,
            subject: request.subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                // Others refuse a list of uses that is there and empty.
                if keyUsage != KeyUsage() { Critical(keyUsage) }
                try ExtendedKeyUsage(purposes)
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier)
                if let alternatives { alternatives }
            },
            issuerPrivateKey: key)
        return try issued.serializeAsPEM().pemString + "\n"
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
