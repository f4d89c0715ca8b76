/// What Kubernetes says about one container of any list.
struct ContainerRules {
    let spec: JSONValue
    /// The volumes with nothing wrong with them, by name.
    let volumes: [String: JSONValue]
    /// Names of the pod's claims for devices.
    let claims: [String]

    func check(_ container: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        errors.require(path.child("name"), container["name"]?.string, NameSyntax.dnsLabel)
        errors.require(path.child("image"), container["image"]?.string)
        errors.oneOf(
            path.child("terminationMessagePolicy"), container["terminationMessagePolicy"]?.string,
            ["File", "FallbackToLogsOnError"])
        checkPorts(container.list("ports"), path.child("ports"), &errors)
        for (index, variable) in container.list("env").enumerated() {
            EnvironmentRules.check(variable, path.child("env")[index], &errors)
        }
        for (index, group) in container.list("envFrom").enumerated() {
            EnvironmentRules.checkGroup(group, path.child("envFrom"), index, &errors)
        }
        MountRules(container: container, volumes: volumes).check(path, &errors)
        errors.oneOf(
            path.child("imagePullPolicy"), container["imagePullPolicy"]?.string, ["Always", "IfNotPresent", "Never"])
        ResourceSchemas.check(container["resources"] ?? [:], path.child("resources"), &errors)
        checkClaims(container[["resources", "claims"]]?.array ?? [], path.child("resources", "claims"), &errors)
        checkResizing(container.list("resizePolicy"), path.child("resizePolicy"), &errors)
        if let context = container["securityContext"] {
            SecurityRules.checkContainer(
                context, sharesUsers: spec["hostUsers"] != false, path.child("securityContext"), &errors)
        }
    }

    /// Only pods are held to this: templates with such images were once accepted.
    static func checkImage(_ container: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let image = container["image"]?.string,
            image.first?.isWhitespace ?? false
                || image.last?.isWhitespace ?? false
        else { return }
        errors.append(
            .invalid(path.child("image"), .string(image), "must not have leading or trailing whitespace"))
    }

    private func checkPorts(_ ports: [JSONValue], _ path: FieldPath, _ errors: inout [FieldError]) {
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let here = path[index]
            if let name = port["name"]?.string, !name.isEmpty {
                let complaints = NameSyntax.portName(name)
                errors.complain(here.child("name"), name, complaints)
                if complaints.isEmpty, !names.insert(name).inserted {
                    errors.append(.duplicate(here.child("name"), .string(name)))
                }
            }
            let number = port["containerPort"]?.int ?? 0
            if number == 0 { errors.append(.required(here.child("containerPort"))) }
            if number != 0 { errors.inRange(here.child("containerPort"), number, 1...65535) }
            if let hostPort = port["hostPort"]?.int, hostPort != 0 {
                errors.inRange(here.child("hostPort"), hostPort, 1...65535)
            }
            errors.oneOf(here.child("protocol"), port["protocol"]?.string, ["SCTP", "TCP", "UDP"])
        }
    }

    private func checkClaims(_ uses: [JSONValue], _ path: FieldPath, _ errors: inout [FieldError]) {
        var seen: Set<String> = []
        for (index, use) in uses.enumerated() {
            guard let name = use["name"]?.string, !name.isEmpty else {
                errors.append(.required(path[index]))
                continue
            }
            if !seen.insert(name).inserted { errors.append(.duplicate(path[index], .string(name))) }
            guard !claims.contains(name) else { continue }
            let known = claims.isEmpty ? " which is empty" : ": \(claims.sorted().joined(separator: ", "))"
            errors.append(
                FieldError(
                    .notFound, path[index], value: .string(name),
                    "must be one of the names in pod.spec.resourceClaims\(known)"))
        }
    }

    private func checkResizing(_ policies: [JSONValue], _ path: FieldPath, _ errors: inout [FieldError]) {
        var seen: Set<String> = []
        for (index, policy) in policies.enumerated() {
            let resource = policy["resourceName"]?.string ?? ""
            if !seen.insert(resource).inserted { errors.append(.duplicate(path[index], .string(resource))) }
            let restart = policy["restartPolicy"]?.string ?? ""
            if resource.isEmpty { errors.append(.required(path)) }
            if !resource.isEmpty { errors.oneOf(path, resource, ["cpu", "memory"]) }
            if restart.isEmpty { errors.append(.required(path)) }
            if !restart.isEmpty { errors.oneOf(path, restart, ["NotRequired", "RestartContainer"]) }
            if spec["restartPolicy"] == "Never", restart != "NotRequired" {
                errors.append(
                    .invalid(path, .string(restart), "must be 'NotRequired' when `restartPolicy` is 'Never'"))
            }
        }
    }
}

/// What Kubernetes says about volumes in a container.
///
/// Some of its messages name the list where they mean one of its elements; so do ours.
struct MountRules {
    let container: JSONValue
    let volumes: [String: JSONValue]

    func check(_ path: FieldPath, _ errors: inout [FieldError]) {
        checkMounts(path.child("volumeMounts"), &errors)
        checkDevices(path.child("volumeDevices"), &errors)
    }

    private func has(_ list: String, _ member: String, _ text: String) -> Bool {
        container.list(list).contains { $0[member]?.string == text }
    }

    private func checkMounts(_ path: FieldPath, _ errors: inout [FieldError]) {
        var places: Set<String> = []
        for (index, mount) in container.list("volumeMounts").enumerated() {
            let here = path[index]
            let name = mount["name"]?.string ?? ""
            let place = mount["mountPath"]?.string ?? ""
            if name.isEmpty { errors.append(.required(here.child("name"))) }
            if volumes[name] == nil { errors.append(FieldError(.notFound, here.child("name"), value: .string(name))) }
            if place.isEmpty { errors.append(.required(here.child("mountPath"))) }
            if !places.insert(place).inserted {
                errors.append(.invalid(here.child("mountPath"), .string(place), "must be unique"))
            }
            if has("volumeDevices", "name", name) {
                errors.append(.invalid(here.child("name"), .string(name), "must not already exist in volumeDevices"))
            }
            if has("volumeDevices", "devicePath", place) {
                errors.append(
                    .invalid(
                        here.child("mountPath"), .string(place), "must not already exist as a path in volumeDevices"))
            }
            checkParts(of: mount, here, path, &errors)
            checkSharing(of: mount, path, &errors)
        }
    }

    private func checkParts(
        of mount: JSONValue, _ here: FieldPath, _ list: FieldPath, _ errors: inout [FieldError]
    ) {
        let isImage = volumes[mount["name"]?.string ?? ""]?["image"] != nil
        let (subPath, expression) = (mount["subPath"]?.string ?? "", mount["subPathExpr"]?.string ?? "")
        for (name, text) in [("subPath", subPath), ("subPathExpr", expression)] where isImage && !text.isEmpty {
            errors.append(.invalid(here.child(name), .string(text), "not allowed in image volume sources"))
        }
        if !subPath.isEmpty { errors.descends(list.child("subPath"), subPath) }
        guard !expression.isEmpty else { return }
        if !subPath.isEmpty {
            errors.append(
                .invalid(
                    here.child("subPathExpr"), .string(expression), "subPathExpr and subPath are mutually exclusive"))
        }
        errors.descends(list.child("subPathExpr"), expression)
    }

    private func checkSharing(of mount: JSONValue, _ list: FieldPath, _ errors: inout [FieldError]) {
        let propagation = mount["mountPropagation"]?.string
        errors.oneOf(list.child("mountPropagation"), propagation, ["Bidirectional", "HostToContainer", "None"])
        if propagation == "Bidirectional", container[["securityContext", "privileged"]] != true {
            errors.append(
                .forbidden(
                    list.child("mountPropagation"),
                    "Bidirectional mount propagation is available only to privileged containers"))
        }
        let place = list.child("recursiveReadOnly")
        switch mount["recursiveReadOnly"]?.string {
        case nil, "Disabled": break
        case "Enabled", "IfPossible":
            if mount["readOnly"] != true {
                errors.append(.forbidden(place, "may only be specified when readOnly is true"))
            }
            if let propagation, propagation != "None" {
                errors.append(
                    .forbidden(place, "may only be specified when mountPropagation is None or not specified"))
            }
        case let other: errors.oneOf(place, other, ["Disabled", "Enabled", "IfPossible"])
        }
    }

    private func checkDevices(_ path: FieldPath, _ errors: inout [FieldError]) {
        var names: Set<String> = []
        var places: Set<String> = []
        for (index, device) in container.list("volumeDevices").enumerated() {
            let here = path[index]
            let name = device["name"]?.string ?? ""
            let place = device["devicePath"]?.string ?? ""
            if name.isEmpty { errors.append(.required(here.child("name"))) }
            if names.contains(name) { errors.append(.invalid(here.child("name"), .string(name), "must be unique")) }
            if let volume = volumes[name] {
                if volume["persistentVolumeClaim"] == nil, volume["ephemeral"] == nil {
                    errors.append(
                        .invalid(
                            here.child("name"), .string(name),
                            "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"))
                }
            } else {
                errors.append(FieldError(.notFound, here.child("name"), value: .string(name)))
            }
            if place.isEmpty { errors.append(.required(here.child("devicePath"))) }
            if places.contains(place) {
                errors.append(.invalid(here.child("devicePath"), .string(place), "must be unique"))
            }
            if place.split(separator: "/").contains("..") {
                errors.append(.invalid(here.child("devicePath"), .string(place), "can not contain backsteps ('..')"))
            } else {
                places.insert(place)
            }
            if has("volumeMounts", "name", name) {
                errors.append(.invalid(here.child("name"), .string(name), "must not already exist in volumeMounts"))
            }
            if has("volumeMounts", "mountPath", place) {
                errors.append(
                    .invalid(
                        here.child("devicePath"), .string(place), "must not already exist as a path in volumeMounts"))
            }
            if !name.isEmpty { names.insert(name) }
        }
    }
}
