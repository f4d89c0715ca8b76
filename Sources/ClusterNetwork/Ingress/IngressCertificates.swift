import Crypto
import FoundationEssentials
import KubeModel
import NIOSSL
import SwiftASN1
import X509

/// The certificates of host names, and the one for all others.
struct IngressCertificates: Sendable {
    private var contexts: [String: NIOSSLContext] = [:]
    private let fallback: NIOSSLContext

    /// - Throws: Only if no certificate can be made at all.
    init() throws { fallback = try Self.makeFallback() }

    /// Reads Secrets of type `kubernetes.io/tls`.
    ///
    /// - Returns: The hosts whose Secret is missing or cannot be used: they get the certificate for all others.
    mutating func update(_ secrets: [String: ObjectKey], find: (ObjectKey) -> KubeObject?) -> [String] {
        var unusable: [String] = []
        contexts = [:]
        for (host, key) in secrets {
            let data = find(key)?.value["data"]
            if let chain = data?["tls.crt"]?.string, let privateKey = data?["tls.key"]?.string,
                let context = try? Self.context(chain, privateKey)
            {
                contexts[host] = context
            } else {
                unusable.append(host)
            }
        }
        return unusable.sorted()
    }

    /// The certificate for the name that a client asks for.
    func context(for name: String?) -> NIOSSLContext {
        guard let name = name?.lowercased() else { return fallback }
        if let context = contexts[name] { return context }
        guard let dot = name.firstIndex(of: ".") else { return fallback }
        return contexts["*" + name[dot...]] ?? fallback
    }

    /// - Parameters:
    ///   - chain: PEM in base64, the server's certificate first.
    ///   - privateKey: PEM in base64.
    private static func context(_ chain: String, _ privateKey: String) throws -> NIOSSLContext {
        guard let chain = Data(base64Encoded: chain), let privateKey = Data(base64Encoded: privateKey) else {
            throw NIOSSLError.failedToLoadCertificate
        }
        return try context(
            NIOSSLCertificate.fromPEMBytes(Array(chain)), NIOSSLPrivateKey(bytes: Array(privateKey), format: .pem))
    }

    private static func context(
        _ chain: [NIOSSLCertificate], _ privateKey: NIOSSLPrivateKey
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        configuration.applicationProtocols = ["http/1.1"]
        configuration.minimumTLSVersion = .tlsv12
        return try NIOSSLContext(configuration: configuration)
    }

    /// Signed by itself, under the name by which people know that they see it.
    private static func makeFallback() throws -> NIOSSLContext {
        let pair = try makePair(name: "Kubernetes Ingress Controller Fake Certificate")
        return try context(
            NIOSSLCertificate.fromPEMBytes(Array(pair.certificate.utf8)),
            NIOSSLPrivateKey(bytes: Array(pair.key.utf8), format: .pem))
    }

    /// A certificate that is signed by itself, with its key, both as PEM.
    static func makePair(name commonName: String) throws -> (certificate: String, key: String) {
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName {
            OrganizationName("Acme Co")
            CommonName(commonName)
        }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: Certificate.PublicKey(key.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: -3600), notValidAfter: Date(timeIntervalSinceNow: 365 * 86_400),
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions { SubjectAlternativeNames([.dnsName("ingress.local")]) },
            issuerPrivateKey: Certificate.PrivateKey(key))
        return (try certificate.serializeAsPEM().pemString, key.pemRepresentation)
    }
}
