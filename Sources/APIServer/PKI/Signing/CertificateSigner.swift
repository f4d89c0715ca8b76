import Crypto
import FoundationEssentials
public import KubeModel
import SwiftASN1
import X509

/// Signs approved wishes for certificates with the authority of the cluster.
///
/// Source: Kubernetes, `pkg/controller/certificates/signer` and `authority`.
public struct CertificateSigner: Sendable {
    private let authority: CertificateAuthority

    /// Longer than this no certificate is good, nor longer than the authority itself.
    private static let secondsMax = 365 * 86_400
    private static let secondsMin = 600
    /// Certificates of a day's work begin some minutes ago, because clocks differ; the others lose those minutes at the end.
    private static let secondsBackdated = 300
    private static let secondsShort = 8 * 3600

    public init(_ pki: PKI) throws(PKIError) {
        do {
            authority = try CertificateAuthority(certificate: pki.authorityCertificate, key: pki.authorityKey)
        } catch {
            throw PKIError(message: "The cluster's authority cannot be read: \(error).", hint: nil)
        }
    }

    /// The certificate for a `CertificateSigningRequest`, as PEM in Base64; nil when it names a signer that is not ours.
    ///
    /// - Throws: `SigningRefusal` when the signer does not sign such a request.
    public func sign(_ object: KubeObject, now: Timestamp? = nil) throws(SigningRefusal) -> String? {
        let spec = object.value["spec"] ?? [:]
        let usages = (spec["usages"]?.array ?? []).compactMap(\.string)
        guard let rules = SigningRules(signer: spec["signerName"]?.string ?? "") else { return nil }
        let request = try Self.read(spec["request"]?.string ?? "")
        if let complaint = rules.complaint(about: SigningSubject(request), usages: usages) {
            throw SigningRefusal(message: complaint)
        }
        let seconds = min(
            max(spec["expirationSeconds"]?.int ?? Self.secondsMax, Self.secondsMin), Self.secondsMax)
        let moment = (now ?? .now).seconds
        let begin = moment - Int64(Self.secondsBackdated)
        let end = moment + Int64(seconds <= Self.secondsShort ? seconds : seconds - Self.secondsBackdated)
        do {
            return SecretText.encode(
                try authority.issue(
                    request, usages: usages, from: Date(timeIntervalSince1970: Double(begin)),
                    to: Date(timeIntervalSince1970: Double(end))))
        } catch {
            throw SigningRefusal(message: "unable to sign the certificate: \(error)")
        }
    }

    private static func read(_ base64: String) throws(SigningRefusal) -> CertificateSigningRequest {
        let request: CertificateSigningRequest
        do {
            let text = String(decoding: SecretText.decode(base64) ?? [], as: UTF8.self)
            request = try CertificateSigningRequest(pemEncoded: text)
        } catch {
            throw SigningRefusal(message: "unable to parse csr: \(error)")
        }
        guard request.publicKey.isValidSignature(request.signature, for: request) else {
            throw SigningRefusal(message: "unable to verify certificate request signature")
        }
        return request
    }
}

/// Why a wish for a certificate is not granted.
public struct SigningRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    public let message: String
    public var description: String { message }
}

/// Whom and what a certificate is to name.
struct SigningSubject: Equatable {
    var commonName = ""
    var organizations: [String] = []
    var dnsNames = 0
    var addresses = 0
    var mailAddresses = 0
    var uris = 0
}

extension SigningSubject {
    init(_ request: CertificateSigningRequest) {
        for attribute in request.subject.flatMap({ Array($0) }) {
            guard let text = String(attribute.value) else { continue }
            switch attribute.type {
            case .RDNAttributeType.commonName: commonName = text
            case .RDNAttributeType.organizationName: organizations.append(text)
            default: break
            }
        }
        for name in request.alternativeNames ?? SubjectAlternativeNames([]) {
            switch name {
            case .dnsName: dnsNames += 1
            case .ipAddress: addresses += 1
            case .rfc822Name: mailAddresses += 1
            case .uniformResourceIdentifier: uris += 1
            default: break
            }
        }
    }
}

extension CertificateSigningRequest {
    /// The names besides the subject that are asked for.
    var alternativeNames: SubjectAlternativeNames? {
        for attribute in attributes {
            guard let wish = try? ExtensionRequest(attribute) else { continue }
            return (try? wish.extensions.subjectAlternativeNames) ?? nil
        }
        return nil
    }
}
