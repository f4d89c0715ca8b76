import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Job controller", .timeLimit(.minutes(5))) struct JobTests {
    private func make(_ fixture: Fixture, _ spec: JSONValue = [:], restart: JSONValue = "Never") async throws
        -> KubeObject
    {
        var job = KubeObject(.jobs, namespace: "default", name: "pi")
        job.value["spec"] = spec
        job.value[["spec", "template", "spec"]] = [
            "restartPolicy": restart, "containers": [["name": "main", "image": "pi:1.0"]],
        ]
        return try await fixture.client.create(.jobs, job)
    }

    private func running(_ pods: [KubeObject]) -> [KubeObject] { pods.filter { Pod($0).isActive && Pod($0).isReady } }

    /// Waits for so many running pods of the Job, and returns them.
    private func waitRunning(_ fixture: Fixture, _ count: Int, but others: Set<String> = []) async throws
        -> [KubeObject]
    {
        let pods = try await fixture.waitAll(.pods, selector: "job-name=pi") { pods in
            pods.filter { Pod($0).isActive && Pod($0).isReady && !others.contains($0.name) }.count == count
        }
        return running(pods).filter { !others.contains($0.name) }
    }

    private func waitCondition(_ fixture: Fixture, _ type: String) async throws -> Job {
        Job(try await fixture.wait(.jobs, "pi") { Job($0).conditions[type]?.isTrue ?? false })
    }

    @Test("a Job is complete when its pod has succeeded, and lets the pod go")
    func complete() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let object = try await make(fixture)
            let pod = try await waitRunning(fixture, 1)[0]
            #expect(pod.finalizers == [Job.finalizer])
            try await fixture.wait(.jobs, "pi") {
                $0.value[["status", "active"]] == 1 && $0.value[["status", "ready"]] == 1
            }
            try await fixture.node.setPhase("Succeeded", pod.name)
            let job = try await waitCondition(fixture, "Complete")
            #expect(job.status["succeeded"] == 1)
            #expect(job.status["active"] == nil)
            #expect(job.status["uncountedTerminatedPods"] == [:])
            #expect(job.status["completionTime"] != nil)
            #expect(job.conditions.list.map(\.type) == ["SuccessCriteriaMet", "Complete"])
            #expect(job.conditions["Complete"]?.message == "Reached expected number of succeeded pods")
            try await fixture.wait(.pods, pod.name) { $0.finalizers.isEmpty }
            #expect(try await fixture.messages("Completed", about: object.name, count: 1) == ["Job completed"])
            #expect(
                try await fixture.messages("SuccessfulCreate", about: object.name, count: 1)
                    == ["Created pod: \(pod.name)"])
        }
    }

    @Test("of many completions only so many run at a time")
    func parallelism() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await make(fixture, ["completions": 3, "parallelism": 2])
            let first = try await waitRunning(fixture, 2)
            for pod in first { try await fixture.node.setPhase("Succeeded", pod.name) }
            let last = try await waitRunning(fixture, 1, but: Set(first.map(\.name)))
            try await fixture.node.setPhase("Succeeded", last[0].name)
            #expect(try await waitCondition(fixture, "Complete").status["succeeded"] == 3)
            #expect(try await fixture.pods().count == 3)
        }
    }

    @Test("too many failures end the Job")
    func backoffLimit() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let object = try await make(fixture, ["backoffLimit": 1])
            let first = try await waitRunning(fixture, 1)[0]
            try await fixture.node.setPhase("Failed", first.name)
            let second = try await waitRunning(fixture, 1, but: [first.name])[0]
            try await fixture.node.setPhase("Failed", second.name)
            let job = try await waitCondition(fixture, "Failed")
            #expect(job.status["failed"] == 2)
            #expect(job.conditions.list.map(\.type) == ["FailureTarget", "Failed"])
            #expect(job.conditions["Failed"]?.reason == "BackoffLimitExceeded")
            #expect(
                try await fixture.messages("BackoffLimitExceeded", about: object.name, count: 1)
                    == ["Job has reached the specified backoff limit"])
        }
    }

    @Test("a Job that is over time is ended with its pods")
    func deadline() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await make(fixture, ["activeDeadlineSeconds": 1])
            let job = try await waitCondition(fixture, "Failed")
            #expect(job.conditions["Failed"]?.reason == "DeadlineExceeded")
            #expect(job.conditions["Failed"]?.message == "Job was active longer than specified deadline")
            try await fixture.waitAll(.pods) { $0.isEmpty }
        }
    }

    @Test("an indexed Job gives each pod a number, and knows which are done")
    func indexed() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await make(fixture, ["completionMode": "Indexed", "completions": 3, "parallelism": 3])
            let pods = try await waitRunning(fixture, 3)
            let byIndex = Dictionary(
                uniqueKeysWithValues: pods.map { ($0.labels[Job.indexLabel] ?? "", $0) })
            #expect(byIndex.keys.sorted() == ["0", "1", "2"])
            let one = try #require(byIndex["1"])
            #expect(one.name.hasPrefix("pi-1-"))
            #expect(one.value[["spec", "hostname"]] == "pi-1")
            let environment = Pod(one).containers.first?.value["env"]?.array?.first
            #expect(environment?["name"] == "JOB_COMPLETION_INDEX")
            try await fixture.node.setPhase("Failed", try #require(byIndex["0"]).name)
            for index in ["1", "2"] { try await fixture.node.setPhase("Succeeded", try #require(byIndex[index]).name) }
            let again = try await waitRunning(fixture, 1, but: Set(pods.map(\.name)))[0]
            #expect(again.labels[Job.indexLabel] == "0")
            try await fixture.wait(.jobs, "pi") { $0.value[["status", "completedIndexes"]] == "1,2" }
            try await fixture.node.setPhase("Succeeded", again.name)
            #expect(try await waitCondition(fixture, "Complete").status["completedIndexes"] == "0-2")
        }
    }

    @Test("a suspended Job has no pods; resumed, it has them again and no failures")
    func suspend() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await make(fixture, ["suspend": true, "backoffLimit": 0])
            try await fixture.wait(.jobs, "pi") { Job($0).conditions["Suspended"]?.isTrue ?? false }
            #expect(try await fixture.pods().isEmpty)
            try await fixture.patch(.jobs, "pi", ["spec": ["suspend": false]])
            _ = try await waitRunning(fixture, 1)
            try await fixture.patch(.jobs, "pi", ["spec": ["suspend": true]])
            try await fixture.waitAll(.pods) { $0.isEmpty }
            let job = Job(
                try await fixture.wait(.jobs, "pi") {
                    Job($0).conditions["Suspended"]?.isTrue ?? false && $0.value[["status", "active"]] == nil
                })
            #expect(job.failed == 0)
            #expect(job.startTime == nil)
            try await fixture.patch(.jobs, "pi", ["spec": ["suspend": false]])
            _ = try await waitRunning(fixture, 1)
            let resumed = try await fixture.wait(.jobs, "pi") { Job($0).conditions["Suspended"]?.isTrue == false }
            #expect(Job(resumed).conditions["Suspended"]?.reason == "JobResumed")
        }
    }

    @Test("an exit code that a rule names ends the Job at once")
    func failurePolicy() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let rule: JSONValue = ["action": "FailJob", "onExitCodes": ["operator": "In", "values": [42]]]
            _ = try await make(fixture, ["podFailurePolicy": ["rules": [rule]]])
            let pod = try await waitRunning(fixture, 1)[0]
            let status: JSONValue = [
                "phase": "Failed",
                "containerStatuses": [["name": "main", "state": ["terminated": ["exitCode": 42]]]],
            ]
            _ = try await fixture.client.patch(
                .pods, namespace: "default", name: pod.name, .merge(["status": status]), subresource: "status",
                options: WriteOptions())
            let job = try await waitCondition(fixture, "Failed")
            #expect(job.conditions["Failed"]?.reason == "PodFailurePolicy")
            #expect(
                job.conditions["Failed"]?.message
                    == "Container main for pod default/\(pod.name) failed with exit code 42 matching FailJob rule at index 0"
            )
        }
    }

    @Test("a finished Job goes when its time to live is over, with its pods")
    func timeToLive() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await make(fixture, ["ttlSecondsAfterFinished": 0])
            let pod = try await waitRunning(fixture, 1)[0]
            try await fixture.node.setPhase("Succeeded", pod.name)
            try await fixture.waitGone(.jobs, "pi")
            try await fixture.waitAll(.pods) { $0.isEmpty }
        }
    }

    @Test("pods of a Job that is deleted go, although they were held")
    func deletion() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await make(fixture, ["parallelism": 2, "completions": 2])
            _ = try await waitRunning(fixture, 2)
            try await fixture.client.delete(
                .jobs, namespace: "default", name: "pi", options: DeleteOptions(propagation: .background))
            try await fixture.waitAll(.pods) { $0.isEmpty }
        }
    }
}
