/// What Kubernetes says about the three lists of containers of a pod.
struct ContainerListRules {
    private let spec: JSONValue
    private let path: FieldPath
    private let containers: ContainerRules

    init(_ rules: PodSpecRules) {
        spec = rules.spec
        path = rules.path
        containers = ContainerRules(
            spec: rules.spec, volumes: rules.volumes,
            claims: rules.spec.list("resourceClaims").compactMap { $0["name"]?.string })
    }

    func check(_ errors: inout [FieldError]) {
        checkContainers(&errors)
        checkInitContainers(&errors)
        checkEphemeralContainers(&errors)
    }

    private func names(_ list: String) -> [String] { spec.list(list).compactMap { $0["name"]?.string } }

    private func checkContainers(_ errors: inout [FieldError]) {
        let place = path.child("containers")
        let list = spec.list("containers")
        if list.isEmpty { return errors.append(.required(place)) }
        var seen: Set<String> = []
        for (index, container) in list.enumerated() {
            let here = place[index]
            containers.check(container, here, &errors)
            let name = container["name"]?.string ?? ""
            if !seen.insert(name).inserted { errors.append(.duplicate(here.child("name"), .string(name))) }
            checkLife(container, here, &errors)
            if container["restartPolicy"] != nil {
                errors.append(.forbidden(here.child("restartPolicy"), "may not be set for non-init containers"))
            }
        }
        checkHostPorts(list, place, &errors)
    }

    /// Two containers that run at the same time cannot have the same port of the node.
    private func checkHostPorts(
        _ containers: [JSONValue], _ place: FieldPath, firstIndex: Int = 0, _ errors: inout [FieldError]
    ) {
        var seen: Set<String> = []
        for (index, container) in containers.enumerated() {
            for (position, port) in container.list("ports").enumerated() {
                guard let number = port["hostPort"]?.int, number != 0 else { continue }
                let text = "\(port["protocol"]?.string ?? "TCP")/\(port["hostIP"]?.string ?? "")/\(number)"
                if seen.insert(text).inserted { continue }
                let here = place[firstIndex + index].child("ports")[position].child("hostPort")
                errors.append(.duplicate(here, .string(text)))
            }
        }
    }

    private func checkLife(_ container: JSONValue, _ here: FieldPath, _ errors: inout [FieldError]) {
        let grace = spec["terminationGracePeriodSeconds"]?.int
        if let lifecycle = container["lifecycle"] {
            HandlerRules.checkLifecycle(lifecycle, grace: grace, here.child("lifecycle"), &errors)
        }
        for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
            if let probe = container[name] { HandlerRules.checkProbe(probe, name, here.child(name), &errors) }
        }
    }

    private func checkInitContainers(_ errors: inout [FieldError]) {
        let place = path.child("initContainers")
        var seen = Set(names("containers"))
        for (index, container) in spec.list("initContainers").enumerated() {
            let here = place[index]
            containers.check(container, here, &errors)
            errors.oneOf(here.child("restartPolicy"), container["restartPolicy"]?.string, ["Always"])
            let name = container["name"]?.string ?? ""
            if !name.isEmpty, !seen.insert(name).inserted {
                errors.append(.duplicate(here.child("name"), .string(name)))
            }
            // Init containers run one after the other, so that only a container's own ports can clash.
            checkHostPorts([container], place, &errors)
            if container["restartPolicy"] == "Always" {
                checkLife(container, here, &errors)
            } else {
                for name in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"]
                where container[name] != nil {
                    errors.append(
                        .forbidden(
                            here.child(name), "may not be set for init containers without restartPolicy=Always"))
                }
            }
            if !JSONValue.isEmpty(container["resizePolicy"]) {
                errors.append(
                    .invalid(
                        here.child("resizePolicy"), container["resizePolicy"], "must not be set for init containers"))
            }
        }
    }

    /// What makes a container part of the pod's work is not for one that only looks on.
    private static let notEphemeral = [
        "ports", "resources", "resizePolicy", "restartPolicy", "livenessProbe", "readinessProbe", "startupProbe",
        "lifecycle",
    ]

    private func checkEphemeralContainers(_ errors: inout [FieldError]) {
        let others = Set(names("containers") + names("initContainers"))
        var seen = others
        for (index, container) in spec.list("ephemeralContainers").enumerated() {
            let here = path.child("ephemeralContainers")[index]
            containers.check(container, here, &errors)
            ContainerRules.checkImage(container, here, &errors)
            let name = container["name"]?.string ?? ""
            if !seen.insert(name).inserted { errors.append(.duplicate(here.child("name"), .string(name))) }
            if let target = container["targetContainerName"]?.string, !target.isEmpty, !others.contains(target) {
                errors.append(FieldError(.notFound, here.child("targetContainerName"), value: .string(target)))
            }
            for name in Self.notEphemeral where !JSONValue.isEmpty(container[name]) {
                errors.append(.forbidden(here.child(name), "cannot be set for an Ephemeral Container"))
            }
            for (position, mount) in container.list("volumeMounts").enumerated() {
                for name in ["subPath", "subPathExpr"] where !JSONValue.isEmpty(mount[name]) {
                    errors.append(
                        .forbidden(
                            here.child("volumeMounts")[position].child(name),
                            "cannot be set for an Ephemeral Container"))
                }
            }
        }
    }
}
