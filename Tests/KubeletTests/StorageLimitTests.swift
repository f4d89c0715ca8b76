import ContainerRuntime
import Foundation
import KubeModel
import Testing

@testable import Kubelet

@Suite("Limits of local storage", .timeLimit(.minutes(5))) struct StorageLimitTests {
    private let spec: JSONValue = [
        "containers": [
            ["name": "main", "image": "web:1.0", "resources": ["limits": ["ephemeral-storage": "2Mi"]]],
            ["name": "other", "image": "web:1.0", "resources": ["limits": ["ephemeral-storage": "1Mi"]]],
        ],
        "volumes": [
            ["name": "cache", "emptyDir": ["sizeLimit": "1Mi"]], ["name": "scratch", "emptyDir": [:]],
            ["name": "memory", "emptyDir": ["medium": "Memory", "sizeLimit": "1Mi"]],
        ],
    ]

    @Test(
        "what is too much is said in the kubelet's words",
        arguments: [
            ([:], [:], nil), (["cache": 1 << 20, "memory": 9 << 20], ["main": 2 << 20], nil),
            (["cache": 1 + 1 << 20], [:], "Usage of EmptyDir volume \"cache\" exceeds the limit \"1Mi\". "),
            (
                ["scratch": 2 << 20], ["main": 1 << 20, "other": 1 << 19],
                "Pod ephemeral local storage usage exceeds the total limit of containers 3Mi. "
            ), ([:], ["other": 3 << 19], "Container other exceeded its local ephemeral storage limit \"1Mi\". "),
        ] as [([String: Int], [String: Int], String?)])
    func words(volumes: [String: Int], containers: [String: Int], message: String?) {
        let limits = StorageLimits(Pod(KubeObject(["spec": spec])))
        let onDisk = volumes.filter { $0.key != "memory" }
        #expect(limits.excess(.init(volumes: onDisk, containers: containers)) == message)
    }

    @Test("a pod without limits is not looked at")
    func none() {
        let spec: JSONValue = ["containers": [["name": "main"]], "volumes": [["name": "a", "emptyDir": [:]]]]
        #expect(!StorageLimits(Pod(KubeObject(["spec": spec]))).isAny)
    }

    @Test("a pod that fills its emptyDir is evicted, at once and for good")
    func eviction() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let pod = try await bed.makePod(
                "full",
                [
                    "containers": [
                        [
                            "name": "main", "image": "web:1.0",
                            "volumeMounts": [["name": "cache", "mountPath": "/cache"]],
                        ]
                    ], "volumes": [["name": "cache", "emptyDir": ["sizeLimit": "64Ki"]]],
                ])
            let ready = try await bed.ready(pod)
            #expect(
                ready.value[["status", "containerStatuses"]]?.array?.first?["containerID"]?.string?.wholeMatch(
                    of: /velocity:\/\/[0-9a-f]{64}/) != nil)
            let mount = try #require(bed.runtime.configuration(of: "main")?.mounts.first)
            try Data(repeating: 1, count: 200_000).write(to: URL(fileURLWithPath: mount.hostPath + "/file"))
            let ended = try await bed.version(from: ready, "evicted") { $0.phase == "Failed" }
            let message: JSONValue = "Usage of EmptyDir volume \"cache\" exceeds the limit \"64Ki\". "
            #expect(ended.value[["status", "reason"]] == "Evicted")
            #expect(ended.value[["status", "message"]] == message)
            #expect(Pod(ended).conditions["DisruptionTarget"]?.value["reason"] == "TerminationByKubelet")
            try await bed.event("Evicted", "exceeds the limit", about: pod)
        }
    }
}
