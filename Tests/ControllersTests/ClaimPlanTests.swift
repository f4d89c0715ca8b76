import KubeModel
import Testing

@testable import Controllers

@Suite("Plans for claims", .timeLimit(.minutes(5))) struct ClaimPlanTests {
    private static func claim(_ spec: JSONValue = [:], isBound: Bool = false) -> StorageClaim {
        var object = KubeObject(.persistentVolumeClaims, namespace: "lab", name: "data")
        object.uid = "u-1"
        object.value["spec"] = spec
        object.value[["spec", "accessModes"]] = ["ReadWriteOnce"]
        object.value[["spec", "resources", "requests", "storage"]] = "1Gi"
        if isBound { object.annotations[StorageClaim.bindCompleted] = "yes" }
        return StorageClaim(object)
    }

    private static func volume(
        _ name: String, size: String = "1Gi", className: String = "", modes: JSONValue = ["ReadWriteOnce"],
        claim: JSONValue? = nil, labels: [String: String] = [:]
    ) -> StorageVolume {
        var object = KubeObject(.persistentVolumes, name: name)
        object.labels = labels
        object.value["spec"] = [
            "capacity": ["storage": .string(size)], "accessModes": modes, "storageClassName": .string(className),
        ]
        object.value[["spec", "claimRef"]] = claim
        return StorageVolume(object)
    }

    private static func storageClass(
        _ name: String, provisioner: String = "ours", isDefault: Bool = false, waits: Bool = false
    ) -> KubeObject {
        var object = KubeObject(.storageClasses, name: name)
        if isDefault { object.annotations["storageclass.kubernetes.io/is-default-class"] = "true" }
        object.value["provisioner"] = .string(provisioner)
        object.value["volumeBindingMode"] = waits ? "WaitForFirstConsumer" : "Immediate"
        return object
    }

    private func plan(
        _ claim: StorageClaim, _ volumes: [StorageVolume] = [], _ classes: [KubeObject] = [],
        hasConsumer: Bool = false
    ) -> ClaimPlan {
        ClaimPlan(
            claim: claim, volumes: volumes, classes: classes, hasConsumer: hasConsumer, provisioner: "ours")
    }

    @Test("the smallest volume that fits is taken, and one that is kept for the claim before all others")
    func fitting() {
        let claim = Self.claim(["storageClassName": ""])
        let volumes = [
            Self.volume("small", size: "500Mi"), Self.volume("large", size: "5Gi"), Self.volume("right", size: "2Gi"),
            Self.volume("other-class", className: "fast"), Self.volume("read-only", modes: ["ReadOnlyMany"]),
            Self.volume("taken", claim: ["namespace": "lab", "name": "other"]),
        ]
        #expect(plan(claim, volumes) == .bind(volume: "right"))
        let kept = Self.volume("kept", size: "9Gi", claim: ["namespace": "lab", "name": "data"])
        #expect(plan(claim, volumes + [kept]) == .bind(volume: "kept"))
        let stale = Self.volume("stale", claim: ["namespace": "lab", "name": "data", "uid": "old"])
        #expect(plan(claim, [stale]) != .bind(volume: "stale"))
    }

    @Test("a selector chooses by labels")
    func selector() {
        let claim = Self.claim(["storageClassName": "", "selector": ["matchLabels": ["disk": "ssd"]]])
        #expect(
            plan(claim, [Self.volume("a"), Self.volume("b", labels: ["disk": "ssd"])]) == .bind(volume: "b"))
    }

    @Test("a claim without class gets the default, and waits without one")
    func defaultClass() {
        #expect(plan(Self.claim(), [], [Self.storageClass("s", isDefault: true)]) == .adopt(storageClass: "s"))
        #expect(
            plan(Self.claim())
                == .wait(
                    .init(
                        reason: "FailedBinding",
                        message: "no persistent volumes available for this claim and no storage class is set")))
    }

    @Test("our class makes a volume, one of others waits for them, one that is not there is told")
    func provisioning() {
        let claim = Self.claim(["storageClassName": "s"])
        #expect(plan(claim, [], [Self.storageClass("s")]) == .provision(storageClass: "s"))
        guard case .wait(let foreign?) = plan(claim, [], [Self.storageClass("s", provisioner: "example.com/x")]) else {
            Issue.record("a foreign class is waited for")
            return
        }
        #expect(foreign.reason == "ExternalProvisioning" && foreign.message.contains("'example.com/x'"))
        #expect(
            plan(claim)
                == .wait(
                    .init(
                        isWarning: true, reason: "ProvisioningFailed",
                        message: "storageclass.storage.k8s.io \"s\" not found"
                    )))
        #expect(plan(claim, [], [Self.storageClass("s", provisioner: "kubernetes.io/no-provisioner")]) == .wait(nil))
    }

    @Test("some classes wait for the first pod that uses the claim")
    func consumer() {
        let claim = Self.claim(["storageClassName": "s"])
        let classes = [Self.storageClass("s", waits: true)]
        #expect(
            plan(claim, [], classes)
                == .wait(
                    .init(
                        reason: "WaitForFirstConsumer",
                        message: "waiting for first consumer to be created before binding")))
        #expect(plan(claim, [], classes, hasConsumer: true) == .provision(storageClass: "s"))
    }

    @Test("a claim that was bound is lost when its volume goes or serves another")
    func lost() {
        let claim = Self.claim(["volumeName": "v"], isBound: true)
        guard case .lost(let gone) = plan(claim) else {
            Issue.record("the claim is lost")
            return
        }
        #expect(gone.reason == "ClaimLost")
        #expect(plan(Self.claim(["volumeName": "v"])) == .wait(nil))
        let other = Self.volume("v", claim: ["namespace": "lab", "name": "else", "uid": "u-2"])
        guard case .lost(let misbound) = plan(claim, [other]) else {
            Issue.record("the claim is bound wrongly")
            return
        }
        #expect(misbound.reason == "ClaimMisbound")
    }
}
