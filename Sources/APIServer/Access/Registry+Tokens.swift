import KubeModel
import ObjectStore

/// The sub-resource `token` of service accounts (`kubectl create token`).
extension Registry {
    private static let type = ResourceType(
        group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", plural: "tokenrequests")
    private static let secondsDefault: Int64 = 3600
    private static let secondsMin: Int64 = 600
    private static let secondsMax: Int64 = 1 << 32
    /// What the projected volume asks for; such a token lives a year, and its use is remarked on after the time asked for.
    private static let projectedSeconds: Int64 = 3607
    private static let extendedSeconds: Int64 = 365 * 86_400

    func requestToken(
        _ target: Target, _ body: JSONValue, _ settings: WriteSettings
    ) async throws(Status) -> JSONValue {
        let body = try await admitBody(.create, body, Self.type, of: target, "token", settings)
        let account = try await get(target).object
        let spec = body["spec"] ?? [:]
        let seconds = try lifetime(spec)
        var audiences = spec["audiences"]?.array?.compactMap(\.string) ?? []
        if audiences.isEmpty { audiences = [ServiceAccountTokens.issuer] }
        var binding: ServiceAccountTokens.Binding?
        if let reference = spec["boundObjectRef"], reference != .null {
            binding = try await bound(reference, account)
        }
        let isExtended =
            seconds == Self.projectedSeconds && binding?.claim == "pod" && audiences == [ServiceAccountTokens.issuer]
        let time = now()
        let issued = tokens.issue(
            for: account, audiences: audiences, seconds: isExtended ? Self.extendedSeconds : seconds,
            warnAfter: isExtended ? seconds : nil, binding: binding, now: time)
        var answer: JSONValue = [
            "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
            "metadata": [
                "name": .string(account.name), "namespace": .string(account.namespace ?? ""),
                "creationTimestamp": .string(time.text),
            ],
            "spec": ["audiences": .array(audiences.map(JSONValue.string)), "expirationSeconds": .int(seconds)],
        ]
        answer[["spec", "boundObjectRef"]] = spec["boundObjectRef"] ?? .null
        answer["status"] = [
            "token": .string(settings.isDryRun ? "" : issued.token),
            "expirationTimestamp": .string(Timestamp(seconds: time.seconds + seconds).text),
        ]
        return answer
    }

    private func lifetime(_ spec: JSONValue) throws(Status) -> Int64 {
        let seconds = spec["expirationSeconds"]?.int.map(Int64.init) ?? Self.secondsDefault
        let path = FieldPath("spec", "expirationSeconds")
        if seconds < Self.secondsMin {
            throw .invalid(
                Self.type, name: "",
                [.invalid(path, .int(seconds), "may not specify a duration less than 10 minutes")])
        }
        if seconds > Self.secondsMax {
            throw .invalid(
                Self.type, name: "",
                [.invalid(path, .int(seconds), "may not specify a duration larger than 2^32 seconds")])
        }
        return seconds
    }

    private func bound(
        _ reference: JSONValue, _ account: KubeObject
    ) async throws(Status) -> ServiceAccountTokens.Binding {
        let kindName = reference["kind"]?.string ?? ""
        let apiVersion = reference["apiVersion"]?.string ?? ""
        let name = reference["name"]?.string ?? ""
        let resource: ResourceType
        switch (apiVersion, kindName) {
        case ("v1", "Pod"): resource = .pods
        case ("v1", "Secret"): resource = .secrets
        case ("v1", "Node"): resource = .nodes
        default: throw .badRequest("cannot bind token to object of type \(apiVersion), Kind=\(kindName)")
        }
        let object = try await get(Target(kind: try kind(of: resource), namespace: account.namespace, name: name))
            .object
        var binding = ServiceAccountTokens.Binding(claim: kindName.lowercased(), object: object)
        if resource == .pods {
            let own = object.value[["spec", "serviceAccountName"]]?.string ?? ""
            guard own == account.name else {
                throw .badRequest(
                    "cannot bind token for serviceaccount \(GoText.quote(account.name)) to pod running with "
                        + "serviceaccount \(GoText.quote(own))")
            }
            if let node = object.value[["spec", "nodeName"]]?.string {
                binding.node = store.get(StoreKey(resource: "nodes", namespace: nil, name: node))?.object
            }
        }
        if let uid = reference["uid"]?.string, !uid.isEmpty, uid != object.uid {
            throw .conflict(
                ResourceType(group: "", version: "v1", kind: kindName, plural: kindName), name,
                "the UID in the bound object reference (\(uid)) does not match the UID in record (\(object.uid)). "
                    + "The object might have been deleted and then recreated")
        }
        return binding
    }
}
