import ControllerKit
import KubeClient
public import KubeModel

/// Makes the certificate for a wish, as PEM in Base64; nil for one whose signer is somebody else, an error for one that is not granted.
public typealias CertificateIssuer = @Sendable (_ request: KubeObject) throws -> String?

/// Signs the wishes for certificates that somebody has approved.
struct CertificateSigningReconciler: Reconciler {
    let client: any ClusterClient
    let issue: CertificateIssuer

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let request = try await client.find(.certificateSigningRequests, key) else { return .settled }
        let conditions = Conditions(request.value[["status", "conditions"]])
        guard conditions["Approved"]?.isTrue == true, conditions["Denied"]?.isTrue != true,
            conditions["Failed"]?.isTrue != true,
            request.value[["status", "certificate"]]?.string?.isEmpty ?? true
        else { return .settled }
        var answered = request
        do {
            guard let certificate = try issue(request) else { return .settled }
            answered.value[["status", "certificate"]] = .string(certificate)
        } catch {
            var list = request.value[["status", "conditions"]]?.array ?? []
            list.append([
                "type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": .string("\(error)"),
            ])
            answered.value[["status", "conditions"]] = .array(list)
        }
        _ = try await client.updateStatus(.certificateSigningRequests, answered)
        return .settled
    }
}
