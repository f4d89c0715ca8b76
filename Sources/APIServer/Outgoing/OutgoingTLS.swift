import NIOSSL

/// How a connection that the server itself opens is secured.
struct OutgoingTLS: Sendable {
    let context: NIOSSLContext
    /// The name that the certificate must have; nil when nobody looks.
    let serverName: String?

    /// Believes whoever answers: for programs in pods, whose certificates nobody can check.
    static func unverified(_ identity: ClientIdentity? = nil) throws -> OutgoingTLS {
        var configuration = base(identity)
        configuration.certificateVerification = .none
        return OutgoingTLS(context: try NIOSSLContext(configuration: configuration), serverName: nil)
    }

    /// Believes a program whose certificate has this name and is signed by one of the authorities.
    ///
    /// - Parameter authorities: PEM; empty for those that this machine trusts.
    static func verified(
        authorities: [UInt8], serverName: String, _ identity: ClientIdentity? = nil
    ) throws -> OutgoingTLS {
        var configuration = base(identity)
        configuration.certificateVerification = .fullVerification
        if !authorities.isEmpty {
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authorities))
        }
        // Without a name, the certificate must be for the address that the connection goes to.
        let isAddress = serverName.contains(":") || serverName.allSatisfy { $0 == "." || $0.isNumber }
        return OutgoingTLS(
            context: try NIOSSLContext(configuration: configuration), serverName: isAddress ? nil : serverName)
    }

    private static func base(_ identity: ClientIdentity?) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        if let identity {
            configuration.certificateChain = [.certificate(identity.certificate)]
            configuration.privateKey = .privateKey(identity.key)
        }
        return configuration
    }

    /// What went wrong, in the words of the real server's TLS library where there are such.
    static func explain(_ error: any Error, serverName: String) -> String {
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            return "tls: failed to verify certificate: x509: certificate is not valid for \(serverName)"
        }
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return "tls: failed to verify certificate: x509: certificate signed by unknown authority"
        }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
            return "tls: first record does not look like a TLS handshake"
        }
        return text
    }
}

/// A certificate by which the server itself is known to others.
struct ClientIdentity: Sendable {
    let certificate: NIOSSLCertificate
    let key: NIOSSLPrivateKey

    init(certificate: String, key: String) throws {
        self.certificate = try NIOSSLCertificate(bytes: Array(certificate.utf8), format: .pem)
        self.key = try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
    }
}
