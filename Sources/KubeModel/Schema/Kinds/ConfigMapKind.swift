extension KindSchema {
    /// Settings for programs, by name.
    static let configMap = KindSchema(
        .configMaps, shortNames: ["cm"],
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.ConfigMap", doc: "Settings that pods read as environment variables or files.",
            [
                .field("binaryData", .map(of: .bytes), doc: "Settings that are not text, in base64."),
                .field("data", .strings, doc: "Settings as text, by name."),
                .field("immutable", .bool, doc: "Whether the settings can never be changed again."),
            ]),
        columns: [
            .name,
            .computed("Data", type: "integer", "Number of settings.") { object, _ in
                JSONValue((object.value["data"]?.object?.count ?? 0) + (object.value["binaryData"]?.object?.count ?? 0))
            },
            .age,
        ],
        behavior: KindBehavior {
            $0.validate = DataRules.checkConfigMap
            $0.validateUpdate = { object, old, _, errors in
                DataRules.checkImmutable(object, old: old, members: ["data", "binaryData"], into: &errors)
            }
        })
}

/// Rules that ConfigMaps and Secrets share.
enum DataRules {
    static let bytesMax = 1024 * 1024

    @Sendable
    static func checkConfigMap(_ object: KubeObject, _ errors: inout [FieldError]) {
        let data = object.value["data"]?.object ?? [:]
        let binary = object.value["binaryData"]?.object ?? [:]
        var size = 0
        for (key, value) in data {
            checkKey(key, at: FieldPath("data"), into: &errors)
            if binary[key] != nil {
                errors.append(.invalid(FieldPath("data")[key], .string(key), "duplicate of key present in binaryData"))
            }
            size += value.string?.utf8.count ?? 0
        }
        for (key, value) in binary {
            checkKey(key, at: FieldPath("binaryData"), into: &errors)
            size += Base64.byteCount(value.string ?? "")
        }
        if size > bytesMax { errors.append(.tooLong(FieldPath("[]"), bytesMax: bytesMax)) }
    }

    static func checkKey(_ key: String, at path: FieldPath, into errors: inout [FieldError]) {
        for complaint in NameSyntax.configMapKey(key) {
            errors.append(.invalid(path[key], .string(key), complaint))
        }
    }

    static func checkImmutable(
        _ object: KubeObject, old: KubeObject, members: [String], into errors: inout [FieldError]
    ) {
        guard old.value["immutable"]?.bool == true else { return }
        if object.value["immutable"]?.bool != true {
            errors.append(.forbidden(FieldPath("immutable"), "field is immutable when `immutable` is set"))
        }
        for member in members where !areEqual(object.value[member], old.value[member]) {
            errors.append(.forbidden(FieldPath(member), "field is immutable when `immutable` is set"))
        }
    }

    private static func areEqual(_ left: JSONValue?, _ right: JSONValue?) -> Bool {
        left == right || JSONValue.isEmpty(left) && JSONValue.isEmpty(right)
    }
}
