extension Schema {
    /// What is wrong with a value of the right type.
    public func validate(_ value: JSONValue, at path: FieldPath = .root) -> [FieldError] {
        var errors: [FieldError] = []
        validate(value, at: path, into: &errors)
        return errors
    }

    func validate(_ value: JSONValue, at path: FieldPath, into errors: inout [FieldError]) {
        let schema = resolved
        if let judge = schema.traits.judge { return judge(value, path, &errors) }
        switch (schema.shape, value) {
        case (.object(let fields), .object):
            for field in fields { field.validate(value[field.name], at: .field(path, field.name), into: &errors) }
        case (.map(let element), .object(let members)):
            for (key, value) in members {
                if let syntax = schema.traits.keySyntax {
                    for complaint in syntax.complaints(.string(key)) {
                        errors.append(.invalid(path, .string(key), complaint))
                    }
                }
                element.validate(value, at: .key(path, key), into: &errors)
            }
        case (.array(let element), .array(let elements)):
            schema.validateElements(elements, element, at: path, into: &errors)
        default: schema.validateScalar(value, at: path, into: &errors)
        }
        for rule in schema.traits.rules { rule(value, path, &errors) }
    }

    private func validateElements(
        _ elements: [JSONValue], _ element: Schema, at path: FieldPath, into errors: inout [FieldError]
    ) {
        if let countMax = traits.countMax, elements.count > countMax {
            errors.append(
                FieldError(.tooMany, path, value: JSONValue(elements.count), "must have at most \(countMax) items"))
        }
        if let countMin = traits.countMin, elements.count < countMin {
            errors.append(
                .invalid(path, JSONValue(elements.count), "should have at least \(countMin) items"))
        }
        var seen: Set<JSONValue> = []
        for (index, value) in elements.enumerated() {
            element.validate(value, at: path[index], into: &errors)
            if let key = traits.uniqueKey, let name = value[key], name != "", !seen.insert(name).inserted {
                errors.append(.duplicate(path[index].child(key), name))
            }
        }
    }

    private func validateScalar(_ value: JSONValue, at path: FieldPath, into errors: inout [FieldError]) {
        if let syntax = traits.syntax, value != "" {
            let shown = syntax.showsPlainText ? value.string : nil
            for complaint in syntax.complaints(value) {
                errors.append(FieldError(.invalid, path, value: value, shownValue: shown, complaint))
            }
        }
        switch value {
        case .int(let number):
            if let complaint = rangeComplaint(number) { errors.append(.invalid(path, value, complaint)) }
        case .string(let text):
            if !traits.enumeration.isEmpty, !traits.enumeration.contains(text) {
                errors.append(.notSupported(path, value, traits.enumeration))
            }
            if let lengthMax = traits.lengthMax, text.utf8.count > lengthMax {
                errors.append(.tooLong(path, bytesMax: lengthMax))
            }
            if let lengthMin = traits.lengthMin, text.utf8.count < lengthMin {
                errors.append(.invalid(path, value, "should be at least \(lengthMin) chars long"))
            }
        default: return
        }
    }

    private func rangeComplaint(_ number: Int64) -> String? {
        switch (traits.minimum, traits.maximum) {
        case (let minimum?, let maximum?):
            minimum...maximum ~= number ? nil : "must be between \(minimum) and \(maximum), inclusive"
        case (let minimum?, nil):
            if number >= minimum {
                nil
            } else {
                minimum == 1 ? "must be greater than 0" : "must be greater than or equal to \(minimum)"
            }
        case (nil, let maximum?): number <= maximum ? nil : "must be less than or equal to \(maximum)"
        case (nil, nil): nil
        }
    }

    /// What a change of an object may not change.
    func validateUpdate(_ value: JSONValue?, old: JSONValue?, at path: FieldPath, into errors: inout [FieldError]) {
        guard hasImmutables, let value, let old else { return }
        for field in fields {
            let path = FieldPath.field(path, field.name)
            let (new, before) = (value[field.name], old[field.name])
            if field.isImmutable {
                guard new != before, !(JSONValue.isEmpty(new) && JSONValue.isEmpty(before)) else { continue }
                let isSelector = field.schema.traits.definition == LabelSelectorSchema.definition
                errors.append(
                    FieldError(
                        .invalid, path, value: new, shownValue: isSelector ? GoText.selector(new) : nil,
                        "field is immutable"))
            } else {
                field.schema.validateUpdate(new, old: before, at: path, into: &errors)
            }
        }
    }
}

extension SchemaField {
    func validate(_ value: JSONValue?, at path: FieldPath, into errors: inout [FieldError]) {
        // An empty object is there; an empty text or list, or a 0, is as good as absent.
        if isRequired, value?.object == nil, JSONValue.isEmpty(value) || value == 0 {
            errors.append(.required(path, requiredDetail))
        } else if value == nil, countsAbsentAsZero {
            schema.validate(0, at: path, into: &errors)
        } else if let value, value != .null {
            // Empty text is absent text, unless a value of an enumeration is needed.
            if value == "", !isRequired { return }
            schema.validate(value, at: path, into: &errors)
        }
    }
}
