import KubeModel

/// What is to become of a claim for storage, from the volumes and classes there are.
enum ClaimPlan: Equatable, Sendable {
    /// The claim and this volume belong together.
    case bind(volume: String)
    /// A new volume is to be made.
    case provision(storageClass: String)
    /// The claim names no class, and this is the one for such claims.
    case adopt(storageClass: String)
    /// Nothing can be done now; what people are told, if anything.
    case wait(Remark?)
    /// The volume behind the claim is gone, or serves another.
    case lost(Remark)

    /// An event about the claim.
    struct Remark: Equatable, Sendable {
        var isWarning = false
        let reason: String
        let message: String
    }

    /// - Parameters:
    ///   - hasConsumer: Whether a pod wants the claim; some classes wait for one.
    ///   - provisioner: The name under which we make volumes; nil if we make none.
    init(
        claim: StorageClaim, volumes: [StorageVolume], classes: [KubeObject], hasConsumer: Bool, provisioner: String?
    ) {
        if let name = claim.volumeName {
            self = Self.named(name, claim, volumes)
            return
        }
        let fitting = volumes.filter { $0.fits(claim) }
        // A volume that is kept for the claim goes before all others, then the smallest.
        if let kept = fitting.first(where: { $0.isKept(for: claim) }) {
            self = .bind(volume: kept.name)
            return
        }
        guard let className = claim.className else {
            self = Self.chosenClass(classes).map { .adopt(storageClass: $0) } ?? .wait(Self.noClass)
            return
        }
        let storageClass = classes.first { $0.name == className }
        let waits = storageClass?.value["volumeBindingMode"] == "WaitForFirstConsumer"
        if waits, !hasConsumer {
            self = .wait(
                Remark(
                    reason: "WaitForFirstConsumer", message: "waiting for first consumer to be created before binding"))
            return
        }
        if let best = fitting.min(by: { ($0.capacity, $0.name) < ($1.capacity, $1.name) }) {
            self = .bind(volume: best.name)
            return
        }
        guard !className.isEmpty else {
            self = .wait(Self.noClass)
            return
        }
        guard let storageClass else {
            self = .wait(
                Remark(
                    isWarning: true, reason: "ProvisioningFailed",
                    message: "storageclass.storage.k8s.io \"\(className)\" not found"))
            return
        }
        self = Self.provision(claim, storageClass, provisioner)
    }

    private static let noClass = Remark(
        reason: "FailedBinding",
        message: "no persistent volumes available for this claim and no storage class is set")

    private static func named(_ name: String, _ claim: StorageClaim, _ volumes: [StorageVolume]) -> ClaimPlan {
        guard let volume = volumes.first(where: { $0.name == name }) else {
            guard claim.isBound else { return .wait(nil) }
            return .lost(
                Remark(
                    isWarning: true, reason: "ClaimLost",
                    message: "Bound claim has lost its PersistentVolume. Data on the volume is lost!"))
        }
        if volume.object.value[["spec", "claimRef"]] == nil || volume.isKept(for: claim) { return .bind(volume: name) }
        guard claim.isBound else { return .wait(nil) }
        return .lost(
            Remark(
                isWarning: true, reason: "ClaimMisbound",
                message: "Two claims are bound to the same volume, this one is bound incorrectly"))
    }

    /// The newest of the classes that are marked as default.
    static func chosenClass(_ classes: [KubeObject]) -> String? {
        let marked = classes.filter { $0.annotations["storageclass.kubernetes.io/is-default-class"] == "true" }
        return marked.max {
            ($0.creationTimestamp?.seconds ?? 0, $1.name) < ($1.creationTimestamp?.seconds ?? 0, $0.name)
        }?.name
    }

    private static func provision(
        _ claim: StorageClaim, _ storageClass: KubeObject, _ provisioner: String?
    ) -> ClaimPlan {
        let maker = storageClass.value["provisioner"]?.string ?? ""
        if maker == "kubernetes.io/no-provisioner" { return .wait(nil) }
        guard maker == provisioner else {
            return .wait(
                Remark(
                    reason: "ExternalProvisioning",
                    message: "Waiting for a volume to be created either by the external provisioner '\(maker)' or "
                        + "manually by the system administrator. If volume creation is delayed, please verify that the "
                        + "provisioner is running and correctly registered."))
        }
        let problem: String? =
            if claim.object.value[["spec", "selector"]] != nil {
                "claim Selector is not supported"
            } else if claim.volumeMode == "Block" {
                "\(maker) does not support block volume provisioning"
            } else {
                nil
            }
        guard let problem else { return .provision(storageClass: storageClass.name) }
        return .wait(
            Remark(
                isWarning: true, reason: "ProvisioningFailed",
                message: "failed to provision volume with StorageClass \"\(storageClass.name)\": \(problem)"))
    }
}

/// A view of a `v1.PersistentVolumeClaim`.
struct StorageClaim: Sendable, Hashable {
    static let bindCompleted = "pv.kubernetes.io/bind-completed"
    static let boundByController = "pv.kubernetes.io/bound-by-controller"

    var object: KubeObject

    init(_ object: KubeObject) { self.object = object }

    var volumeName: String? { object.value[["spec", "volumeName"]]?.string.flatMap { $0.isEmpty ? nil : $0 } }
    /// Nil when the claim leaves the choice to the cluster; empty when it wants no class.
    var className: String? {
        object.annotations["volume.beta.kubernetes.io/storage-class"]
            ?? object.value[["spec", "storageClassName"]]?.string
    }
    var volumeMode: String { object.value[["spec", "volumeMode"]]?.string ?? "Filesystem" }
    var accessModes: [String] { (object.value[["spec", "accessModes"]]?.array ?? []).compactMap(\.string) }
    var request: Quantity {
        object.value[["spec", "resources", "requests", "storage"]]?.string.flatMap(Quantity.init(parsing:))
            ?? Quantity(0)
    }
    /// Whether the claim was bound once.
    var isBound: Bool { object.annotations[Self.bindCompleted] == "yes" }
    var phase: String { object.value[["status", "phase"]]?.string ?? "" }
}

/// A view of a `v1.PersistentVolume`.
struct StorageVolume: Sendable, Hashable {
    static let provisionedBy = "pv.kubernetes.io/provisioned-by"

    var object: KubeObject

    init(_ object: KubeObject) { self.object = object }

    var name: String { object.name }
    var className: String {
        object.annotations["volume.beta.kubernetes.io/storage-class"]
            ?? object.value[["spec", "storageClassName"]]?.string ?? ""
    }
    var capacity: Quantity {
        object.value[["spec", "capacity", "storage"]]?.string.flatMap(Quantity.init(parsing:)) ?? Quantity(0)
    }
    var phase: String { object.value[["status", "phase"]]?.string ?? "" }
    var reclaimPolicy: String { object.value[["spec", "persistentVolumeReclaimPolicy"]]?.string ?? "Retain" }
    /// The key of the claim that the volume serves or is kept for.
    var claimKey: ObjectKey? {
        guard let claim = object.value[["spec", "claimRef"]], let name = claim["name"]?.string else { return nil }
        return ObjectKey(namespace: claim["namespace"]?.string, name: name)
    }
    var claimUID: String { object.value[["spec", "claimRef", "uid"]]?.string ?? "" }

    /// Whether the volume serves this claim, or waits for it.
    func isKept(for claim: StorageClaim) -> Bool {
        claimKey == ObjectKey(claim.object) && (claimUID.isEmpty || claimUID == claim.object.uid)
    }

    /// Whether the volume can serve a claim that has none.
    func fits(_ claim: StorageClaim) -> Bool {
        guard !object.isBeingDeleted, claimKey == nil || isKept(for: claim) else { return false }
        guard className == claim.className ?? "" || claim.className == nil && isKept(for: claim) else { return false }
        let modes = Set((object.value[["spec", "accessModes"]]?.array ?? []).compactMap(\.string))
        guard modes.isSuperset(of: claim.accessModes), capacity >= claim.request else { return false }
        guard object.value[["spec", "volumeMode"]]?.string ?? "Filesystem" == claim.volumeMode else { return false }
        guard let selector = claim.object.value[["spec", "selector"]] else { return true }
        return LabelSelector(selector).matches(object.labels)
    }
}
