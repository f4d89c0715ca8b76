import ControllerKit
import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import Controllers

@Suite("Signing of certificates", .timeLimit(.minutes(5))) struct CertificateSigningReconcilerTests {
    private struct Refused: Error, CustomStringConvertible { let description = "not that one" }

    /// A wish, approved unless that is not wanted, after the reconciler has looked at it.
    private func reconciled(
        isApproved: Bool = true, issue: @escaping CertificateIssuer
    ) async throws -> KubeObject {
        let client = try MemoryCluster().client
        var wish = KubeObject(.certificateSigningRequests, name: "jane")
        wish.value["spec"] = [
            "request":
                "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0t",
            "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"],
        ]
        var made = try await client.create(.certificateSigningRequests, wish)
        if isApproved {
            made.value[["status", "conditions"]] = [["type": "Approved", "status": "True"]]
            _ = try await client.update(
                .certificateSigningRequests, made, subresource: "approval", options: WriteOptions())
        }
        let key = ObjectKey(namespace: nil, name: "jane")
        let reconciler = CertificateSigningReconciler(client: client, issue: issue)
        #expect(try await reconciler.reconcile(key) == .settled)
        return try await client.get(.certificateSigningRequests, namespace: nil, name: "jane")
    }

    @Test("an approved wish gets its certificate")
    func approved() async throws {
        let wish = try await reconciled { _ in "Y2VydA==" }
        #expect(wish.value[["status", "certificate"]] == "Y2VydA==")
    }

    @Test("one that nobody has approved, and one of another signer, get none")
    func others() async throws {
        #expect(try await reconciled(isApproved: false) { _ in "Y2VydA==" }.value[["status", "certificate"]] == nil)
        #expect(try await reconciled { _ in nil }.value[["status", "certificate"]] == nil)
    }

    @Test("one that is not granted says why")
    func failed() async throws {
        let wish = try await reconciled { _ in throw Refused() }
        let condition = Conditions(wish.value[["status", "conditions"]])["Failed"]
        #expect(condition?.reason == "SignerValidationFailure")
        #expect(condition?.message == "not that one")
    }
}
