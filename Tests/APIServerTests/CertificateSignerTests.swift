import FoundationEssentials
import KubeModel
import SwiftASN1
import Testing
import X509

@testable import APIServer

@Suite("The signer of certificates") struct CertificateSignerTests {
    /// Of `/O=developers/CN=jane`.
    private static let jane =
        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIZk1JR0dBZ0VBTUNReEV6QVJCZ05WQkFvTUNtUmxkbVZzYjNC"
        + "bGNuTXhEVEFMQmdOVkJBTU1CR3BoYm1VdwpXVEFUQmdjcWhrak9QUUlCQmdncWhrak9QUU1CQndOQ0FBUXM0M0pSSHVmL3pURWVl"
        + "SHptMHJvekJmWW1FOWpmClRjQUtzbVlLSWZLcVRVNDh6VVRMTnU4SmNtL1FuT1lSY2grYWNCWlI0Qm1Fa0lLWEtVbFp3NEFtb0FB"
        + "d0NnWUkKS29aSXpqMEVBd0lEU0FBd1JRSWhBTHlQeTlEVENSbXd3WlZoK2owNmQwSkJjNlNPUlJSM3c5VkNsZWlJM3B3awpBaUFn"
        + "V0ZiMFhjdlVUZkJFQjFCWTVpV3BoVG9Oc2s3di9wL2JIVS9Pc0RVVHdnPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0t"
        + "LS0tCg=="

    /// `/O=system:nodes/CN=system:node:n1`, with the DNS name `n1`.
    private static let node =
        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQkNqQ0JzZ0lCQURBd01SVXdFd1lEVlFRS0RBeHplWE4wWlcw"
        + "NmJtOWtaWE14RnpBVkJnTlZCQU1NRG5ONQpjM1JsYlRwdWIyUmxPbTR4TUZrd0V3WUhLb1pJemowQ0FRWUlLb1pJemowREFRY0RR"
        + "Z0FFTE9OeVVSN24vODB4CkhuaDg1dEs2TXdYMkpoUFkzMDNBQ3JKbUNpSHlxazFPUE0xRXl6YnZDWEp2MEp6bUVYSWZtbkFXVWVB"
        + "WmhKQ0MKbHlsSldjT0FKcUFnTUI0R0NTcUdTSWIzRFFFSkRqRVJNQTh3RFFZRFZSMFJCQVl3QklJQ2JqRXdDZ1lJS29aSQp6ajBF"
        + "QXdJRFJ3QXdSQUlnTkNSR3MvQkt2R3Mydm1JTFRUaE5taEJYMkhKTjJObUU3TEs1ZjdVaTNFc0NJRjFlCnZQd0dTYVVjZzl6OE92"
        + "TzFaYmVmUmhXUWF3N2U1TU1oeWVDQUxQUTMKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg=="

    private static func wish(
        _ request: String, _ signer: String = "kube-apiserver-client", usages: [String] = ["client auth"],
        seconds: Int? = nil
    ) -> KubeObject {
        var object = KubeObject(.certificateSigningRequests, name: "a")
        object.value["spec"] = [
            "request": .string(request), "signerName": .string("kubernetes.io/\(signer)"),
            "usages": .array(usages.map(JSONValue.string)),
        ]
        if let seconds { object.value[["spec", "expirationSeconds"]] = JSONValue(seconds) }
        return object
    }

    /// The DER of a PEM text in Base64.
    private static func der(_ text: String) throws -> [UInt8] {
        let pem = String(decoding: try #require(SecretText.decode(text)), as: UTF8.self)
        let lines = pem.split(separator: "\n").filter { !$0.hasPrefix("-----") }
        return try #require(SecretText.decode(lines.joined()))
    }

    @Test("who is named in an approved wish is a user of the cluster with the certificate")
    func client() throws {
        let signer = try CertificateSigner(try PKI.make())
        let certificate = try #require(try signer.sign(Self.wish(Self.jane)))
        let der = try Self.der(certificate)
        let user = try #require(Authenticator.user(ofCertificate: der))
        #expect(user.name == "jane")
        #expect(user.groups == ["developers", "system:authenticated"])
        #expect(try Certificate(derEncoded: der).extensions.keyUsage == nil)
    }

    @Test("a certificate ends when the wish says, after a year, or with the authority")
    func ends() throws {
        let now = Timestamp.now
        let signer = try CertificateSigner(try PKI.make(now: now))
        for (seconds, wanted) in [(3600, 3600), (86_400, 86_100), (nil, 365 * 86_400 - 300)] as [(Int?, Int)] {
            let text = try #require(try signer.sign(Self.wish(Self.jane, seconds: seconds), now: now))
            let end = try Certificate(derEncoded: try Self.der(text)).notValidAfter.timeIntervalSince1970
            #expect(Int64(end) - now.seconds == Int64(wanted))
        }
    }

    @Test(
        "what a signer does not sign is said",
        arguments: [
            (wish(jane, usages: ["server auth"]), "server auth is not valid for client certificates"),
            (wish(jane, usages: ["digital signature"]), "missing required usage: client auth"),
            (wish(jane, "kubelet-serving"), "subject organization is not system:nodes"),
            (
                wish(node, "kubelet-serving"),
                "usages did not match [digital signature key encipherment server auth]"
            ),
            (wish(node, "kube-apiserver-client-kubelet"), "DNS subjectAltNames are not allowed"),
        ])
    func refusals(wish: KubeObject, message: String) throws {
        let signer = try CertificateSigner(try PKI.make())
        let refusal = #expect(throws: SigningRefusal.self) { try signer.sign(wish) }
        #expect(refusal?.message == message)
    }

    @Test("a kubelet gets a certificate for its names; what others sign is left to them")
    func others() throws {
        let signer = try CertificateSigner(try PKI.make())
        let usages = ["digital signature", "server auth"]
        #expect(try signer.sign(Self.wish(Self.node, "kubelet-serving", usages: usages)) != nil)
        #expect(try signer.sign(Self.wish(Self.jane, "legacy-unknown")) == nil)
    }
}
