/// Rules that volumes and claims share.
enum StorageRules {
    static let accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]

    static func checkModes(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let modes = (spec["accessModes"]?.array ?? []).compactMap(\.string)
        for mode in modes where !accessModes.contains(mode) {
            errors.append(.notSupported(path, .string(mode), accessModes))
        }
        let others = modes.contains { $0 != "ReadWriteOncePod" && accessModes.contains($0) }
        if modes.contains("ReadWriteOncePod"), others {
            errors.append(.forbidden(path, "may not use ReadWriteOncePod with other access modes"))
        }
    }

    static func checkClass(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let name = spec["storageClassName"]?.string, !name.isEmpty else { return }
        for complaint in NameSyntax.dnsSubdomain(name) {
            errors.append(.invalid(path.child("storageClassName"), .string(name), complaint))
        }
    }

    /// `RWO,RWX`: the short forms, in their usual order.
    static func shortModes(_ modes: JSONValue?) -> String {
        let given = Set((modes?.array ?? []).compactMap(\.string))
        let short = [
            ("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP"),
        ]
        return short.filter { given.contains($0.0) }.map(\.1).joined(separator: ",")
    }

    private static let classAnnotation = "volume.beta.kubernetes.io/storage-class"

    static func className(_ object: KubeObject) -> String {
        object.annotations[classAnnotation] ?? object.value[["spec", "storageClassName"]]?.string ?? ""
    }

    static func phase(_ object: KubeObject) -> String {
        object.isBeingDeleted ? "Terminating" : object.value[["status", "phase"]]?.string ?? ""
    }

    static func amount(_ value: JSONValue?) -> String { Quantity(value)?.description ?? "0" }
}

extension PrinterColumn {
    static let volumeAttributes = value(
        "VolumeAttributesClass", ["spec", "volumeAttributesClassName"], absent: "<unset>",
        "The class of the volume's performance attributes.")

    static let volumeMode = PrinterColumn(
        name: "VolumeMode", description: "A file system, or a raw device.", priority: 1
    ) { object, _ in object.value[["spec", "volumeMode"]] ?? "<unset>" }
}
