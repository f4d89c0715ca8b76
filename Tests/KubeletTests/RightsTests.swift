import ContainerRuntime
import KubeModel
import Testing

@testable import Kubelet

@Suite("The rights of containers", .timeLimit(.minutes(5))) struct RightsTests {
    private func rights(
        _ own: JSONValue = [:], ofPod: JSONValue = [:], _ spec: JSONValue = [:], image: Image? = nil
    ) throws -> ContainerRights {
        var spec = spec
        spec["securityContext"] = ofPod
        let pod = Pod(KubeObject(["metadata": ["name": "p", "namespace": "n", "uid": "u"], "spec": spec]))
        return try ContainerRights(
            Container(["name": "c", "securityContext": own]), pod,
            image ?? Image(reference: "x:1", digest: "d"))
    }

    @Test("the container's word goes before that of its pod, and that before the image's")
    func precedence() throws {
        var image = Image(reference: "x:1", digest: "d", user: 5)
        image.group = 6
        #expect(try rights(image: image).user == 5)
        let ofPod: JSONValue = ["runAsUser": 10, "runAsGroup": 11, "fsGroup": 12, "supplementalGroups": [13, 14]]
        let both = try rights(["runAsUser": 20], ofPod: ofPod, image: image)
        #expect(both.user == 20 && both.security.group == 11 && both.security.supplementalGroups == [12, 13, 14])
    }

    @Test("switches of the container arrive")
    func switches() throws {
        let security = try rights(
            [
                "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false, "procMount": "Unmasked",
                "seccompProfile": ["type": "Unconfined"], "capabilities": ["drop": ["ALL"], "add": ["NET_ADMIN"]],
            ], ["shareProcessNamespace": true]
        ).security
        #expect(security.hasReadOnlyRoot && !security.allowsPrivilegeEscalation && !security.hasMaskedProc)
        #expect(!security.isSystemCallFiltered && security.capabilities.list == ["NET_ADMIN"])
        #expect(security.processes == .pod)
        #expect(try rights().security == ContainerSecurity())
    }

    @Test(
        "a root that is not wanted is refused in the kubelet's words",
        arguments: [
            (["runAsUser": 0], nil, "container's runAsUser breaks non-root policy"),
            ([:], nil, "container has runAsNonRoot and image will run as root"),
            (
                [:], "app",
                "container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root"
            ),
        ] as [(JSONValue, String?, String)])
    func nonRoot(own: JSONValue, name: String?, message: String) throws {
        var image = Image(reference: "x:1", digest: "d", user: name == nil ? nil : 1000)
        image.userName = name
        let error = #expect(throws: ConfigurationError.self) {
            try rights(own, ofPod: ["runAsNonRoot": true], image: image)
        }
        #expect(error == ConfigurationError(message: message + " (pod: \"p_n(u)\", container: c)"))
        #expect(try rights(["runAsUser": 1], ofPod: ["runAsNonRoot": true], image: image).user == 1)
    }

    @Test("what is not given is said")
    func reductions() throws {
        let found = try rights(
            ["privileged": true, "capabilities": ["add": ["SYS_ADMIN", "NET_ADMIN"]]], ["hostPID": true])
        #expect(
            found.reductions == [
                "capabilities not given: SYS_ADMIN",
                "privileged containers get all rights that reach no further than their pod, and no others",
                "hostPID is not given: the pod has a namespace of its own",
            ])
        #expect(found.security.capabilities == .possible && !found.security.isSystemCallFiltered)
        let error = #expect(throws: ConfigurationError.self) {
            try rights(["seccompProfile": ["type": "Localhost", "localhostProfile": "a.json"]])
        }
        #expect(error?.reason == "CreateContainerError")
    }

    @Test("mounts that are to spread do not, and an event says so", arguments: [("Bidirectional", 1), ("None", 0)])
    func propagation(_ mode: String, _ count: Int) throws {
        let container: JSONValue = ["name": "c", "volumeMounts": [["name": "v", "mountPropagation": .string(mode)]]]
        let pod = Pod(KubeObject(["metadata": ["name": "p"], "spec": [:]]))
        let image = Image(reference: "x:1", digest: "d")
        #expect(try ContainerRights(Container(container), pod, image).reductions.count == count)
    }

    @Test(
        "who has asked for least memory goes first when it is full",
        arguments: [
            ([:], 1000), (["requests": ["cpu": "1"]], 999), (["requests": ["memory": "1Gi"]], 750),
            (["requests": ["memory": "1"]], 999), (["limits": ["memory": "1Gi", "cpu": "1"]], 3),
        ] as [(JSONValue, Int)])
    func outOfMemory(_ resources: JSONValue, _ score: Int) throws {
        let container: JSONValue = ["name": "c", "resources": resources]
        let pod = Pod(KubeObject(["metadata": ["name": "p"], "spec": ["containers": [container]]]))
        let capacity = ["memory": try #require(Quantity(parsing: "4Gi"))]
        #expect(OutOfMemoryScore.of(Container(container), pod, capacity) == score)
    }

    private func hostName(_ spec: JSONValue, name: String = "web-0") -> PodHostName {
        PodHostName(Pod(KubeObject(["metadata": ["name": .string(name), "namespace": "n"], "spec": spec])))
    }

    @Test("a pod calls itself by its name, by its host name, or in full")
    func hostNames() {
        #expect(hostName([:]).shown == "web-0")
        #expect(hostName(["hostname": "h", "subdomain": "s"]).shown == "h")
        #expect(hostName(["hostname": "h", "subdomain": "s"]).full == "h.s.n.svc.cluster.local")
        let full = hostName(["subdomain": "s", "setHostnameAsFQDN": true])
        #expect(full.shown == "web-0.s.n.svc.cluster.local" && full.obstacle == nil)
        #expect(hostName([:], name: String(repeating: "a", count: 62) + "-b").shown.utf8.count == 62)
        let long = hostName(["subdomain": .string(String(repeating: "s", count: 60)), "setHostnameAsFQDN": true])
        #expect(long.obstacle?.hasSuffix("is too long (64 characters is the max, 86 characters requested)") == true)
    }

    @Test("a pod that waits for a user that is not root says so; a setting that is not safe is refused")
    func cluster() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let pod = try await bed.makePod("root", ["securityContext": ["runAsNonRoot": true, "runAsUser": 0]])
            _ = try await bed.version(from: pod, "CreateContainerConfigError") {
                $0.containerStatuses.first?[["state", "waiting", "reason"]]?.string == "CreateContainerConfigError"
            }
            try await bed.event("Failed", "Error: container's runAsUser breaks non-root policy", about: pod)
            let other = try await bed.makePod(
                "loud", ["securityContext": ["sysctls": [["name": "kernel.msgmax", "value": "1"]]]])
            let refused = try await bed.version(from: other, "refused") { $0.phase == "Failed" }
            #expect(refused.value[["status", "reason"]] == "SysctlForbidden")
            #expect(
                refused.value[["status", "message"]]
                    == "Pod was rejected: forbidden sysctl: \"kernel.msgmax\" not allowlisted")
        }
    }
}
