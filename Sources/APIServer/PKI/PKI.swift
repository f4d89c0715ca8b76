import FoundationEssentials
public import KubeModel
import SwiftASN1
import X509

/// Why there are no certificates.
public struct PKIError: Error, Sendable, Hashable, CustomStringConvertible {
    public var message: String
    public var hint: String?
    public var description: String { hint.map { "\(message)\nhint: \($0)" } ?? message }
}

/// The certificates of one cluster: an authority of its own, the server's, and the administrator's.
///
/// When anything expires, everything is made anew together.
public struct PKI: Sendable {
    /// Certificates and keys as PEM text.
    public let authorityCertificate: String
    public let serverCertificate: String
    public let serverKey: String
    public let clientCertificate: String
    public let clientKey: String
    /// The key of the authority, by which other certificates are signed; only its owner may read the file.
    let authorityKey: String
    /// By what the server is known to API servers behind it, and the authority of its own that this is signed by: whoever
    /// has a certificate of it speaks for every user.
    let frontProxyAuthority: String
    let frontProxyCertificate: String
    let frontProxyKey: String
    /// The key that signs the tokens of service accounts; it outlives the certificates, as the tokens do.
    public let serviceAccountKey: String

    static let frontProxyName = "front-proxy-client"

    private static let files = [
        "ca.crt", "apiserver.crt", "apiserver.key", "admin.crt", "admin.key", "ca.key", "front-proxy-ca.crt",
        "front-proxy-client.crt", "front-proxy-client.key",
    ]
    private static let signerFile = "sa.key"

    init(parts: [String], serviceAccountKey: String) {
        self.serviceAccountKey = serviceAccountKey
        precondition(parts.count == Self.files.count, "\(parts.count) parts are not the \(Self.files.count) of a PKI")
        authorityCertificate = parts[0]
        serverCertificate = parts[1]
        serverKey = parts[2]
        clientCertificate = parts[3]
        clientKey = parts[4]
        authorityKey = parts[5]
        frontProxyAuthority = parts[6]
        frontProxyCertificate = parts[7]
        frontProxyKey = parts[8]
    }

    private var parts: [String] {
        [
            authorityCertificate, serverCertificate, serverKey, clientCertificate, clientKey, authorityKey,
            frontProxyAuthority, frontProxyCertificate, frontProxyKey,
        ]
    }

    /// The certificates in a directory; makes them when they are missing, damaged or about to expire.
    ///
    /// The directory is made if it is not there; files in it are readable by their owner only. `serviceAddress` is that of
    /// the `kubernetes` Service, by which pods reach the server.
    public static func load(
        orMakeIn directory: String, serviceAddress: String = "10.96.0.1", now: Timestamp? = nil
    ) throws(PKIError) -> PKI {
        let now = now ?? .now
        let texts = files.compactMap { SecretFile.read("\(directory)/\($0)") }
        try SecretFile.makeDirectory(directory)
        let signer = try loadSigner("\(directory)/\(signerFile)")
        if texts.count == files.count {
            let pki = PKI(parts: texts, serviceAccountKey: signer)
            if pki.isUsable(now: now) { return pki }
        }
        let pki = try make(serviceAddress: serviceAddress, now: now, serviceAccountKey: signer)
        for (name, text) in zip(files, pki.parts) { try SecretFile.write(text, to: "\(directory)/\(name)") }
        return pki
    }

    private static func loadSigner(_ path: String) throws(PKIError) -> String {
        if let text = SecretFile.read(path), TokenSigner(pem: text) != nil { return text }
        let text = TokenSigner().pem
        try SecretFile.write(text, to: path)
        return text
    }

    /// New certificates, kept nowhere.
    public static func make(
        serviceAddress: String = "10.96.0.1", now: Timestamp? = nil, serviceAccountKey: String? = nil
    ) throws(PKIError) -> PKI {
        do {
            let now = now ?? .now
            let parts =
                try CertificateAuthority(now: now).issueAll(serviceAddress: serviceAddress)
                + CertificateAuthority(now: now, name: "velocitylab-front-proxy-ca").issueFrontProxy()
            return PKI(parts: parts, serviceAccountKey: serviceAccountKey ?? TokenSigner().pem)
        } catch {
            throw PKIError(message: "The certificates of the cluster cannot be made: \(error).", hint: nil)
        }
    }

    /// Certificates are renewed when they have less than this left.
    private static let secondsLeftMin: Int64 = 7 * 86_400

    /// Whether the parts belong together and will be valid for a while.
    func isUsable(now: Timestamp) -> Bool {
        do {
            let authority = try Certificate(pemEncoded: authorityCertificate)
            let proxyAuthority = try Certificate(pemEncoded: frontProxyAuthority)
            guard try Certificate.PrivateKey(pemEncoded: authorityKey).publicKey == authority.publicKey else {
                return false
            }
            let moment = Date(timeIntervalSince1970: Double(now.seconds))
            let later = moment.addingTimeInterval(Double(Self.secondsLeftMin))
            for (text, key, authority) in [
                (serverCertificate, serverKey, authority), (clientCertificate, clientKey, authority),
                (frontProxyCertificate, frontProxyKey, proxyAuthority),
            ] {
                let certificate = try Certificate(pemEncoded: text)
                let privateKey = try Certificate.PrivateKey(pemEncoded: key)
                guard privateKey.publicKey == certificate.publicKey,
                    authority.publicKey.isValidSignature(certificate.signature, for: certificate)
                else { return false }
                guard certificate.notValidBefore <= moment, later < certificate.notValidAfter else { return false }
            }
            return authority.notValidBefore <= moment && later < authority.notValidAfter
        } catch {
            return false
        }
    }

    /// A kubeconfig with everything in it, for `kubectl` and `HTTPSClient`.
    ///
    /// `server` is a URL, for example `https://127.0.0.1:6443`; `name` is that of the cluster and of the context.
    public func kubeconfig(server: String, name: String = "velocitylab", user: String = "kubernetes-admin") -> String {
        func encoded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
        return """
            apiVersion: v1
            kind: Config
            clusters:
            - name: \(name)
              cluster:
                certificate-authority-data: \(encoded(authorityCertificate))
                server: \(server)
            contexts:
            - name: \(name)
              context:
                cluster: \(name)
                user: \(user)
            current-context: \(name)
            preferences: {}
            users:
            - name: \(user)
              user:
                client-certificate-data: \(encoded(clientCertificate))
                client-key-data: \(encoded(clientKey))

            """
    }
}
