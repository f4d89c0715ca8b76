import Crypto
import FoundationEssentials
import SwiftASN1
import Testing
import X509

@testable import APIServer

/// What is said of certificates that are not believed, in the words of Go's library.
@Suite("Certificates that are not believed") struct PeerFaultTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)

    private static func fault(
        _ names: [GeneralName]?, from begin: TimeInterval = -60, to end: TimeInterval = 60
    ) throws -> PeerFault {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let subject = try DistinguishedName { CommonName("web.default.svc") }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: now + begin, notValidAfter: now + end, issuer: subject, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                if let names { SubjectAlternativeNames(names) }
            }, issuerPrivateKey: key)
        return PeerFault(certificate: try certificate.serializeAsPEM().derBytes)
    }

    private static func address(_ bytes: UInt8...) -> GeneralName {
        .ipAddress(ASN1OctetString(contentBytes: bytes[...]))
    }

    @Test("the name that is wanted must be among the alternatives")
    func names() throws {
        func why(_ names: [GeneralName]?, _ wanted: String = "web.default.svc") throws -> String? {
            try Self.fault(names).explanation(serverName: wanted, now: Self.now)
        }
        #expect(try why([.dnsName("web.default.svc")]) == nil)
        #expect(try why([.dnsName("*.default.svc")]) == nil)
        #expect(try why([Self.address(127, 0, 0, 1)], "127.0.0.1") == nil)
        #expect(try why(nil) == "x509: certificate relies on legacy Common Name field, use SANs instead")
        #expect(
            try why(nil, "other") == "x509: certificate is not valid for any names, but wanted to match other")
        #expect(
            try why([.dnsName("a.b"), .dnsName("*.svc")])
                == "x509: certificate is valid for a.b, *.svc, not web.default.svc")
        #expect(
            try why([Self.address(127, 0, 0, 1)])
                == "x509: certificate is not valid for any names, but wanted to match web.default.svc")
        #expect(
            try why([.dnsName("a")], "127.0.0.1")
                == "x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs")
        #expect(
            try why([Self.address(127, 0, 0, 2)], "127.0.0.1")
                == "x509: certificate is valid for 127.0.0.2, not 127.0.0.1")
    }

    @Test("the time must be within its own")
    func time() throws {
        let names = [GeneralName.dnsName("a")]
        let begin = "x509: certificate has expired or is not yet valid: current time 2027-01-15T08:00:00Z is "
        #expect(
            try Self.fault(names, to: -30).explanation(serverName: "a", now: Self.now)
                == begin + "after 2027-01-15T07:59:30Z")
        #expect(
            try Self.fault(names, from: 30).explanation(serverName: "a", now: Self.now)
                == begin + "before 2027-01-15T08:00:30Z")
    }
}
