/// Where the files of a pod come from: the sources that the course uses.
///
/// The rest is in `VolumeSchemas+Storage`.
enum VolumeSchemas {
    static let localReference = Schema.core(
        "LocalObjectReference", doc: "Names an object in the same namespace.",
        [.field("name", .string, doc: "Name of the object.")])

    static let secretReference = Schema.core(
        "SecretReference", doc: "Names a secret in any namespace.",
        [
            .field("name", .string, doc: "Name of the secret."),
            .field("namespace", .string, doc: "Namespace of the secret."),
        ])

    static let objectReference = Schema.core(
        "ObjectReference", doc: "Names an object, or a part of one.",
        [
            .field("apiVersion", .string, doc: "API version of the object."),
            .field("fieldPath", .string, doc: "The part meant, for example spec.containers{web}."),
            .field("kind", .string, doc: "Kind of the object."),
            .field("name", .string, doc: "Name of the object."),
            .field("namespace", .string, doc: "Namespace of the object."),
            .field("resourceVersion", .string, doc: "The revision of the object that is meant, if it matters."),
            .field("uid", .string, doc: "UID of the object."),
        ])

    private static let fileMode = Schema.int32

    private static let relativePath = Schema.string

    private static let keyToPath = Schema.core(
        "KeyToPath", doc: "One entry of a ConfigMap or Secret as a file.",
        [
            .field("key", .string, required: true, doc: "The entry."),
            .field("path", relativePath, required: true, doc: "The file, relative to the mount."),
            .field("mode", fileMode, doc: "Permission bits of the file."),
        ])

    private static let items = SchemaField.field(
        "items", .list(of: keyToPath), doc: "The entries to show as files; all of them if absent.")

    private static func isOptional(_ what: String) -> SchemaField {
        .field("optional", .bool, doc: "Whether the pod may start without the \(what).")
    }

    private static let defaultMode = SchemaField.field(
        "defaultMode", fileMode, default: 420, doc: "Permission bits of files; 420 is 0644.")

    private static let emptyDir = Schema.core(
        "EmptyDirVolumeSource", doc: "An empty directory that lives as long as the pod.",
        [
            .field("medium", .string, oneOf: ["", "Memory"], doc: "Memory for a directory in memory, empty for disk."),
            .field("sizeLimit", .quantity, doc: "How large it may grow."),
        ])

    private static let hostPath = Schema.core(
        "HostPathVolumeSource", doc: "A file or directory of the node.",
        [
            .field("path", .string, required: true, doc: "Where it is on the node."),
            .field(
                "type", .string, default: "",
                oneOf: [
                    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
                ], doc: "What must be there, or is to be made."),
        ])

    private static let secret = Schema.core(
        "SecretVolumeSource", doc: "The entries of a Secret as files.",
        [
            .field("secretName", .string, required: true, doc: "Name of the Secret."), items, defaultMode,
            isOptional("Secret"),
        ])

    private static let configMap = Schema.core(
        "ConfigMapVolumeSource", doc: "The entries of a ConfigMap as files.",
        [
            .field("name", .string, required: true, doc: "Name of the ConfigMap."), items, defaultMode,
            isOptional("ConfigMap"),
        ])

    private static let claim = Schema.core(
        "PersistentVolumeClaimVolumeSource", doc: "The storage behind a claim in the same namespace.",
        [
            .field("claimName", .string, required: true, doc: "Name of the PersistentVolumeClaim."),
            .field("readOnly", .bool, doc: "Whether the files can only be read."),
        ])

    private static let nfs = Schema.core(
        "NFSVolumeSource", doc: "A directory of an NFS server.",
        [
            .field("server", .string, required: true, doc: "Host name or IP of the server."),
            .field("path", .string, required: true, doc: "The directory on the server."),
            .field("readOnly", .bool, doc: "Whether the files can only be read."),
        ])

    private static let downwardFile = Schema.core(
        "DownwardAPIVolumeFile", doc: "A fact about the pod as a file.",
        [
            .field("path", relativePath, required: true, doc: "The file, relative to the mount."),
            .field("fieldRef", EnvironmentSchemas.fieldSelector, doc: "A field of the pod."),
            .field("resourceFieldRef", EnvironmentSchemas.resourceSelector, doc: "A request or limit of a container."),
            .field("mode", fileMode, doc: "Permission bits of the file."),
        ])

    private static let downward = Schema.core(
        "DownwardAPIVolumeSource", doc: "Facts about the pod as files.",
        [.field("items", .list(of: downwardFile), doc: "The files."), defaultMode])

    private static let projection = Schema.core(
        "VolumeProjection", doc: "One source of a projected volume; exactly one member is set.",
        [
            .field(
                "secret",
                .core(
                    "SecretProjection", doc: "Entries of a Secret.",
                    [.field("name", .string, required: true, doc: "Name of the Secret."), items, isOptional("Secret")]),
                doc: "Entries of a Secret."),
            .field(
                "downwardAPI",
                .core(
                    "DownwardAPIProjection", doc: "Facts about the pod.",
                    [.field("items", .list(of: downwardFile), doc: "The files.")]),
                doc: "Facts about the pod."),
            .field(
                "configMap",
                .core(
                    "ConfigMapProjection", doc: "Entries of a ConfigMap.",
                    [
                        .field("name", .string, required: true, doc: "Name of the ConfigMap."), items,
                        isOptional("ConfigMap"),
                    ]),
                doc: "Entries of a ConfigMap."),
            .field(
                "serviceAccountToken",
                .core(
                    "ServiceAccountTokenProjection", doc: "A token of the pod's service account.",
                    [
                        .field("audience", .string, doc: "Whom the token is for; the API server if absent."),
                        .field(
                            "expirationSeconds", .int64, default: 3600, minimum: 600,
                            doc: "How long a token is good; it is replaced in time."),
                        .field("path", relativePath, required: true, doc: "The file, relative to the mount."),
                    ]),
                doc: "A token of the pod's service account."),
            .field(
                "clusterTrustBundle",
                .core(
                    "ClusterTrustBundleProjection", doc: "Certificates that the cluster trusts.",
                    [
                        .field("name", .string, doc: "Name of one bundle."),
                        .field("signerName", .string, doc: "All bundles of a signer."),
                        .field("labelSelector", LabelSelectorSchema.selector, doc: "Which bundles of the signer."),
                        .field("optional", .bool, doc: "Whether the pod may start without the bundle."),
                        .field("path", relativePath, required: true, doc: "The file, relative to the mount."),
                    ]),
                doc: "Certificates that the cluster trusts."),
        ])

    private static let projected = Schema.core(
        "ProjectedVolumeSource", doc: "Several sources in one directory.",
        [.field("sources", .list(of: projection), doc: "The sources."), defaultMode])

    private static let commonSources: [SchemaField] = [
        .field("hostPath", hostPath, doc: "A file or directory of the node."),
        .field("emptyDir", emptyDir, doc: "An empty directory that lives as long as the pod."),
        .field("secret", secret, doc: "The entries of a Secret as files."),
        .field("nfs", nfs, doc: "A directory of an NFS server."),
        .field("persistentVolumeClaim", claim, doc: "The storage behind a claim."),
        .field("downwardAPI", downward, doc: "Facts about the pod as files."),
        .field("configMap", configMap, doc: "The entries of a ConfigMap as files."),
        .field("projected", projected, doc: "Several sources in one directory."),
    ]

    private static let sources = commonSources + storageSources

    /// A volume of a pod; without a source it is an empty directory.
    static let volume = Schema.core(
        "Volume", doc: "A directory that containers of the pod can mount.",
        [.field("name", .text(.dnsLabel), required: true, doc: "The name by which mounts refer to it.")] + sources
    ).defaulting { volume in
        if !sources.contains(where: { volume[$0.name] != nil }) { volume["emptyDir"] = [:] }
    }
}
