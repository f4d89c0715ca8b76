extension KindSchema {
    /// What is wrong with an object that has its defaults.
    ///
    /// `old` is the object that it replaces, for rules of custom resources that compare the two.
    public func validate(_ object: KubeObject, old: KubeObject? = nil) -> [FieldError] {
        var tolerated: [FieldError] = []
        return validate(object, old: old, tolerated: &tolerated)
    }

    /// - Parameter tolerated: Gets what is wrong with a custom resource and was before, so that it is only to be warned of.
    public func validate(_ object: KubeObject, old: KubeObject?, tolerated: inout [FieldError]) -> [FieldError] {
        if let judge = storedForm?.judge {
            let stored = stored(object)
            var errors = judge.validate(stored)
            behavior.validate(stored, &errors)
            return errors
        }
        var errors = MetadataRules.check(
            object, isNamespaced: resource.isNamespaced, freesFinalizers: freesFinalizers,
            nameSyntax: behavior.nameSyntax)
        if let custom {
            custom.validate(object.value, old: old?.value, into: &errors, tolerated: &tolerated)
            behavior.validate(object, &errors)
            return errors
        }
        if behavior.judgesWishOnly, let old, hasSameWish(object, old) { return errors }
        let path = FieldPath.root
        for field in root.fields where !Self.envelope.contains(field.name) {
            root.validateMember(field, of: object.value, at: path, into: &errors)
        }
        for rule in root.traits.rules { rule(object.value, path, &errors) }
        behavior.validate(object, &errors)
        return errors
    }

    /// What is wrong with a new object that has its defaults.
    public func validateCreate(_ object: KubeObject) -> [FieldError] {
        var errors = validate(object)
        behavior.validateCreate(storedForm?.judge == nil ? object : stored(object), &errors)
        return errors
    }

    /// Kinds that extend the server, and what they define, are not held to the names that its own kinds' finalizers have.
    private var freesFinalizers: Bool {
        custom != nil
            || ["apiextensions.k8s.io", "apiregistration.k8s.io", "admissionregistration.k8s.io"].contains(
                resource.group)
    }

    /// Whether two versions differ in their metadata and status at most.
    private func hasSameWish(_ object: KubeObject, _ old: KubeObject) -> Bool {
        root.fields.allSatisfy {
            Self.envelope.contains($0.name) || object.value[$0.name] == old.value[$0.name]
        }
    }

    private static let envelope: Set<String> = ["apiVersion", "kind", "metadata", "status"]

    /// What is wrong with replacing `old` by `object`; the caller checks `validate` too.
    ///
    /// `subresource` is nil, or the sub-resource through which the change came (`binding` may set a pod's node).
    public func validateUpdate(_ object: KubeObject, old: KubeObject, subresource: String? = nil) -> [FieldError] {
        if let judge = storedForm?.judge {
            let (object, old) = (stored(object), stored(old))
            var errors = judge.validateUpdate(object, old: old, subresource: subresource)
            behavior.validateUpdate(object, old, subresource, &errors)
            return errors
        }
        var errors = MetadataRules.checkUpdate(object, old: old)
        root.validateUpdate(object.value, old: old.value, at: .root, into: &errors)
        behavior.validateUpdate(object, old, subresource, &errors)
        return errors
    }

    /// One cell for each column, as kubectl prints it.
    public func tableCells(_ object: KubeObject, now: Timestamp) -> [JSONValue] {
        behavior.tableCells?(object, now) ?? columns.map { $0.cell(object, now) }
    }
}

extension Schema {
    func validateMember(
        _ field: SchemaField, of value: JSONValue, at path: FieldPath, into errors: inout [FieldError]
    ) {
        field.validate(value[field.name], at: .field(path, field.name), into: &errors)
    }
}
