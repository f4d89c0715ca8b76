import NIOCore
import NIOSSL

/// How a connection that the server itself opens is secured.
struct OutgoingTLS: Sendable {
    private let context: NIOSSLContext
    /// The name or address that the certificate must have; nil when nobody looks.
    private let serverName: String?

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
        // Names are looked at here: the library would take a certificate without alternatives by its common name, and one
        // for the address by any name.
        configuration.certificateVerification = .noHostnameVerification
        if !authorities.isEmpty {
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authorities))
        }
        return OutgoingTLS(context: try NIOSSLContext(configuration: configuration), serverName: serverName)
    }

    /// What secures a connection, before anything is sent over it.
    func handler() throws -> NIOSSLClientHandler {
        guard let serverName else { return try NIOSSLClientHandler(context: context, serverHostname: nil) }
        let isAddress = serverName.contains(":") || serverName.allSatisfy { $0 == "." || $0.isNumber }
        return try NIOSSLClientHandler._makeSSLClientHandler(
            context: context, serverHostname: isAddress ? nil : serverName
        ) { certificate, channel in
            channel.eventLoop.makeCompletedFuture {
                let fault = PeerFault(certificate: try certificate.toDERBytes())
                if fault.explanation(serverName: serverName) != nil { throw fault }
            }
        }
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

    /// Stands in the error of a handshake in which nobody that is believed has signed.
    static let unbelieved = "CERTIFICATE_VERIFY_FAILED"

    /// What went wrong, in the words of the real server's TLS library where there are such.
    static func explain(_ error: any Error, serverName: String) -> String {
        let text = "\(error)"
        if error is PeerFault || text.contains(unbelieved) {
            let why = (error as? PeerFault)?.explanation(serverName: serverName)
            return "tls: failed to verify certificate: \(why ?? "x509: certificate signed by unknown authority")"
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
