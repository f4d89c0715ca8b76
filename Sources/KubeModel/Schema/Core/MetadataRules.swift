/// What holds for the metadata of every object.
enum MetadataRules {
    /// - Parameter freesFinalizers: Whether finalizers may have names without a domain, as those of custom resources may.
    static func check(
        _ object: KubeObject, isNamespaced: Bool, freesFinalizers: Bool = false, nameSyntax: (String) -> [String]
    ) -> [FieldError] {
        let path = FieldPath("metadata")
        var errors: [FieldError] = []
        if let prefix = object.generateName, !prefix.isEmpty {
            // What is generated ends in a letter or digit, so a dash at the end of the prefix is right.
            let sample = prefix.hasSuffix("-") ? prefix.dropLast() + "a" : prefix[...]
            for complaint in nameSyntax(String(sample)) {
                errors.append(.invalid(path.child("generateName"), .string(prefix), complaint))
            }
        }
        if object.name.isEmpty {
            errors.append(.required(path.child("name"), "name or generateName is required"))
        } else {
            for complaint in nameSyntax(object.name) {
                errors.append(.invalid(path.child("name"), .string(object.name), complaint))
            }
        }
        checkNamespace(object, isNamespaced: isNamespaced, into: &errors)
        labels(object.value[["metadata", "labels"]], at: path.child("labels"), into: &errors)
        annotations(object.value[["metadata", "annotations"]], at: path.child("annotations"), into: &errors)
        owners(object, at: path.child("ownerReferences"), into: &errors)
        finalizers(object.finalizers, isFree: freesFinalizers, at: path.child("finalizers"), into: &errors)
        return errors
    }

    private static func finalizers(
        _ finalizers: [String], isFree: Bool, at path: FieldPath, into errors: inout [FieldError]
    ) {
        for finalizer in finalizers { errors.complain(path, finalizer, NameSyntax.qualifiedName(finalizer)) }
        if finalizers.contains("orphan"), finalizers.contains("foregroundDeletion") {
            errors.append(
                .invalid(
                    path, .array(finalizers.map(JSONValue.string)),
                    "finalizer orphan and foregroundDeletion cannot be both set"))
        }
        for (index, finalizer) in finalizers.enumerated() where !isFree {
            errors.complain(path[index], finalizer, complaints(aboutFinalizer: finalizer))
        }
    }

    /// Only Kubernetes' own finalizers have names without a domain.
    static func complaints(aboutFinalizer name: String) -> [String] {
        name.contains("/") || ["kubernetes", "orphan", "foregroundDeletion"].contains(name)
            ? [] : ["name is neither a standard finalizer name nor is it fully qualified"]
    }

    /// What a client is told about finalizers that it brings and that could be somebody else's, too.
    static func warnings(aboutFinalizersOf object: KubeObject, old: KubeObject?) -> [String] {
        Set(object.finalizers).subtracting(old?.finalizers ?? []).sorted().filter {
            !complaints(aboutFinalizer: $0).isEmpty
        }.map {
            "metadata.finalizers: \"\($0)\": prefer a domain-qualified finalizer name including a path (/) to avoid accidental "
                + "conflicts with other finalizer writers"
        }
    }

    private static func checkNamespace(_ object: KubeObject, isNamespaced: Bool, into errors: inout [FieldError]) {
        let path = FieldPath("metadata", "namespace")
        switch (isNamespaced, object.namespace ?? "") {
        case (true, ""): errors.append(.required(path))
        case (true, let namespace):
            for complaint in NameSyntax.dnsLabel(namespace) {
                errors.append(.invalid(path, .string(namespace), complaint))
            }
        case (false, ""): break
        case (false, _): errors.append(.forbidden(path, "not allowed on this type"))
        }
    }

    /// Label names and values, wherever labels stand.
    static func labels(_ labels: JSONValue?, at path: FieldPath, into errors: inout [FieldError]) {
        for (key, value) in labels?.object ?? [:] {
            for complaint in NameSyntax.qualifiedName(key) { errors.append(.invalid(path, .string(key), complaint)) }
            for complaint in NameSyntax.labelValue(value.string ?? "") {
                errors.append(.invalid(path, value, complaint))
            }
        }
    }

    private static let annotationBytesMax = 256 * 1024

    static func annotations(_ annotations: JSONValue?, at path: FieldPath, into errors: inout [FieldError]) {
        var size = 0
        for (key, value) in annotations?.object ?? [:] {
            for complaint in NameSyntax.qualifiedName(key.lowercased()) {
                errors.append(.invalid(path, .string(key), complaint))
            }
            size += key.utf8.count + (value.string?.utf8.count ?? 0)
        }
        if size > annotationBytesMax { errors.append(.tooLong(path, bytesMax: annotationBytesMax)) }
    }

    private static func owners(_ object: KubeObject, at path: FieldPath, into errors: inout [FieldError]) {
        var controllers: [OwnerReference] = []
        for (index, owner) in object.ownerReferences.enumerated() {
            let path = path[index]
            if owner.apiVersion.isEmpty {
                errors.append(
                    .invalid(path.child("apiVersion"), .string(owner.apiVersion), "version must not be empty"))
            }
            if owner.kind.isEmpty { errors.append(.invalid(path.child("kind"), "", "must not be empty")) }
            if owner.name.isEmpty { errors.append(.invalid(path.child("name"), "", "must not be empty")) }
            if owner.uid.isEmpty { errors.append(.invalid(path.child("uid"), "", "must not be empty")) }
            if owner.isController { controllers.append(owner) }
        }
        if controllers.count > 1 {
            errors.append(
                .invalid(
                    path, .array(controllers.map(\.value)),
                    "Only one reference can have Controller set to true. Found \"true\" in references for "
                        + controllers.map { "\($0.kind)/\($0.name)" }.joined(separator: " and ")))
        }
    }

    static func checkUpdate(_ object: KubeObject, old: KubeObject) -> [FieldError] {
        var errors: [FieldError] = []
        for member in ["name", "namespace", "uid"] {
            let path = ["metadata", member]
            guard object.value[path] != old.value[path] else { continue }
            errors.append(.invalid(FieldPath("metadata", member), object.value[path], "field is immutable"))
        }
        if object.isBeingDeleted {
            let added = object.finalizers.filter { !old.finalizers.contains($0) }
            if !added.isEmpty {
                errors.append(
                    .forbidden(
                        FieldPath("metadata", "finalizers"),
                        "no new finalizers can be added if the object is being deleted, found new finalizers "
                            + "[]string{\(added.map(GoText.quote).joined(separator: ", "))}"))
            }
        }
        return errors
    }
}
