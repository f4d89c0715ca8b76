import KubeModel
import Testing

@testable import Scheduler

@Suite("Waiting for storage", .timeLimit(.minutes(5))) struct ClaimWaitTests {
    private static func claim(_ phase: String, isGoing: Bool = false) -> KubeObject {
        var claim = KubeObject(.persistentVolumeClaims, namespace: "default", name: "data")
        claim.value["status"] = ["phase": .string(phase)]
        claim.value["spec"] = ["volumeName": "pv-1"]
        if isGoing { claim.value[["metadata", "deletionTimestamp"]] = "2026-01-01T00:00:00Z" }
        return claim
    }

    @Test("a pod waits until its claims are bound, and says why")
    func reasons() {
        #expect(ClaimWait.reason("data", nil) == "persistentvolumeclaim \"data\" not found")
        #expect(ClaimWait.reason("data", Self.claim("Bound")) == nil)
        #expect(
            ClaimWait.reason("data", Self.claim("Pending")) == "pod has unbound immediate PersistentVolumeClaims")
        #expect(
            ClaimWait.reason("data", Self.claim("Bound", isGoing: true))
                == "persistentvolumeclaim \"data\" is being deleted")
        #expect(
            ClaimWait.reason("data", Self.claim("Lost"))
                == "persistentvolumeclaim \"data\" bound to non-existent persistentvolume \"pv-1\"")
    }

    @Test("claims made for the pod count too")
    func names() {
        var pod = KubeObject(.pods, namespace: "default", name: "web")
        pod.value["spec"] = [
            "volumes": [
                ["name": "a", "persistentVolumeClaim": ["claimName": "data"]], ["name": "b", "ephemeral": [:]],
                ["name": "c", "emptyDir": [:]],
            ]
        ]
        #expect(Pod(pod).claimNames == ["data", "web-b"])
    }
}
