/// What Kubernetes says about environment variables, and about facts of the pod that become text.
enum EnvironmentRules {
    static func check(_ variable: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        errors.require(path.child("name"), variable["name"]?.string, NameSyntax.envName)
        guard let source = variable["valueFrom"] else { return }
        let place = path.child("valueFrom")
        var count = 0
        if let field = source["fieldRef"] {
            count += 1
            checkField(field, ofPod: fieldsOfVariables, place.child("fieldRef"), &errors)
        }
        if let resource = source["resourceFieldRef"] {
            count += 1
            checkResource(resource, place.child("resourceFieldRef"), needsContainer: false, &errors)
        }
        for name in ["configMapKeyRef", "secretKeyRef"] {
            guard let entry = source[name] else { continue }
            count += 1
            let object = entry["name"]?.string ?? ""
            errors.complain(place.child(name, "name"), object, NameSyntax.dnsSubdomain(object))
            errors.require(place.child(name, "key"), entry["key"]?.string, NameSyntax.configMapKey)
        }
        if count == 0 {
            errors.append(
                .invalid(
                    place, "",
                    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"))
        } else if !JSONValue.isEmpty(variable["value"]) {
            errors.append(.invalid(place, "", "may not be specified when `value` is not empty"))
        } else if count > 1 {
            errors.append(.invalid(place, "", "may not have more than one field specified at a time"))
        }
    }

    static func checkGroup(_ group: JSONValue, _ list: FieldPath, _ index: Int, _ errors: inout [FieldError]) {
        errors.allow(list[index].child("prefix"), group["prefix"]?.string, NameSyntax.envName)
        var count = 0
        for name in ["configMapRef", "secretRef"] {
            guard let object = group[name] else { continue }
            count += 1
            errors.require(list[index].child(name, "name"), object["name"]?.string, NameSyntax.dnsSubdomain)
        }
        if count == 0 {
            errors.append(.invalid(list, "", "must specify one of: `configMapRef` or `secretRef`"))
        } else if count > 1 {
            errors.append(.invalid(list, "", "may not have more than one field specified at a time"))
        }
    }

    // MARK: Facts about the pod

    static let fieldsOfVariables = [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
        "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
    ]

    static let fieldsOfFiles = [
        "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid",
    ]

    private static let knownFields: Set<String> = [
        "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid",
        "spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "spec.schedulerName", "status.phase",
        "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs", "spec.host",
    ]

    static func checkField(
        _ selector: JSONValue, ofPod allowed: [String], _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        guard let version = selector["apiVersion"]?.string, !version.isEmpty else {
            return errors.append(.required(path.child("apiVersion")))
        }
        let place = path.child("fieldPath")
        guard let field = selector["fieldPath"]?.string, !field.isEmpty else { return errors.append(.required(place)) }
        func cannotConvert(_ why: String) {
            errors.append(.invalid(place, .string(field), "error converting fieldPath: \(why)"))
        }
        guard version == "v1" else { return cannotConvert("unsupported pod version: \(version)") }
        if let (list, key) = subscripted(field) {
            switch list {
            case "metadata.annotations": errors.complain(path, key, NameSyntax.qualifiedName(key.lowercased()))
            case "metadata.labels": errors.complain(path, key, NameSyntax.qualifiedName(key))
            default: cannotConvert("field label does not support subscript: \(field)")
            }
            return
        }
        guard knownFields.contains(field) else { return cannotConvert("field label not supported: \(field)") }
        let name = field == "spec.host" ? "spec.nodeName" : field
        if !allowed.contains(name) { errors.append(.notSupported(place, .string(name), allowed)) }
    }

    /// `metadata.labels['app']` in its parts.
    private static func subscripted(_ field: String) -> (list: String, key: String)? {
        guard field.hasSuffix("']"), let start = field.firstRange(of: "['") else { return nil }
        let key = field[start.upperBound...].dropLast(2)
        return start.lowerBound == field.startIndex ? nil : (String(field[..<start.lowerBound]), String(key))
    }

    private static let resources = [
        "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage",
        "requests.memory",
    ]

    private static let byteUnits = [
        "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
    ]

    static func checkResource(
        _ selector: JSONValue, _ path: FieldPath, needsContainer: Bool, _ errors: inout [FieldError]
    ) {
        let resource = selector["resource"]?.string ?? ""
        let isHugePages = resource.hasPrefix("requests.hugepages-") || resource.hasPrefix("limits.hugepages-")
        if needsContainer, JSONValue.isEmpty(selector["containerName"]) {
            errors.append(.required(path.child("containerName")))
        } else if resource.isEmpty {
            errors.append(.required(path.child("resource")))
        } else if !resources.contains(resource), !isHugePages {
            errors.append(.notSupported(path.child("resource"), .string(resource), resources))
        }
        guard let divisor = Quantity(selector["divisor"]), divisor.milliValue != 0 else { return }
        func complain(_ allowed: [String], _ what: String) {
            guard !allowed.contains(divisor.description) else { return }
            let list = allowed.count == 2 ? "1m and 1" : allowed.joined(separator: ", ")
            errors.append(
                .invalid(
                    path.child("divisor"), .string(resource),
                    "only divisor's values \(list) are supported with the \(what) resource"))
        }
        switch resource.drop(while: { $0 != "." }).dropFirst() {
        case "cpu": complain(["1m", "1"], "cpu")
        case "memory": complain(byteUnits, "memory")
        case "ephemeral-storage": complain(byteUnits, "local ephemeral storage")
        default: if isHugePages { complain(byteUnits, "hugepages") }
        }
    }
}
