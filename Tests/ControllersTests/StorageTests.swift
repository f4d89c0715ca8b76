import Glibc
import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import Controllers

@Suite("Volumes and claims", .timeLimit(.minutes(5))) struct StorageTests {
    private static func claim(_ name: String = "data", className: String? = nil) -> KubeObject {
        var claim = KubeObject(.persistentVolumeClaims, namespace: "default", name: name)
        claim.value["spec"] = [
            "accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]],
        ]
        if let className { claim.value[["spec", "storageClassName"]] = .string(className) }
        return claim
    }

    private static func volume(_ name: String, policy: String = "Retain") -> KubeObject {
        var volume = KubeObject(.persistentVolumes, name: name)
        volume.value["spec"] = [
            "capacity": ["storage": "2Gi"], "accessModes": ["ReadWriteOnce"], "storageClassName": "manual",
            "persistentVolumeReclaimPolicy": .string(policy), "hostPath": ["path": "/srv/data"],
        ]
        return volume
    }

    @Test("a claim without class gets a folder of the cluster, which goes with the claim")
    func dynamic() async throws {
        try await withTemporaryFolder { try await makeAndDelete(in: "\($0)/volumes") }
    }

    private func makeAndDelete(in directory: String) async throws {
        let fixture = try Fixture(volumes: VolumeFolders(directory: directory))
        try await fixture.running {
            let made = try await fixture.client.create(.persistentVolumeClaims, Self.claim())
            let bound = try await fixture.wait(.persistentVolumeClaims, "data") {
                $0.value[["status", "phase"]] == "Bound"
            }
            let name = "pvc-\(made.uid)"
            #expect(bound.value[["spec", "volumeName"]] == .string(name))
            #expect(bound.value[["spec", "storageClassName"]] == "standard")
            #expect(bound.value[["status", "capacity", "storage"]] == "1Gi")
            #expect(bound.annotations["pv.kubernetes.io/bind-completed"] == "yes")
            let volume = try await fixture.wait(.persistentVolumes, name) { $0.value[["status", "phase"]] == "Bound" }
            #expect(volume.value[["spec", "hostPath", "path"]] == .string("\(directory)/\(name)"))
            #expect(volume.value[["spec", "persistentVolumeReclaimPolicy"]] == "Delete")
            #expect(access("\(directory)/\(name)", W_OK) == 0)
            let messages = try await fixture.messages("ProvisioningSucceeded", about: "data", count: 1)
            #expect(messages == ["Successfully provisioned volume \(name)"])

            try await fixture.client.delete(
                .persistentVolumeClaims, namespace: "default", name: "data", options: DeleteOptions())
            try await fixture.waitGone(.persistentVolumeClaims, "data")
            try await fixture.waitGone(.persistentVolumes, name, in: nil)
            #expect(access("\(directory)/\(name)", F_OK) != 0)
        }
    }

    @Test("a volume made by hand is available, then bound, then released and kept")
    func byHand() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.persistentVolumes, Self.volume("disk"))
            try await fixture.wait(.persistentVolumes, "disk") { $0.value[["status", "phase"]] == "Available" }
            _ = try await fixture.client.create(.persistentVolumeClaims, Self.claim(className: "manual"))
            try await fixture.wait(.persistentVolumeClaims, "data") { $0.value[["status", "phase"]] == "Bound" }
            try await fixture.wait(.persistentVolumes, "disk") { $0.value[["status", "phase"]] == "Bound" }
            try await fixture.client.delete(
                .persistentVolumeClaims, namespace: "default", name: "data", options: DeleteOptions())
            let released = try await fixture.wait(.persistentVolumes, "disk") {
                $0.value[["status", "phase"]] == "Released"
            }
            #expect(released.value[["spec", "claimRef", "name"]] == "data")
        }
    }

    @Test("a claim that waits is served as soon as a volume comes")
    func later() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.persistentVolumeClaims, Self.claim(className: ""))
            let messages = try await fixture.messages("FailedBinding", about: "data", count: 1)
            #expect(
                messages.first == "no persistent volumes available for this claim and no storage class is set")
            var volume = Self.volume("disk")
            volume.value[["spec", "storageClassName"]] = nil
            _ = try await fixture.client.create(.persistentVolumes, volume)
            try await fixture.wait(.persistentVolumeClaims, "data") { $0.value[["status", "phase"]] == "Bound" }
        }
    }

    @Test("a claim that a pod uses stays until the pod is gone")
    func protection() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.persistentVolumes, Self.volume("disk"))
            _ = try await fixture.client.create(.persistentVolumeClaims, Self.claim(className: "manual"))
            let pod = MemoryCluster.pod(
                "web",
                spec: ["volumes": [["name": "d", "persistentVolumeClaim": ["claimName": "data"]]]])
            _ = try await fixture.client.create(.pods, pod)
            try await fixture.wait(.pods, "web") { Pod($0).isReady }
            try await fixture.wait(.persistentVolumeClaims, "data") { $0.value[["status", "phase"]] == "Bound" }
            try await fixture.client.delete(
                .persistentVolumeClaims, namespace: "default", name: "data", options: DeleteOptions())
            let going = try await fixture.client.get(.persistentVolumeClaims, "data", in: "default")
            #expect(going.isBeingDeleted && going.finalizers == ["kubernetes.io/pvc-protection"])
            try await fixture.client.delete(.pods, namespace: "default", name: "web", options: DeleteOptions())
            try await fixture.waitGone(.persistentVolumeClaims, "data")
        }
    }

    @Test("a pod that brings a claim gets it, and takes it with it")
    func ephemeral() async throws {
        try await withTemporaryFolder { try await bring(in: "\($0)/volumes") }
    }

    private func bring(in directory: String) async throws {
        let fixture = try Fixture(volumes: VolumeFolders(directory: directory))
        try await fixture.running {
            let template: JSONValue = ["spec": Self.claim().value["spec"] ?? [:]]
            let pod = MemoryCluster.pod(
                "web", spec: ["volumes": [["name": "d", "ephemeral": ["volumeClaimTemplate": template]]]])
            _ = try await fixture.client.create(.pods, pod)
            let claim = try await fixture.wait(.persistentVolumeClaims, "web-d") {
                $0.value[["status", "phase"]] == "Bound"
            }
            #expect(claim.controllerOwner?.kind == "Pod")
            try await fixture.client.delete(.pods, namespace: "default", name: "web", options: DeleteOptions())
            try await fixture.waitGone(.persistentVolumeClaims, "web-d")
        }
    }
}
