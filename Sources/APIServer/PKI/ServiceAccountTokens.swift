import KubeModel
import ObjectStore
import Synchronization

/// Issues the tokens of service accounts and says whom a token stands for.
///
/// A token is good while its signature and time are, and while its account, and the pod or secret to which it is bound,
/// are there and the same.
final class ServiceAccountTokens: Sendable {
    static let issuer = "https://kubernetes.default.svc.cluster.local"
    /// The issuer of tokens without an end, which live in Secrets.
    private static let secretIssuer = "kubernetes/serviceaccount"
    private static let remembered = 1024
    /// Clocks may differ by this; what was deleted so long ago is gone.
    private static let leewaySeconds: Int64 = 60

    let signer: TokenSigner
    private let store: ObjectStore
    /// Claims of tokens whose signature has been checked.
    private let known = Mutex<[String: JSONValue]>([:])

    init(signer: TokenSigner, store: ObjectStore) {
        self.signer = signer
        self.store = store
    }

    /// An object to which a token is bound.
    struct Binding {
        /// `pod`, `secret` or `node`.
        let claim: String
        let object: KubeObject
        /// The node of a pod.
        var node: KubeObject?
    }

    /// A token that ends.
    ///
    /// - Parameter warnAfter: After so many seconds its use is remarked on; for tokens that live longer than was asked for.
    func issue(
        for account: KubeObject, audiences: [String], seconds: Int64, warnAfter: Int64? = nil, binding: Binding?,
        now: Timestamp
    ) -> (token: String, id: String, expires: Timestamp) {
        let id = ObjectMetadata.newUID()
        var about: JSONValue = ["namespace": .string(account.namespace ?? "")]
        if let node = binding?.node { about["node"] = Self.reference(node) }
        if let binding { about[binding.claim] = Self.reference(binding.object) }
        about["serviceaccount"] = Self.reference(account)
        if let warnAfter { about["warnafter"] = .int(now.seconds + warnAfter) }
        let expires = now.seconds + seconds
        let claims: JSONValue = [
            "aud": .array(audiences.map(JSONValue.string)), "exp": .int(expires), "iat": .int(now.seconds),
            "iss": .string(Self.issuer), "jti": .string(id), "kubernetes.io": about, "nbf": .int(now.seconds),
            "sub": .string("system:serviceaccount:\(account.namespace ?? ""):\(account.name)"),
        ]
        return (signer.sign(claims), id, Timestamp(seconds: expires))
    }

    /// A token for a Secret, good for as long as the Secret is there.
    func issue(for account: KubeObject, secret: String) -> String {
        let prefix = "kubernetes.io/serviceaccount/"
        return signer.sign([
            "iss": .string(Self.secretIssuer), prefix + "namespace": .string(account.namespace ?? ""),
            prefix + "secret.name": .string(secret),
            prefix + "service-account.name": .string(account.name),
            prefix + "service-account.uid": .string(account.uid),
            "sub": .string("system:serviceaccount:\(account.namespace ?? ""):\(account.name)"),
        ])
    }

    private static func reference(_ object: KubeObject) -> JSONValue {
        ["name": .string(object.name), "uid": .string(object.uid)]
    }

    // MARK: Checking

    /// Why a token is not taken.
    struct Refusal: Error, Equatable { let message: String }

    /// The user behind a token, and the audiences that it is for; nil if this cluster has not issued it.
    func user(
        of token: String, audiences: [String] = [issuer], now: Timestamp
    ) throws(Refusal) -> (user: UserInfo, audiences: [String])? {
        guard let claims = claims(of: token) else { return nil }
        switch claims["iss"]?.string {
        case Self.issuer: break
        case Self.secretIssuer: return (try secretUser(claims, token), audiences)
        default: return nil
        }
        let own = claims["aud"]?.array?.compactMap(\.string) ?? []
        let common = audiences.filter(own.contains)
        guard !common.isEmpty else {
            throw Refusal(
                message: "token audiences \(GoText.list(own)) is invalid for the target audiences "
                    + GoText.list(audiences))
        }
        guard now.seconds < Int64(claims["exp"]?.int ?? 0) + Self.leewaySeconds else {
            throw Refusal(message: "service account token has expired")
        }
        guard now.seconds >= Int64(claims["nbf"]?.int ?? 0) - Self.leewaySeconds else {
            throw Refusal(message: "service account token is not valid yet")
        }
        let about = claims["kubernetes.io"] ?? [:]
        let namespace = about["namespace"]?.string ?? ""
        let account = try checkAccount(about["serviceaccount"], namespace, now)
        var extra: [String: [String]] = [:]
        if let id = claims["jti"]?.string { extra["authentication.kubernetes.io/credential-id"] = ["JTI=\(id)"] }
        for (claim, resource) in [("pod", ResourceType.pods), ("secret", .secrets), ("node", .nodes)] {
            guard let reference = about[claim] else { continue }
            // The node of a pod is told, not checked.
            if claim != "node" || about["pod"] == nil {
                try check(reference, claim, resource, namespace: claim == "node" ? nil : namespace, now)
            }
            guard claim != "secret" else { continue }
            extra["authentication.kubernetes.io/\(claim)-name"] = [reference["name"]?.string ?? ""]
            extra["authentication.kubernetes.io/\(claim)-uid"] = [reference["uid"]?.string ?? ""]
        }
        return (.serviceAccount(account.name, namespace: namespace, uid: account.uid, extra: extra), common)
    }

    private func claims(of token: String) -> JSONValue? {
        if let claims = known.withLock({ $0[token] }) { return claims }
        guard let claims = signer.claims(of: token) else { return nil }
        known.withLock { known in
            if known.count >= Self.remembered { known = [:] }
            known[token] = claims
        }
        return claims
    }

    private func checkAccount(
        _ reference: JSONValue?, _ namespace: String, _ now: Timestamp
    ) throws(Refusal) -> KubeObject {
        let name = reference?["name"]?.string ?? ""
        guard let account = object(.serviceAccounts, namespace, name) else {
            throw Refusal(message: "serviceaccounts \(GoText.quote(name)) not found")
        }
        guard !isGone(account, now) else {
            throw Refusal(message: "service account \(namespace)/\(name) has been deleted")
        }
        let uid = reference?["uid"]?.string ?? ""
        guard account.uid == uid else {
            throw Refusal(message: "service account UID (\(account.uid)) does not match claim (\(uid))")
        }
        return account
    }

    private func check(
        _ reference: JSONValue, _ claim: String, _ resource: ResourceType, namespace: String?, _ now: Timestamp
    ) throws(Refusal) {
        guard let object = object(resource, namespace, reference["name"]?.string ?? ""), !isGone(object, now) else {
            throw Refusal(message: "service account token has been invalidated")
        }
        let uid = reference["uid"]?.string ?? ""
        guard object.uid == uid else {
            throw Refusal(
                message: "\(claim) UID (\(object.uid)) does not match service account \(claim) ref claim (\(uid))")
        }
    }

    private func secretUser(_ claims: JSONValue, _ token: String) throws(Refusal) -> UserInfo {
        let prefix = "kubernetes.io/serviceaccount/"
        func claim(_ name: String) -> String { claims[prefix + name]?.string ?? "" }
        let namespace = claim("namespace")
        guard let secret = object(.secrets, namespace, claim("secret.name")), !secret.isBeingDeleted,
            secret.value[["data", "token"]]?.string.flatMap(SecretText.decode) == Array(token.utf8)
        else { throw Refusal(message: "service account token has been invalidated") }
        let reference: JSONValue = [
            "name": .string(claim("service-account.name")), "uid": .string(claim("service-account.uid")),
        ]
        let account = try checkAccount(reference, namespace, .now)
        return .serviceAccount(account.name, namespace: namespace, uid: account.uid)
    }

    private func isGone(_ object: KubeObject, _ now: Timestamp) -> Bool {
        guard let time = object.deletionTimestamp else { return false }
        return time < now + .seconds(-Self.leewaySeconds)
    }

    private func object(_ resource: ResourceType, _ namespace: String?, _ name: String) -> KubeObject? {
        store.get(StoreKey(resource: resource.qualifiedPlural, namespace: namespace, name: name))?.object
    }
}
