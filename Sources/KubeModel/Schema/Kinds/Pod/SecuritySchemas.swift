/// As whom containers run, and what they may do.
enum SecuritySchemas {
    private static let id = Schema.int64.with {
        $0.minimum = 0
        $0.maximum = Int64(Int32.max)
    }

    private static let seLinux = Schema.core(
        "SELinuxOptions", doc: "SELinux labels.",
        [
            .field("user", .string, doc: "The user label."), .field("role", .string, doc: "The role label."),
            .field("type", .string, doc: "The type label."), .field("level", .string, doc: "The level label."),
        ])

    private static let windows = Schema.core(
        "WindowsSecurityContextOptions", doc: "Settings for Windows.",
        [
            .field("gmsaCredentialSpecName", .string, doc: "Name of the credential specification."),
            .field("gmsaCredentialSpec", .string, doc: "The credential specification itself."),
            .field("runAsUserName", .string, doc: "The user to run as."),
            .field("hostProcess", .bool, doc: "Whether the container runs on the host itself."),
        ])

    private static func profile(_ type: String, _ doc: String) -> Schema {
        .core(
            type, doc: doc,
            [
                .field(
                    "type", .string, required: true, oneOf: ["Localhost", "RuntimeDefault", "Unconfined"],
                    doc: "Which profile."),
                .field("localhostProfile", .string, doc: "A profile on the node; only for Localhost."),
            ]
        )
    }

    private static let seccomp = profile("SeccompProfile", "Which system calls are allowed.")
    private static let appArmor = profile("AppArmorProfile", "Which AppArmor profile applies.")

    private static let capabilities = Schema.core(
        "Capabilities", doc: "Rights of root, one by one.",
        [
            .field("add", .stringList, doc: "Rights to give."),
            .field("drop", .stringList, doc: "Rights to take away; ALL for all of them."),
        ])

    private static let sysctl = Schema.core(
        "Sysctl", doc: "A kernel setting of the pod.",
        [
            .field("name", .string, required: true, doc: "Name of the setting."),
            .field("value", .string, doc: "Its value."),
        ])

    private static let shared: [SchemaField] = [
        .field("seLinuxOptions", seLinux, doc: "SELinux labels."),
        .field("windowsOptions", windows, doc: "Settings for Windows."),
        .field("runAsUser", id, doc: "User id of the process."),
        .field("runAsGroup", id, doc: "Group id of the process."),
        .field("runAsNonRoot", .bool, doc: "Whether the kubelet refuses to run the process as root."),
        .field("seccompProfile", seccomp, doc: "Which system calls are allowed."),
        .field("appArmorProfile", appArmor, doc: "Which AppArmor profile applies."),
    ]

    static let pod = Schema.core(
        "PodSecurityContext", doc: "As whom the containers of the pod run, unless they say otherwise.",
        shared + [
            .field("supplementalGroups", .list(of: id), doc: "Further groups of the processes."),
            .field(
                "supplementalGroupsPolicy", .string, oneOf: ["Merge", "Strict"],
                doc: "Whether groups that the image names are added."),
            .field("fsGroup", id, doc: "Group that owns the pod's volumes."),
            .field(
                "fsGroupChangePolicy", .string, oneOf: ["OnRootMismatch", "Always"],
                doc: "When the owner of files in volumes is changed."),
            .field("sysctls", .list(of: sysctl), doc: "Kernel settings of the pod."),
            .field(
                "seLinuxChangePolicy", .string, oneOf: ["MountOption", "Recursive"],
                doc: "How the SELinux label of volumes is set."),
        ])

    static let container = Schema.core(
        "SecurityContext", doc: "As whom a container runs, and what it may do.",
        shared + [
            .field("capabilities", capabilities, doc: "Rights of root, one by one."),
            .field("privileged", .bool, doc: "Whether the container has all rights of the node's root."),
            .field("readOnlyRootFilesystem", .bool, doc: "Whether the image's files can only be read."),
            .field("allowPrivilegeEscalation", .bool, doc: "Whether a process may gain more rights than its parent."),
            .field("procMount", .string, oneOf: ["Default", "Unmasked"], doc: "How /proc is shown."),
        ]
    )
}
