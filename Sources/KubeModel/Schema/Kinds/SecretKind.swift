/// What some types of Secret must hold.
private let requiredEntries: [String: [String]] = [
    "kubernetes.io/tls": ["tls.crt", "tls.key"],
    "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
    "kubernetes.io/dockercfg": [".dockercfg"],
    "kubernetes.io/ssh-auth": ["ssh-privatekey"],
]

@Sendable
private func check(_ secret: KubeObject, _ errors: inout [FieldError]) {
    let data = secret.value["data"]?.object ?? [:]
    let path = FieldPath("data")
    var size = 0
    for (key, value) in data {
        DataRules.checkKey(key, at: path, into: &errors)
        size += Base64.byteCount(value.string ?? "")
    }
    if size > DataRules.bytesMax { errors.append(.tooLong(path, bytesMax: DataRules.bytesMax)) }
    let type = secret.value["type"]?.string ?? ""
    let missing = (requiredEntries[type] ?? []).filter { data[$0] == nil }
    for key in missing { errors.append(.required(path[key])) }
    switch type {
    case "kubernetes.io/service-account-token":
        let name = "kubernetes.io/service-account.name"
        if JSONValue.isEmpty(secret.value[["metadata", "annotations", name]]) {
            errors.append(.required(FieldPath("metadata", "annotations")[name]))
        }
    case "kubernetes.io/basic-auth":
        if data["username"] == nil, data["password"] == nil {
            errors.append(.required(path["username"]))
            errors.append(.required(path["password"]))
        }
    case "kubernetes.io/ssh-auth":
        if data["ssh-privatekey"] == "" { errors.append(.required(path["ssh-privatekey"])) }
    case "kubernetes.io/dockercfg" where missing.isEmpty: checkJSON(data, ".dockercfg", &errors)
    case "kubernetes.io/dockerconfigjson" where missing.isEmpty: checkJSON(data, ".dockerconfigjson", &errors)
    default: break
    }
}

/// Whether an entry is an object in JSON; its content is not shown.
private func checkJSON(_ data: JSONObject, _ key: String, _ errors: inout [FieldError]) {
    let path = FieldPath("data")[key]
    let redacted: JSONValue = "<secret contents redacted>"
    let bytes = Base64.decode(data[key]?.string ?? "") ?? []
    do {
        let value = try JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
        guard value.object == nil, !value.isNull else { return }
        let found =
            switch value {
            case .array: "array"
            case .bool: "bool"
            case .string: "string"
            default: "number"
            }
        errors.append(
            .invalid(
                path, redacted, "json: cannot unmarshal \(found) into Go value of type map[string]interface {}"))
    } catch {
        errors.append(.invalid(path, redacted, error.message))
    }
}

extension KindSchema {
    /// Settings that are not for everybody's eyes.
    static let secret = KindSchema(
        .secrets,
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.Secret", doc: "Passwords, keys and other settings that are not for everybody's eyes.",
            [
                .field("data", .map(of: .bytes), doc: "The entries, in base64."),
                .field("immutable", .bool, doc: "Whether the entries can never be changed again."),
                .field("stringData", .strings, doc: "Entries as plain text; written into data, never shown."),
                .field("type", .string, default: "Opaque", immutable: true, doc: "What the entries are for."),
            ]
        ).defaulting { secret in
            guard let texts = secret["stringData"]?.object else { return }
            for (key, text) in texts { secret[["data", key]] = .string(Base64.encode(text.string ?? "")) }
            secret["stringData"] = nil
        },
        columns: [
            .name,
            .value("Type", ["type"], absent: "", "What the entries are for."),
            .computed("Data", type: "integer", "Number of entries.") { secret, _ in
                JSONValue(secret.value["data"]?.object?.count ?? 0)
            },
            .age,
        ],
        selectableFields: ["type"],
        behavior: KindBehavior {
            $0.validate = check
            $0.validateUpdate = { object, old, _, errors in
                DataRules.checkImmutable(object, old: old, members: ["data"], into: &errors)
            }
        })
}
