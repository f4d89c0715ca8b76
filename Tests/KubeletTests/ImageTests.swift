import ContainerRuntime
import KubeClient
import KubeModel
import Testing

@Suite("Images", .timeLimit(.minutes(5))) struct ImageTests {
    @Test("an image that does not exist is ErrImagePull, then ImagePullBackOff, and is found when it comes")
    func unknown() async throws {
        let bed = try KubeletBed()
        bed.runtime.removeImage("web:1.0")
        try await bed.run {
            let made = try await bed.makePod()
            let failed = try await bed.version(from: made, "failed") { $0.waitingReason() == "ErrImagePull" }
            #expect(Pod(failed).status()[["state", "waiting", "message"]] == "there is no image 'web:1.0'")
            #expect(Pod(failed).phase == "Pending")
            let backingOff = try await bed.version(from: failed, "back-off") {
                $0.waitingReason() == "ImagePullBackOff"
            }
            #expect(
                Pod(backingOff).status()[["state", "waiting", "message"]]
                    == "Back-off pulling image \"web:1.0\": ErrImagePull: there is no image 'web:1.0'")
            #expect(Pod(backingOff).phase == "Pending")
            #expect(Pod(backingOff).restartCount == 0)
            bed.runtime.addImage("web:1.0")
            _ = try await bed.ready(backingOff)
        }
    }

    private func setImage(_ image: String, of pod: KubeObject, _ bed: KubeletBed) async throws {
        let patch: JSONValue = ["spec": ["containers": [["name": "main", "image": .string(image)]]]]
        _ = try await bed.client.patch(
            .pods, namespace: pod.namespace, name: pod.name, ObjectPatch(.strategic, patch),
            subresource: nil, options: WriteOptions())
    }

    @Test("another image ends the wait for one that does not come")
    func corrected() async throws {
        let bed = try KubeletBed(timeFactor: 0.01)
        bed.runtime.removeImage("web:none")
        try await bed.run {
            let spec: JSONValue = ["containers": [["name": "main", "image": "web:none"]]]
            let made = try await bed.makePod("web", spec)
            let waiting = try await bed.version(from: made, "back-off") { $0.waitingReason() == "ImagePullBackOff" }
            try await setImage("web:1.0", of: waiting, bed)
            let pod = Pod(try await bed.ready(waiting))
            #expect(pod.status()["image"] == "web:1.0")
            #expect(pod.restartCount == 0)
        }
    }

    @Test("another image ends the wait of a container that crashed")
    func repaired() async throws {
        let bed = try KubeletBed(timeFactor: 0.01)
        bed.runtime.planExits(of: "main", [1, 2])
        try await bed.run {
            let made = try await bed.makePod()
            let waiting = try await bed.version(from: made, "back-off") { $0.waitingReason() == "CrashLoopBackOff" }
            try await setImage("web:2.0", of: waiting, bed)
            let pod = Pod(try await bed.ready(waiting))
            #expect(pod.status()["image"] == "web:2.0")
            #expect(pod.restartCount == 2)
        }
    }

    @Test("a container that runs is replaced by one with the new image", arguments: ["Always", "Never"])
    func replaced(policy: String) async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let running = try await bed.ready(try await bed.makePod("web", ["restartPolicy": .string(policy)]))
            try await setImage("web:2.0", of: running, bed)
            let again = try await bed.version(from: running, "replaced") { $0.restartCount == 1 && $0.isReady }
            #expect(Pod(again).status()["image"] == "web:2.0")
            #expect(bed.runtime.configuration(of: "main")?.image.reference == "web:2.0")
            try await bed.event("Killing", "Container main definition changed, will be restarted", about: again)
        }
    }

    @Test("a failed pull is told in the events Failed and BackOff")
    func events() async throws {
        let bed = try KubeletBed()
        bed.runtime.removeImage("web:1.0")
        try await bed.run {
            let pod = try await bed.makePod()
            let last = try await bed.event("Failed", "Error: ImagePullBackOff", about: pod)
            #expect(last.value["type"] == "Warning")
            let backOff = try await bed.event("BackOff", about: pod)
            #expect(backOff.value["type"] == "Normal")
            let events = try await bed.events(about: pod).prefix(5)
            #expect(
                Array(events) == [
                    "Pulling: Pulling image \"web:1.0\"",
                    "Failed: Failed to pull image \"web:1.0\": there is no image 'web:1.0'",
                    "Failed: Error: ErrImagePull", "BackOff: Back-off pulling image \"web:1.0\"",
                    "Failed: Error: ImagePullBackOff",
                ])
        }
    }

    @Test("the repeats of an event count up in one object")
    func repeats() async throws {
        let bed = try KubeletBed()
        bed.runtime.removeImage("web:1.0")
        try await bed.run {
            let pod = try await bed.makePod()
            let events = try await bed.client.waitFor(.events, namespace: "default", timeout: KubeletBed.patience) {
                $0.contains { $0.value["reason"] == "BackOff" && $0.value["count"]?.int ?? 0 >= 2 }
            }
            let backOffs = events?.filter { $0.value["reason"] == "BackOff" }
            #expect(backOffs?.count == 1)
            #expect(backOffs?.first?.value[["involvedObject", "uid"]]?.string == pod.uid)
        }
    }

    @Test("a reference that is none is InvalidImageName")
    func invalid() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let pod = try await bed.makePod("web", ["containers": [["name": "main", "image": "Web:1.0"]]])
            let failed = try await bed.version(from: pod, "refused") { $0.waitingReason() == "InvalidImageName" }
            let message =
                "Failed to apply default image tag \"Web:1.0\": couldn't parse image name \"Web:1.0\": invalid reference format:"
                + " repository name (library/Web) must be lowercase"
            #expect(Pod(failed).status()[["state", "waiting", "message"]]?.string == message)
            try await bed.event("InspectFailed", message, about: pod)
            try await bed.event("Failed", "Error: InvalidImageName", about: pod)
        }
    }

    @Test("policy Never runs only what is there: ErrImageNeverPull before, and no pull after")
    func never() async throws {
        let bed = try KubeletBed()
        let spec: JSONValue = ["containers": [["name": "main", "image": "web:1.0", "imagePullPolicy": "Never"]]]
        try await bed.run {
            let pod = try await bed.makePod("web", spec)
            let failed = try await bed.version(from: pod, "refused") { $0.waitingReason() == "ErrImageNeverPull" }
            let message = "Container image \"web:1.0\" is not present with pull policy of Never"
            #expect(Pod(failed).status()[["state", "waiting", "message"]]?.string == message)
            try await bed.event("ErrImageNeverPull", message, about: pod)
            try await bed.event("Failed", "Error: ErrImageNeverPull", about: pod)
            _ = try await bed.ready(try await bed.makePod("other"))
            _ = try await bed.ready(failed)
            try await bed.event("Pulled", "Container image \"web:1.0\" already present on machine", about: pod)
        }
    }

    @Test("an image that was loaded or built is there without a pull", arguments: ["Never", "IfNotPresent"])
    func brought(policy: String) async throws {
        let bed = try KubeletBed()
        bed.runtime.bringImage("web:1.0")
        let spec: JSONValue = [
            "containers": [["name": "main", "image": "web:1.0", "imagePullPolicy": .string(policy)]]
        ]
        try await bed.run {
            let pod = try await bed.ready(try await bed.makePod("web", spec))
            try await bed.event("Started", about: pod)
            let events = try await bed.events(about: pod)
            #expect(events.contains("Pulled: Container image \"web:1.0\" already present on machine"))
            #expect(!events.contains { $0.hasPrefix("Pulling") })
            #expect(Pod(pod).status()["imageID"] == "sha256:web:1.0")
        }
    }

    @Test(
        "an image that is there is pulled again with policy Always only",
        arguments: [("Always", true), ("IfNotPresent", false)])
    func present(policy: String, pulls: Bool) async throws {
        let bed = try KubeletBed()
        let spec: JSONValue = [
            "containers": [["name": "main", "image": "web:1.0", "imagePullPolicy": .string(policy)]]
        ]
        try await bed.run {
            _ = try await bed.ready(try await bed.makePod("first"))
            let second = try await bed.ready(try await bed.makePod("second", spec))
            try await bed.event("Started", about: second)
            let reasons = try await bed.events(about: second).map { $0.split(separator: ":")[0] }
            #expect(reasons.contains("Pulling") == pulls)
            #expect(reasons.contains("Pulled"))
        }
    }

    @Test("a pull has the logins of the pod's secrets, and an event names those that are not there")
    func secrets() async throws {
        let bed = try KubeletBed()
        let auths: JSONValue = ["auths": ["r.io": ["username": "u", "password": "p"]]]
        let secret: JSONValue = [
            "metadata": ["name": "login", "namespace": "default"], "type": "kubernetes.io/dockerconfigjson",
            "stringData": [".dockerconfigjson": .string(auths.text)],
        ]
        var keyring = RegistryKeyring()
        keyring.add(RegistryLogin(user: "u", password: "p"), for: "r.io")
        try await bed.run { [keyring] in
            _ = try await bed.client.create(.secrets, KubeObject(secret))
            let made = try await bed.makePod(
                "web", ["imagePullSecrets": [["name": "gone"], ["name": "login"], ["name": ""]]])
            _ = try await bed.ready(made)
            #expect(bed.runtime.keyring == keyring)
            try await bed.event(
                "FailedToRetrieveImagePullSecret",
                "Unable to retrieve some image pull secrets (gone); attempting to pull the image may not succeed.",
                about: made)
        }
    }
}
