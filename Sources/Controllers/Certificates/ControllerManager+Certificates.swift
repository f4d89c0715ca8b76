import ControllerKit
import KubeClient
import KubeModel

extension ControllerManager {
    /// The controller that signs wishes for certificates, if there is something to sign with.
    static func certificates(
        _ informers: InformerSet, client: any ClusterClient, issue: CertificateIssuer?
    ) -> [ControllerLoop] {
        guard let issue else { return [] }
        return [
            ControllerLoop(
                CertificateSigningReconciler(client: client, issue: issue),
                sources: [.own(informers.certificateSigningRequests)])
        ]
    }
}
