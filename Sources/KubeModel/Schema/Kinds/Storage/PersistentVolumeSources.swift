/// Where the bytes of a PersistentVolume are.
///
/// Volumes belong to no namespace, so that those sources which name a Secret say in which namespace it is; the others are
/// those of pods.
enum PersistentVolumeSources {
    private static let fsType = SchemaField.field(
        "fsType", .string, doc: "The file system on the volume, for example ext4.")
    private static let readOnly = SchemaField.field("readOnly", .bool, doc: "Whether the volume can only be read.")

    private static func text(_ name: String, _ doc: String, default value: JSONValue? = nil) -> SchemaField {
        .field(name, .string, default: value, doc: doc)
    }

    private static func required(_ name: String, _ doc: String) -> SchemaField {
        .field(name, .string, required: true, doc: doc)
    }

    private static func secret(_ name: String, _ doc: String = "The Secret with the credentials.") -> SchemaField {
        .field(name, VolumeSchemas.secretReference, doc: doc)
    }

    private static func source(_ name: String, _ type: String, _ doc: String, _ fields: [SchemaField]) -> SchemaField {
        .field(name, .core(type, doc: doc, fields), doc: doc)
    }

    /// A source that pods can also name directly.
    private static func shared(_ name: String) -> SchemaField {
        guard let field = VolumeSchemas.volume.field(name) else {
            preconditionFailure("pods have no volume source \"\(name)\"")
        }
        return .field(name, field.schema, doc: field.doc)
    }

    private static let local = source(
        "local", "LocalVolumeSource", "A directory or device of one node; the volume needs node affinity.",
        [required("path", "Where it is on the node."), text("fsType", "The file system to make on a device.")]
    )

    private static let csi = source(
        "csi", "CSIPersistentVolumeSource", "A volume of a CSI driver.",
        [
            required("driver", "Name of the driver."), required("volumeHandle", "The driver's name for the volume."),
            readOnly, fsType,
            .field("volumeAttributes", .strings, doc: "What the driver has noted about the volume."),
            secret("controllerPublishSecretRef", "The Secret for attaching and detaching."),
            secret("nodeStageSecretRef", "The Secret for preparing the volume on a node."),
            secret("nodePublishSecretRef", "The Secret for mounting."),
            secret("controllerExpandSecretRef", "The Secret for growing the volume."),
            secret("nodeExpandSecretRef", "The Secret for growing the file system on a node."),
        ])

    private static let networkDisks: [SchemaField] = [
        source(
            "azureFile", "AzureFilePersistentVolumeSource", "A file share of Azure.",
            [
                required("secretName", "Secret with the credentials."), required("shareName", "Name of the share."),
                readOnly, text("secretNamespace", "Namespace of the Secret; that of the claim if absent."),
            ]),
        source(
            "cephfs", "CephFSPersistentVolumeSource", "A directory of CephFS.",
            [
                .field("monitors", .stringList, required: true, doc: "Addresses of the monitors."),
                text("path", "The directory."), text("user", "User to log in as."),
                text("secretFile", "Keyring of the user."), secret("secretRef"), readOnly,
            ]),
        source(
            "cinder", "CinderPersistentVolumeSource", "A disk of OpenStack Cinder.",
            [required("volumeID", "Id of the disk."), fsType, readOnly, secret("secretRef")]),
        source(
            "flexVolume", "FlexPersistentVolumeSource", "A volume of a driver that is a program on the node.",
            [
                required("driver", "Name of the driver."), fsType, secret("secretRef"), readOnly,
                .field("options", .strings, doc: "Options for the driver."),
            ]),
        source(
            "glusterfs", "GlusterfsPersistentVolumeSource", "A volume of GlusterFS.",
            [
                required("endpoints", "Endpoints of the servers."), required("path", "The volume."), readOnly,
                text("endpointsNamespace", "Namespace of the endpoints; that of the claim if absent."),
            ]),
        source(
            "iscsi", "ISCSIPersistentVolumeSource", "A disk reached through iSCSI.",
            [
                required("targetPortal", "Address of the portal."), required("iqn", "Qualified name of the target."),
                .field("lun", .int32, minimum: 0, maximum: 255, doc: "Number of the logical unit."),
                text("iscsiInterface", "Transport of the initiator.", default: "default"), fsType, readOnly,
                .field("portals", .stringList, doc: "Further portals."),
                .field("chapAuthDiscovery", .bool, doc: "Whether discovery uses CHAP."),
                .field("chapAuthSession", .bool, doc: "Whether sessions use CHAP."), secret("secretRef"),
                text("initiatorName", "Name of the initiator."),
            ]),
        source(
            "rbd", "RBDPersistentVolumeSource", "A block device of Ceph.",
            [
                .field("monitors", .stringList, required: true, doc: "Addresses of the monitors."),
                required("image", "Name of the image."), fsType,
                text("pool", "Pool of the image.", default: "rbd"),
                text("user", "User to log in as.", default: "admin"),
                text("keyring", "Keyring of the user.", default: "/etc/ceph/keyring"), secret("secretRef"), readOnly,
            ]),
        source(
            "scaleIO", "ScaleIOPersistentVolumeSource", "A volume of ScaleIO.",
            [
                required("gateway", "Address of the gateway."), required("system", "Name of the system."),
                secret("secretRef"), .field("sslEnabled", .bool, doc: "Whether the gateway is spoken to over TLS."),
                text("protectionDomain", "The protection domain."), text("storagePool", "The pool."),
                text("storageMode", "ThickProvisioned or ThinProvisioned.", default: "ThinProvisioned"),
                text("volumeName", "Name of the volume."), text("fsType", "The file system.", default: "xfs"), readOnly,
            ]),
        source(
            "storageos", "StorageOSPersistentVolumeSource", "A volume of StorageOS.",
            [
                text("volumeName", "Name of the volume."), text("volumeNamespace", "Its namespace."), fsType, readOnly,
                .field("secretRef", VolumeSchemas.objectReference, doc: "The Secret with the credentials."),
            ]),
    ]

    private static let sharedNames = [
        "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "flocker", "nfs", "quobyte", "fc", "vsphereVolume",
        "photonPersistentDisk", "portworxVolume", "azureDisk",
    ]

    static let all: [SchemaField] = sharedNames.map(shared) + networkDisks + [local, csi]
}
