/// Volume sources of storage systems outside the cluster. They are known, so that manifests that name them are read.
extension VolumeSchemas {
    private static let fsType = SchemaField.field(
        "fsType", .string, doc: "The file system on the volume, for example ext4.")
    private static let readOnly = SchemaField.field("readOnly", .bool, doc: "Whether the volume can only be read.")
    private static let partition = SchemaField.field("partition", .int32, doc: "The partition to mount; 0 for none.")
    private static let secretRef = SchemaField.field(
        "secretRef", localReference, doc: "The Secret with the credentials.")

    private static func text(_ name: String, _ doc: String, default value: JSONValue? = nil) -> SchemaField {
        .field(name, .string, default: value, doc: doc)
    }

    /// A source: its name in the volume, the name of its type, what it is, and its members.
    private static func source(
        _ name: String, _ type: String, _ doc: String, _ fields: [SchemaField]
    ) -> SchemaField {
        .field(name, .core(type, doc: doc, fields), doc: doc)
    }

    static let storageSources: [SchemaField] = cloudDisks + networkDisks + plugins

    private static let cloudDisks: [SchemaField] = [
        source(
            "gcePersistentDisk", "GCEPersistentDiskVolumeSource", "A disk of Google Compute Engine.",
            [text("pdName", "Name of the disk."), fsType, partition, readOnly]),
        source(
            "awsElasticBlockStore", "AWSElasticBlockStoreVolumeSource", "A disk of Amazon EBS.",
            [text("volumeID", "Id of the disk."), fsType, partition, readOnly]),
        source(
            "azureFile", "AzureFileVolumeSource", "A file share of Azure.",
            [text("secretName", "Secret with the credentials."), text("shareName", "Name of the share."), readOnly]),
        source(
            "azureDisk", "AzureDiskVolumeSource", "A disk of Azure.",
            [
                text("diskName", "Name of the disk."), text("diskURI", "URI of the disk."),
                text("cachingMode", "None, ReadOnly or ReadWrite.", default: "ReadWrite"),
                text("fsType", "The file system on the disk.", default: "ext4"),
                .field("readOnly", .bool, default: false, doc: "Whether the disk can only be read."),
                text("kind", "Shared, Dedicated or Managed.", default: "Shared"),
            ]),
        source(
            "cinder", "CinderVolumeSource", "A disk of OpenStack Cinder.",
            [text("volumeID", "Id of the disk."), fsType, readOnly, secretRef]),
        source(
            "vsphereVolume", "VsphereVirtualDiskVolumeSource", "A virtual disk of vSphere.",
            [
                text("volumePath", "Path of the disk."), fsType,
                text("storagePolicyName", "Name of the storage policy."),
                text("storagePolicyID", "Id of the storage policy."),
            ]),
        source(
            "photonPersistentDisk", "PhotonPersistentDiskVolumeSource", "A disk of Photon Controller.",
            [text("pdID", "Id of the disk."), fsType]),
    ]

    private static let networkDisks: [SchemaField] = [
        source(
            "iscsi", "ISCSIVolumeSource", "A disk reached through iSCSI.",
            [
                text("targetPortal", "Address of the portal."), text("iqn", "Qualified name of the target."),
                .field("lun", .int32, doc: "Number of the logical unit."),
                text("iscsiInterface", "Transport of the initiator.", default: "default"), fsType, readOnly,
                .field("portals", .stringList, doc: "Further portals."),
                .field("chapAuthDiscovery", .bool, doc: "Whether discovery uses CHAP."),
                .field("chapAuthSession", .bool, doc: "Whether sessions use CHAP."), secretRef,
                text("initiatorName", "Name of the initiator."),
            ]),
        source(
            "fc", "FCVolumeSource", "A disk reached through Fibre Channel.",
            [
                .field("targetWWNs", .stringList, doc: "World wide names of the targets."),
                .field("lun", .int32, doc: "Number of the logical unit."), fsType, readOnly,
                .field("wwids", .stringList, doc: "World wide identifiers of the volume."),
            ]),
        source(
            "rbd", "RBDVolumeSource", "A block device of Ceph.",
            [
                .field("monitors", .stringList, doc: "Addresses of the monitors."), text("image", "Name of the image."),
                fsType, text("pool", "Pool of the image.", default: "rbd"),
                text("user", "User to log in as.", default: "admin"),
                text("keyring", "Keyring of the user.", default: "/etc/ceph/keyring"), secretRef, readOnly,
            ]),
        source(
            "cephfs", "CephFSVolumeSource", "A directory of CephFS.",
            [
                .field("monitors", .stringList, doc: "Addresses of the monitors."), text("path", "The directory."),
                text("user", "User to log in as."), text("secretFile", "Keyring of the user."), secretRef, readOnly,
            ]),
        source(
            "glusterfs", "GlusterfsVolumeSource", "A volume of GlusterFS.",
            [text("endpoints", "Endpoints of the servers."), text("path", "The volume."), readOnly]),
        source(
            "quobyte", "QuobyteVolumeSource", "A volume of Quobyte.",
            [
                text("registry", "Addresses of the registry."), text("volume", "Name of the volume."), readOnly,
                text("user", "User to mount as."), text("group", "Group to mount as."), text("tenant", "The tenant."),
            ]),
        source(
            "scaleIO", "ScaleIOVolumeSource", "A volume of ScaleIO.",
            [
                text("gateway", "Address of the gateway."), text("system", "Name of the system."), secretRef,
                .field("sslEnabled", .bool, doc: "Whether the gateway is spoken to over TLS."),
                text("protectionDomain", "The protection domain."), text("storagePool", "The pool."),
                text("storageMode", "ThickProvisioned or ThinProvisioned.", default: "ThinProvisioned"),
                text("volumeName", "Name of the volume."), text("fsType", "The file system.", default: "xfs"), readOnly,
            ]),
        source(
            "storageos", "StorageOSVolumeSource", "A volume of StorageOS.",
            [
                text("volumeName", "Name of the volume."), text("volumeNamespace", "Its namespace."), fsType, readOnly,
                secretRef,
            ]),
        source(
            "portworxVolume", "PortworxVolumeSource", "A volume of Portworx.",
            [text("volumeID", "Id of the volume."), fsType, readOnly]),
    ]

    private static let plugins: [SchemaField] = [
        source(
            "gitRepo", "GitRepoVolumeSource", "A clone of a git repository; no longer recommended.",
            [
                text("repository", "URL of the repository."), text("revision", "The commit to check out."),
                text("directory", "The directory to clone into."),
            ]),
        source(
            "flexVolume", "FlexVolumeSource", "A volume of a driver that is a program on the node.",
            [
                text("driver", "Name of the driver."), fsType, secretRef, readOnly,
                .field("options", .strings, doc: "Options for the driver."),
            ]),
        source(
            "flocker", "FlockerVolumeSource", "A volume of Flocker.",
            [text("datasetName", "Name of the data set."), text("datasetUUID", "UUID of the data set.")]),
        source(
            "csi", "CSIVolumeSource", "A volume of a CSI driver that lives as long as the pod.",
            [
                .field("driver", .string, required: true, doc: "Name of the driver."), readOnly, fsType,
                .field("volumeAttributes", .strings, doc: "Options for the driver."),
                .field("nodePublishSecretRef", localReference, doc: "The Secret with the credentials."),
            ]),
        source(
            "ephemeral", "EphemeralVolumeSource", "A claim that is made for the pod and goes with it.",
            [.field("volumeClaimTemplate", StorageSchemas.claimTemplate, doc: "What the claim is made from.")]),
        source(
            "image", "ImageVolumeSource", "The files of an image, to be read only.",
            [
                text("reference", "The image."),
                .field(
                    "pullPolicy", .string, oneOf: ["Always", "IfNotPresent", "Never"],
                    doc: "When the image is fetched."),
            ]),
    ]
}
