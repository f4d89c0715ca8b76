/// What is wrong with a value by an OpenAPI schema, in the words of Kubernetes' validator (kube-openapi, `validate`).
struct SchemaVerdict {
    var errors: [FieldError] = []
    /// How many checks were passed; tells which of several alternatives was the closest.
    var matchCount = 0

    var isValid: Bool { errors.isEmpty }

    mutating func merge(_ other: SchemaVerdict) {
        errors += other.errors
        matchCount += other.matchCount
    }
}

extension JSONSchema {
    /// What is wrong with a value; `path` is dotted, empty for a whole object.
    ///
    /// A value that is the same as `old`, which stood there before, is not complained about.
    func check(_ value: JSONValue, at path: String = "", old: JSONValue? = nil) -> SchemaVerdict {
        var verdict = SchemaVerdict()
        if let old, old == value { return verdict }
        guard !value.isNull else {
            checkType(of: value, path, &verdict)
            checkValues(value, path, &verdict)
            return verdict
        }
        checkType(of: value, path, &verdict)
        checkAlternatives(value, path, &verdict)
        switch value {
        case .string(let text): checkText(text, path, &verdict)
        case .int, .double: checkNumber(value, path, &verdict)
        case .array(let elements): checkElements(elements, path, old, &verdict)
        default: break
        }
        checkValues(value, path, &verdict)
        if case .object(let members) = value { checkMembers(members, path, old, &verdict) }
        verdict.matchCount += 1
        return verdict
    }

    private static func place(_ path: String) -> FieldPath {
        path.isEmpty ? FieldPath("<nil>") : FieldPath(path)
    }

    private func invalid(_ path: String, _ value: JSONValue, _ complaint: String) -> FieldError {
        .invalid(Self.place(path), value, "\(path) in body \(complaint)")
    }

    private static func typeName(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .int: "integer"
        case .double: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// The types that are allowed, as messages list them.
    private var typeNames: [String] { isIntOrString ? ["integer", "string"] : type.isEmpty ? [] : [type] }

    private func checkType(of value: JSONValue, _ path: String, _ verdict: inout SchemaVerdict) {
        let wanted = typeNames
        guard !wanted.isEmpty else { return }
        let found = Self.typeName(of: value)
        var isRight = wanted.contains(found)
        switch value {
        case .null: isRight = isNullable
        case .double(let number): isRight = isRight || wanted.contains("integer") && number == number.rounded()
        case .int: isRight = isRight || wanted.contains("number")
        default: break
        }
        guard !isRight else {
            verdict.matchCount += 1
            return
        }
        let list = wanted.joined(separator: ",")
        verdict.errors.append(
            FieldError(
                .typeInvalid, Self.place(path), value: .string(found),
                "\(path) in body must be of type \(list): \"\(found)\""))
    }

    private func checkText(_ text: String, _ path: String, _ verdict: inout SchemaVerdict) {
        let count = text.unicodeScalars.count
        if let max = lengths.max, count > max {
            verdict.errors.append(.tooLong(Self.place(path), bytesMax: max))
        }
        if let min = lengths.min, count < min {
            verdict.errors.append(invalid(path, .string(text), "should be at least \(min) chars long"))
        }
        if let pattern, !pattern.occurs(in: text) {
            verdict.errors.append(invalid(path, .string(text), "should match '\(pattern.text)'"))
        }
        if let isRight = TextFormat.check(format, text), !isRight {
            verdict.errors.append(
                FieldError(
                    .typeInvalid, Self.place(path), value: .string(text),
                    "\(path) in body must be of type \(format): \(GoText.quote(text))"))
        }
    }

    private func checkNumber(_ value: JSONValue, _ path: String, _ verdict: inout SchemaVerdict) {
        guard let number = value.number else { return }
        func show(_ bound: Double) -> String { value.int == nil ? GoText.number(bound) : String(Int64(bound)) }
        if let multipleOf, multipleOf > 0 {
            let quotient = number / multipleOf
            if quotient != quotient.rounded() {
                verdict.errors.append(invalid(path, value, "should be a multiple of \(show(multipleOf))"))
            }
        }
        if let maximum, maximum.isExclusive ? number >= maximum.value : number > maximum.value {
            let words = maximum.isExclusive ? "less than" : "less than or equal to"
            verdict.errors.append(invalid(path, value, "should be \(words) \(show(maximum.value))"))
        }
        if let minimum, minimum.isExclusive ? number <= minimum.value : number < minimum.value {
            let words = minimum.isExclusive ? "greater than" : "greater than or equal to"
            verdict.errors.append(invalid(path, value, "should be \(words) \(show(minimum.value))"))
        }
        if format == "int32", type == "integer", Int32(exactly: number) == nil {
            verdict.errors.append(
                .invalid(
                    FieldPath("<nil>"), "",
                    "Checked value must be of type integer with format int32 in \(path)"))
        }
    }

    private func checkElements(
        _ elements: [JSONValue], _ path: String, _ old: JSONValue?, _ verdict: inout SchemaVerdict
    ) {
        if let items {
            for (index, element) in elements.enumerated() {
                verdict.merge(
                    items.check(element, at: "\(path)[\(index)]", old: oldElement(element, in: old)))
            }
        }
        if let min = counts.min, elements.count < min {
            verdict.errors.append(
                invalid(path, JSONValue(elements.count), "should have at least \(min) items"))
        }
        if let max = counts.max, elements.count > max {
            verdict.errors.append(
                FieldError(
                    .tooMany, Self.place(path), value: JSONValue(elements.count), "must have at most \(max) items"))
        }
    }

    private func checkValues(_ value: JSONValue, _ path: String, _ verdict: inout SchemaVerdict) {
        guard !values.isEmpty else { return }
        if values.contains(value) || values.contains(where: { $0.number != nil && $0.number == value.number }) {
            verdict.matchCount += 1
        } else {
            verdict.errors.append(.notSupported(Self.place(path), value, values.map { $0.string ?? $0.text }))
        }
    }

    private func checkMembers(
        _ members: JSONObject, _ path: String, _ old: JSONValue?, _ verdict: inout SchemaVerdict
    ) {
        func below(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        if let min = propertyCounts.min, members.count < min {
            verdict.errors.append(
                invalid(path, JSONValue(members.count), "should have at least \(min) properties"))
        }
        if let max = propertyCounts.max, members.count > max {
            verdict.errors.append(
                FieldError(
                    .tooMany, Self.place(path), value: JSONValue(members.count), "must have at most \(max) items"))
        }
        for (key, value) in members {
            if let schema = member(key) {
                verdict.merge(schema.check(value, at: below(key), old: isAtomicMap ? nil : old?[key]))
            } else if case .allowed(false) = rest {
                verdict.errors.append(
                    .invalid(
                        Self.place(path), .string(key), "\(path).\(key) in body is a forbidden property"))
            }
        }
        for name in required where members[name] == nil {
            verdict.errors.append(.required(FieldPath(below(name))))
        }
    }

    // MARK: Alternatives

    private func checkAlternatives(_ value: JSONValue, _ path: String, _ verdict: inout SchemaVerdict) {
        func complain(_ text: String) { verdict.errors.append(.invalid(FieldPath("<nil>"), "", text)) }
        let name = GoText.quote(path)
        if !anyOf.isEmpty {
            let verdicts = anyOf.map { $0.check(value, at: path) }
            if !verdicts.contains(where: \.isValid) {
                complain("\(name) must validate at least one schema (anyOf)")
                if let closest = Self.closest(verdicts) { verdict.merge(closest) }
            }
        }
        if !oneOf.isEmpty {
            let verdicts = oneOf.map { $0.check(value, at: path) }
            let count = verdicts.count(where: \.isValid)
            if count != 1 {
                let found = count == 0 ? "Found none valid" : "Found \(count) valid alternatives"
                complain("\(name) must validate one and only one schema (oneOf). \(found)")
                if count == 0, let closest = Self.closest(verdicts) { verdict.merge(closest) }
            }
        }
        if !allOf.isEmpty {
            let verdicts = allOf.map { $0.check(value, at: path) }
            let count = verdicts.count(where: \.isValid)
            for one in verdicts { verdict.merge(one) }
            if count != allOf.count {
                complain("\(name) must validate all the schemas (allOf)\(count == 0 ? ". None validated" : "")")
            }
        }
        if let not, not.check(value, at: path).isValid { complain("\(name) must not validate the schema (not)") }
    }

    private static func closest(_ verdicts: [SchemaVerdict]) -> SchemaVerdict? {
        var best: SchemaVerdict?
        for verdict in verdicts where verdict.matchCount > best?.matchCount ?? -1 { best = verdict }
        return best
    }
}

extension JSONSchema {
    /// Elements that occur twice in lists where each may occur only once.
    func checkLists(_ value: JSONValue, at path: FieldPath, into errors: inout [FieldError]) {
        switch value {
        case .object(let members):
            for (key, value) in members { member(key)?.checkLists(value, at: .field(path, key), into: &errors) }
        case .array(let elements):
            checkDuplicates(elements, at: path, into: &errors)
            guard let items else { return }
            for (index, element) in elements.enumerated() {
                items.checkLists(element, at: path[index], into: &errors)
            }
        default: return
        }
    }

    private func checkDuplicates(_ elements: [JSONValue], at path: FieldPath, into errors: inout [FieldError]) {
        var seen: Set<JSONValue> = []
        for (index, element) in elements.enumerated() {
            switch listType {
            case .atomic: return
            case .set:
                if !seen.insert(element).inserted { errors.append(.duplicate(path[index], element)) }
            case .map(let keys):
                let identity = JSONValue.object(
                    JSONObject(keys.sorted().compactMap { key in element[key].map { (key, $0) } }))
                if !seen.insert(identity).inserted {
                    errors.append(
                        FieldError(.duplicate, path[index], shownValue: GoText.value(identity)))
                }
            }
        }
    }
}
