/// What Kubernetes says about probes and hooks.
enum HandlerRules {
    static func checkProbe(_ probe: JSONValue, _ name: String, _ path: FieldPath, _ errors: inout [FieldError]) {
        checkHandler(probe, ["exec", "httpGet", "tcpSocket", "grpc"], grace: nil, path, &errors)
        for member in [
            "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold",
        ] { errors.notNegative(path.child(member), probe[member]?.int) }
        let grace = probe["terminationGracePeriodSeconds"]
        if let seconds = grace?.int, seconds <= 0 {
            errors.append(
                .invalid(path.child("terminationGracePeriodSeconds"), grace, "must be greater than 0"))
        }
        if name == "readinessProbe" {
            guard grace != nil else { return }
            errors.append(
                .invalid(
                    path.child("terminationGracePeriodSeconds"), grace, "must not be set for readinessProbes"))
        } else if let threshold = probe["successThreshold"], threshold != 1 {
            errors.append(.invalid(path.child("successThreshold"), threshold, "must be 1"))
        }
    }

    static func checkLifecycle(
        _ lifecycle: JSONValue, grace: Int?, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        for name in ["postStart", "preStop"] {
            guard let hook = lifecycle[name] else { continue }
            checkHandler(hook, ["exec", "httpGet", "tcpSocket", "sleep"], grace: grace, path.child(name), &errors)
        }
    }

    private static func checkHandler(
        _ handler: JSONValue, _ types: [String], grace: Int?, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let given = types.filter { handler[$0] != nil }
        guard let first = given.first, let action = handler[first] else {
            return errors.append(.required(path, "must specify a handler type"))
        }
        check(action, first, grace: grace, path.child(first), &errors)
        for extra in given.dropFirst() {
            errors.append(.forbidden(path.child(extra), "may not specify more than 1 handler type"))
        }
    }

    private static func check(
        _ action: JSONValue, _ type: String, grace: Int?, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        switch type {
        case "exec":
            if JSONValue.isEmpty(action["command"]) { errors.append(.required(path.child("command"))) }
        case "httpGet":
            errors.require(path.child("path"), action["path"]?.string)
            errors.port(path.child("port"), action["port"])
            errors.oneOf(path.child("scheme"), action["scheme"]?.string ?? "", ["HTTP", "HTTPS"])
            for header in action.list("httpHeaders") {
                let name = header["name"]?.string ?? ""
                errors.complain(path.child("httpHeaders"), name, NameSyntax.headerName(name))
            }
        case "sleep":
            let seconds = action["seconds"]?.int ?? 0
            guard let grace, seconds <= 0 || seconds > grace else { return }
            errors.append(
                .invalid(
                    path, JSONValue(seconds),
                    "must be greater than 0 and less than terminationGracePeriodSeconds (\(grace)). Enable "
                        + "AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep."))
        default: errors.port(path.child("port"), action["port"])
        }
    }
}
