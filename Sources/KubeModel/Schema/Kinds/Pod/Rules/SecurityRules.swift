/// What Kubernetes says about security contexts, of the pod and of its containers.
enum SecurityRules {
    private static let ids = 0...Int(Int32.max)

    // MARK: The pod

    static func checkPod(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let context = spec["securityContext"] else { return }
        let place = path.child("securityContext")
        for name in ["fsGroup", "runAsUser", "runAsGroup"] {
            errors.inRange(place.child(name), context[name]?.int, ids)
        }
        for (index, group) in context.list("supplementalGroups").enumerated() {
            errors.inRange(place.child("supplementalGroups")[index], group.int, ids)
        }
        if spec["shareProcessNamespace"] == true, spec["hostPID"] == true {
            errors.append(
                .invalid(
                    place.child("shareProcessNamespace"), true,
                    "ShareProcessNamespace and HostPID cannot both be enabled"))
        }
        checkSysctls(context.list("sysctls"), spec, place.child("sysctls"), &errors)
        errors.oneOf(
            place.child("fsGroupChangePolicy"), context["fsGroupChangePolicy"]?.string, ["Always", "OnRootMismatch"])
        checkSeccomp(context["seccompProfile"], place.child("seccompProfile"), &errors)
        checkAppArmor(context["appArmorProfile"], place.child("appArmorProfile"), &errors)
        errors.oneOf(
            place.child("supplementalGroupsPolicy"), context["supplementalGroupsPolicy"]?.string, ["Merge", "Strict"])
        errors.oneOf(
            place.child("seLinuxChangePolicy"), context["seLinuxChangePolicy"]?.string, ["MountOption", "Recursive"])
    }

    private static func checkSysctls(
        _ sysctls: [JSONValue], _ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        var seen: Set<String> = []
        for (index, sysctl) in sysctls.enumerated() {
            let name = sysctl["name"]?.string ?? ""
            let place = path[index].child("name")
            if name.isEmpty {
                errors.append(.required(place))
            } else if !NameSyntax.isSysctl(name) {
                errors.append(
                    .invalid(
                        place, .string(name),
                        "must have at most 253 characters and match regex "
                            + "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"))
            } else if seen.contains(name) {
                errors.append(.duplicate(place, .string(name)))
            }
            seen.insert(name)
            let isIPC = ["kernel.shm", "kernel.msg", "fs.mqueue.", "kernel.sem"].contains { name.hasPrefix($0) }
            if spec["hostNetwork"] == true, name.hasPrefix("net.") {
                errors.append(.invalid(place, .string(name), "may not be specified when 'hostNetwork' is true"))
            } else if spec["hostIPC"] == true, isIPC {
                errors.append(.invalid(place, .string(name), "may not be specified when 'hostIPC' is true"))
            }
        }
    }

    /// A pod with user ids of its own shares nothing else of the node.
    static func checkUsers(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard spec["hostUsers"] == false else { return }
        for (name, shown) in [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")]
        where spec[name] == true {
            errors.append(.forbidden(path.child(shown), "when `pod.Spec.HostUsers` is false"))
        }
    }

    // MARK: Profiles

    private static func checkSeccomp(_ profile: JSONValue?, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let profile else { return }
        let type = profile["type"]?.string ?? ""
        if type.isEmpty {
            errors.append(.required(path.child("type"), "type is required when seccompProfile is set"))
        } else {
            errors.oneOf(path.child("type"), type, ["Localhost", "RuntimeDefault", "Unconfined"])
        }
        let place = path.child("localhostProfile")
        let local = profile["localhostProfile"]?.string
        switch (type, local) {
        case ("Localhost", nil):
            errors.append(.required(place, "must be set when seccomp type is Localhost"))
        case ("Localhost", let local?): errors.descends(place, local)
        case (_, nil): return
        case (_, _?):
            let shown =
                "core.SeccompProfile{Type:\(GoText.quote(type)), LocalhostProfile:(*string)(0xc000000000)}"
            errors.append(
                FieldError(.invalid, place, shownValue: shown, "can only be set when seccomp type is Localhost"))
        }
    }

    private static func checkAppArmor(_ profile: JSONValue?, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let profile else { return }
        let place = path.child("localhostProfile")
        let local = profile["localhostProfile"]?.string
        switch profile["type"]?.string ?? "" {
        case "Localhost":
            guard let local, !local.isEmpty else {
                return errors.append(.required(place, "must be set when AppArmor type is Localhost"))
            }
            if local.first?.isWhitespace ?? false || local.last?.isWhitespace ?? false {
                errors.append(.invalid(place, .string(local), "must not be padded with whitespace"))
            }
            if local.utf8.count > 4095 { errors.append(.tooLong(place, bytesMax: 4095)) }
        case "RuntimeDefault", "Unconfined":
            guard let local else { return }
            errors.append(.invalid(place, .string(local), "can only be set when AppArmor type is Localhost"))
        case "":
            errors.append(.required(path.child("type"), "type is required when appArmorProfile is set"))
        case let type: errors.oneOf(path.child("type"), type, ["Localhost", "RuntimeDefault", "Unconfined"])
        }
    }

    // MARK: Containers

    static func checkContainer(
        _ context: JSONValue, sharesUsers: Bool, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        for name in ["runAsUser", "runAsGroup"] { errors.inRange(path.child(name), context[name]?.int, ids) }
        if let mount = context["procMount"] {
            errors.oneOf(path.child("procMount"), mount.string, ["Default", "Unmasked"])
            if sharesUsers, mount == "Unmasked" {
                errors.append(
                    .invalid(path.child("procMount"), mount, "`hostUsers` must be false to use `Unmasked`"))
            }
        }
        checkSeccomp(context["seccompProfile"], path.child("seccompProfile"), &errors)
        if context["allowPrivilegeEscalation"] == false {
            if context["privileged"] == true {
                errors.append(
                    FieldError(
                        .invalid, path, shownValue: goContext(context),
                        "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
            }
            for right in context[["capabilities", "add"]]?.array ?? [] where right == "CAP_SYS_ADMIN" {
                errors.append(
                    FieldError(
                        .invalid, path, shownValue: goContext(context),
                        "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"))
            }
        }
        checkAppArmor(context["appArmorProfile"], path.child("appArmorProfile"), &errors)
    }

    /// The context as Go prints it.
    ///
    /// A real server shows addresses of its memory for the pointers; there are none to show here.
    private static func goContext(_ context: JSONValue) -> String {
        let members = [
            ("Capabilities", "capabilities", "core.Capabilities"), ("Privileged", "privileged", "bool"),
            ("SELinuxOptions", "seLinuxOptions", "core.SELinuxOptions"),
            ("WindowsOptions", "windowsOptions", "core.WindowsSecurityContextOptions"),
            ("RunAsUser", "runAsUser", "int64"), ("RunAsGroup", "runAsGroup", "int64"),
            ("RunAsNonRoot", "runAsNonRoot", "bool"), ("ReadOnlyRootFilesystem", "readOnlyRootFilesystem", "bool"),
            ("AllowPrivilegeEscalation", "allowPrivilegeEscalation", "bool"),
            ("ProcMount", "procMount", "core.ProcMountType"),
            ("SeccompProfile", "seccompProfile", "core.SeccompProfile"),
            ("AppArmorProfile", "appArmorProfile", "core.AppArmorProfile"),
        ].map { name, member, type in
            "\(name):(*\(type))(\(context[member] == nil ? "nil" : "0xc000000000"))"
        }
        return "core.SecurityContext{\(members.joined(separator: ", "))}"
    }

    // MARK: Operating systems

    static func checkSystem(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let system = spec["os"] else { return }
        guard let name = system["name"]?.string, !name.isEmpty else {
            return errors.append(.required(path.child("os", "name"), "cannot be empty"))
        }
        errors.oneOf(path.child("os"), name, ["linux", "windows"])
        func forbid(_ place: FieldPath, _ value: JSONValue?, _ names: [String], _ why: String) {
            for name in names where value?[name] != nil { errors.append(.forbidden(place.child(name), why)) }
        }
        let isWindows = name == "windows"
        let why = isWindows ? "cannot be set for a windows pod" : "windows options cannot be set for a linux pod"
        let common = ["appArmorProfile", "seLinuxOptions", "seccompProfile"]
        let ofPod =
            common + [
                "fsGroup", "fsGroupChangePolicy", "sysctls", "runAsUser", "runAsGroup", "supplementalGroups",
                "supplementalGroupsPolicy", "seLinuxChangePolicy",
            ]
        let ofContainer =
            common + [
                "capabilities", "readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation", "procMount",
                "runAsUser", "runAsGroup",
            ]
        let place = path.child("securityContext")
        forbid(place, spec["securityContext"], isWindows ? ofPod : ["windowsOptions"], why)
        if isWindows { forbid(path, spec, ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"], why) }
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for (index, container) in spec.list(list).enumerated() {
                forbid(
                    path.child(list)[index].child("securityContext"), container["securityContext"],
                    isWindows ? ofContainer : ["windowsOptions"], why)
            }
        }
    }
}
