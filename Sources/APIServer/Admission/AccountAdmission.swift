import KubeModel
import ObjectStore

/// Every pod has a service account, and its containers find a token of it (`Managing Service Accounts`).
enum AccountAdmission {
    static let mountPath = "/var/run/secrets/kubernetes.io/serviceaccount"
    private static let rootCertificates = "kube-root-ca.crt"

    /// Gives a pod its account's image secrets and, unless that is switched off, a volume with a token.
    static func admit(_ pod: inout KubeObject, account: KubeObject) {
        pod.value[["spec", "serviceAccountName"]] = .string(account.name)
        // The old name of the same member.
        pod.value[["spec", "serviceAccount"]] = .string(account.name)
        if pod.value[["spec", "imagePullSecrets"]]?.array?.isEmpty ?? true,
            let secrets = account.value["imagePullSecrets"]?.array, !secrets.isEmpty
        {
            pod.value[["spec", "imagePullSecrets"]] = .array(secrets)
        }
        let isWanted =
            pod.value[["spec", "automountServiceAccountToken"]]?.bool ?? account.value["automountServiceAccountToken"]?
            .bool ?? true
        if isWanted { mountToken(in: &pod) }
    }

    private static func mountToken(in pod: inout KubeObject) {
        var volumes = pod.value[["spec", "volumes"]]?.array ?? []
        let present = volumes.first { $0["name"]?.string?.hasPrefix("kube-api-access-") == true && isToken($0) }
        let name = present?["name"]?.string ?? ObjectMetadata.generatedName("kube-api-access-")
        let mount: JSONValue = ["name": .string(name), "readOnly": true, "mountPath": .string(mountPath)]
        var isNeeded = false
        for list in ["initContainers", "containers"] {
            guard var containers = pod.value[["spec", list]]?.array else { continue }
            for index in containers.indices {
                var mounts = containers[index]["volumeMounts"]?.array ?? []
                // Whoever mounts something else there does not want the token.
                guard !mounts.contains(where: { $0["mountPath"]?.string == mountPath }) else { continue }
                mounts.append(mount)
                containers[index]["volumeMounts"] = .array(mounts)
                isNeeded = true
            }
            pod.value[["spec", list]] = .array(containers)
        }
        guard isNeeded, present == nil else { return }
        volumes.append(volume(name))
        pod.value[["spec", "volumes"]] = .array(volumes)
    }

    private static func isToken(_ volume: JSONValue) -> Bool {
        volume[["projected", "sources"]]?.array?.contains { $0["serviceAccountToken"] != nil } ?? false
    }

    private static func volume(_ name: String) -> JSONValue {
        [
            "name": .string(name),
            "projected": [
                "sources": [
                    ["serviceAccountToken": ["expirationSeconds": 3607, "path": "token"]],
                    [
                        "configMap": [
                            "name": .string(rootCertificates), "items": [["key": "ca.crt", "path": "ca.crt"]],
                        ]
                    ],
                    [
                        "downwardAPI": [
                            "items": [
                                [
                                    "path": "namespace",
                                    "fieldRef": ["apiVersion": "v1", "fieldPath": "metadata.namespace"],
                                ]
                            ]
                        ]
                    ],
                ], "defaultMode": 420,
            ],
        ]
    }
}

extension Registry {
    func admitAccount(_ pod: inout KubeObject, _ request: AdmissionRequest) async throws(Status) {
        let namespace = pod.namespace ?? ""
        let wanted =
            pod.value[["spec", "serviceAccountName"]]?.string ?? pod.value[["spec", "serviceAccount"]]?.string ?? ""
        let name = wanted.isEmpty ? "default" : wanted
        let key = StoreKey(resource: ResourceType.serviceAccounts.plural, namespace: namespace, name: name)
        var account = store.get(key)?.object
        if account == nil, name == "default" {
            // Its controller is about to make it: a pod that comes so early does not have to wait.
            _ = try? await create(
                kind(of: .serviceAccounts), namespace: namespace,
                body: KubeObject(.serviceAccounts, namespace: namespace, name: name).value, WriteSettings())
            account = store.get(key)?.object
        }
        guard let account else {
            throw request.forbidden(
                pod,
                "error looking up service account \(namespace)/\(name): serviceaccount \(GoText.quote(name)) not found")
        }
        AccountAdmission.admit(&pod, account: account)
    }

    /// Puts a token and what belongs to it into a Secret that asks for them.
    ///
    /// Kubernetes has a controller for this. Here it is done at once, so that nobody finds the Secret empty.
    func fillTokenSecret(_ secret: inout KubeObject) {
        guard secret.value["type"] == "kubernetes.io/service-account-token",
            let name = secret.annotations["kubernetes.io/service-account.name"],
            let account = AdmissionFacts(store: store).object(.serviceAccounts, name, in: secret.namespace)
        else { return }
        let uid = "kubernetes.io/service-account.uid"
        guard secret.annotations[uid, default: account.uid] == account.uid else { return }
        secret.value[["metadata", "annotations", uid]] = .string(account.uid)
        func fill(_ entry: String, _ text: String) {
            if secret.value[["data", entry]] == nil {
                secret.value[["data", entry]] = .string(SecretText.encode(text))
            }
        }
        if !authorityCertificate.isEmpty { fill("ca.crt", authorityCertificate) }
        fill("namespace", secret.namespace ?? "")
        fill("token", tokens.issue(for: account, secret: secret.name))
    }
}
