import ContainerRuntime
import KubeClient
import KubeModel
import Testing

@Suite("A pod's life", .timeLimit(.minutes(5))) struct PodLifeTests {
    @Test("a bound pod goes from Pending to Running, with its conditions, address and container status")
    func start() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let made = try await bed.makePod()
            let pending = try await bed.version(from: made, "pending") { !$0.containerStatuses.isEmpty }
            #expect(Pod(pending).phase == "Pending")
            #expect(Pod(pending).waitingReason() == "ContainerCreating")
            #expect(Pod(pending).conditions["PodScheduled"]?.isTrue == true)
            #expect(Pod(pending).conditions["Ready"]?.reason == "ContainersNotReady")
            #expect(Pod(pending).conditions["Ready"]?.message == "containers with unready status: [main]")
            let pod = Pod(try await bed.ready(pending))
            #expect(pod.phase == "Running")
            for type in ["PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"] {
                #expect(pod.conditions[type]?.isTrue == true, "\(type)")
            }
            #expect(pod.podIP == bed.addresses.taken[made.uid])
            #expect(pod.object.value[["status", "hostIP"]] == "192.0.2.1")
            #expect(pod.object.value[["status", "startTime"]]?.string != nil)
            let status = pod.status()
            #expect(status["containerID"] == .string("velocity://\(ContainerID("main-0").digits)"))
            #expect(status["imageID"] == "sha256:web:1.0")
            #expect(status["image"] == "web:1.0")
            #expect(status["started"] == true)
            #expect(status["ready"] == true)
            #expect(status["restartCount"] == 0)
            #expect(status[["state", "running", "startedAt"]]?.string != nil)
        }
    }

    @Test("a start is told in the events Pulling, Pulled, Created and Started, in this order")
    func startEvents() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let pod = try await bed.makePod()
            let started = try await bed.event("Started", "Started container main", about: pod)
            #expect(started.value[["involvedObject", "fieldPath"]] == "spec.containers{main}")
            #expect(started.value[["source", "component"]] == "kubelet")
            let events = try await bed.events(about: pod)
            #expect(
                events.map { $0.split(separator: ":")[0] } == ["Pulling", "Pulled", "Created", "Started"])
            #expect(events[0] == "Pulling: Pulling image \"web:1.0\"")
            #expect(events[1].hasPrefix("Pulled: Successfully pulled image \"web:1.0\" in "))
            #expect(events[2] == "Created: Created container: main")
        }
    }

    @Test("the sandbox comes before the containers, with the pod's names and its address")
    func sandbox() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let spec: JSONValue = [
                "hostname": "alpha", "subdomain": "team",
                "hostAliases": [["ip": "192.0.2.9", "hostnames": ["a", "b"]]],
            ]
            let pod = try await bed.ready(try await bed.makePod("web", spec))
            #expect(
                bed.runtime.calls == [
                    .runSandbox(podUID: pod.uid), .pull("web:1.0"), .start("main", attempt: 0),
                ])
            let sandbox = try #require(bed.runtime.sandboxes.first)
            #expect(sandbox.name == "web")
            #expect(sandbox.namespace == "default")
            #expect(sandbox.hostName == "alpha")
            #expect(sandbox.address == Pod(pod).podIP)
            #expect(sandbox.resolverConfiguration == "search default.svc.cluster.local\n")
            #expect(sandbox.hosts.contains("\(sandbox.address)\talpha.team.default.svc.cluster.local\talpha\n"))
            #expect(sandbox.hosts.contains("192.0.2.9\ta\tb\n"))
            #expect(sandbox.hosts.contains("127.0.0.1\tlocalhost\n"))
            #expect(sandbox.hosts.contains("fe00::2\tip6-allrouters\n"))
        }
    }

    @Test("a pod in the node's network has the node's address and name, and takes none of those for pods")
    func nodeNetwork() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let pod = Pod(try await bed.ready(try await bed.makePod("web", ["hostNetwork": true])))
            #expect(pod.podIP == "192.0.2.1")
            #expect(bed.addresses.taken.isEmpty)
            let sandbox = try #require(bed.runtime.sandboxes.first)
            #expect(sandbox.isInNodeNetwork)
            #expect(sandbox.hostName == "n1")
            #expect(sandbox.hosts.hasPrefix("# Kubernetes-managed hosts file (host network).\n"))
            #expect(sandbox.hosts.contains("192.0.2.1\tn1\n"))
            let environment = try #require(bed.runtime.configuration(of: "main")?.environment)
            #expect(environment.contains("HOSTNAME=n1"))
        }
    }

    @Test("a sandbox that cannot be made is told in an event, and tried again")
    func sandboxFailure() async throws {
        let bed = try KubeletBed()
        bed.runtime.failSandboxes(1)
        try await bed.run {
            let pod = try await bed.makePod()
            try await bed.event("FailedCreatePodSandBox", "no room for a sandbox", about: pod)
            _ = try await bed.ready(pod)
        }
    }

    @Test("a class of runtime that the node does not have is told in an event", arguments: ["runsc", "runc"])
    func runtimeClass(handler: String) async throws {
        let bed = try KubeletBed()
        var kind = KubeObject(.runtimeClasses, name: "other")
        kind.value["handler"] = .string(handler)
        _ = try await bed.client.create(.runtimeClasses, kind)
        try await bed.run {
            let pod = try await bed.makePod("web", ["runtimeClassName": "other"])
            guard handler != "runc" else {
                _ = try await bed.ready(pod)
                return
            }
            try await bed.event("FailedCreatePodSandBox", "no runtime for \"runsc\" is configured", about: pod)
            #expect(bed.runtime.calls.isEmpty)
        }
    }

    @Test(
        "what a container runs is its command and arguments, or else the image's",
        arguments: [
            (nil, nil, ["/entry", "serve"]), (["run"], nil, ["run"]), (nil, ["x"], ["/entry", "x"]),
            (["run"], ["x"], ["run", "x"]),
        ] as [([JSONValue]?, [JSONValue]?, [String])])
    func arguments(command: [JSONValue]?, arguments: [JSONValue]?, expected: [String]) async throws {
        let bed = try KubeletBed()
        var container: JSONValue = ["name": "main", "image": "web:1.0"]
        if let command { container["command"] = .array(command) }
        if let arguments { container["args"] = .array(arguments) }
        let spec: JSONValue = ["containers": [container]]
        try await bed.run {
            _ = try await bed.ready(try await bed.makePod("web", spec))
            #expect(bed.runtime.configuration(of: "main")?.arguments == expected)
        }
    }

    @Test("limits, user and folder of a container reach the runtime; what is open is filled in from the image")
    func configuration() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let spec: JSONValue = [
                "securityContext": ["runAsUser": 1000],
                "containers": [
                    [
                        "name": "main", "image": "web:1.0", "workingDir": "/data",
                        "resources": ["limits": ["memory": "64Mi", "cpu": "250m"]],
                    ], ["name": "other", "image": "web:1.0", "securityContext": ["runAsUser": 2000]],
                ],
            ]
            _ = try await bed.ready(try await bed.makePod("web", spec))
            let main = try #require(bed.runtime.configuration(of: "main"))
            #expect(main.resources.memoryLimitBytes == 64 << 20)
            #expect(main.resources.cpuLimitMillicores == 250)
            #expect(main.runAsUser == 1000)
            #expect(main.workingDirectory == "/data")
            let other = try #require(bed.runtime.configuration(of: "other"))
            #expect(other.resources.memoryLimitBytes == nil)
            #expect(other.runAsUser == 2000)
            #expect(other.workingDirectory == "/srv")
        }
    }

    @Test("the pod is ready when all of its containers are")
    func twoContainers() async throws {
        let bed = try KubeletBed()
        bed.runtime.removeImage("late:1.0")
        try await bed.run {
            let spec: JSONValue = [
                "containers": [["name": "main", "image": "web:1.0"], ["name": "late", "image": "late:1.0"]]
            ]
            let made = try await bed.makePod("web", spec)
            let half = try await bed.version(from: made, "half") { $0.isRunning() && $0.waitingReason("late") != nil }
            #expect(Pod(half).phase == "Pending")
            #expect(Pod(half).conditions["Ready"]?.message == "containers with unready status: [late]")
            bed.runtime.addImage("late:1.0")
            #expect(Pod(try await bed.ready(half)).phase == "Running")
        }
    }

    @Test("the kubelet's end kills the containers, and leaves the pods' objects as they are")
    func shutdown() async throws {
        let bed = try KubeletBed()
        let made = try await bed.makePod()
        try await bed.run { _ = try await bed.ready(made) }
        await bed.runtime.waitForCalls { $0.last == .removeSandbox(podUID: made.uid) }
        #expect(bed.runtime.calls.contains(.signal("main", 9)))
        let left = Pod(try await bed.client.get(.pods, "web", in: "default"))
        #expect(left.isRunning())
        #expect(left.isReady)
    }

    @Test("a new kubelet takes the pods up again: their containers count a restart, and their last end is Unknown")
    func takenUp() async throws {
        let bed = try KubeletBed()
        let made = try await bed.makePod()
        try await bed.run { _ = try await bed.ready(made) }
        try await bed.run {
            let again = Pod(try await bed.version(from: made, "again") { $0.restartCount == 1 && $0.isReady })
            #expect(again.status()[["lastState", "terminated", "exitCode"]] == 137)
            #expect(again.status()[["lastState", "terminated", "reason"]] == "Unknown")
            #expect(bed.runtime.calls.last == .start("main", attempt: 1))
        }
    }

    @Test("a new kubelet does not run a pod again that has ended")
    func endedStaysEnded() async throws {
        let bed = try KubeletBed()
        let made = try await bed.makePod("job", ["restartPolicy": "Never"])
        bed.runtime.planExits(of: "main", [0])
        try await bed.run {
            _ = try await bed.version(from: made, "ended") { $0.phase == "Succeeded" }
        }
        try await bed.run {
            _ = try await bed.ready(try await bed.makePod("other"))
            #expect(Pod(try await bed.client.get(.pods, "job", in: "default")).phase == "Succeeded")
            #expect(bed.runtime.sandboxes.map(\.name) == ["job", "other"])
            try await bed.delete(made)
            try await bed.waitUntilGone(made)
        }
    }
}
