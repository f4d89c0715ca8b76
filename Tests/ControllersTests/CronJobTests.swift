import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import Controllers

@Suite("CronJob controller", .timeLimit(.minutes(5))) struct CronJobTests {
    private func cron(_ spec: JSONValue = [:], created: String = "2026-05-04T13:00:00Z", last: String? = nil) -> CronJob
    {
        var object = KubeObject(.cronJobs, namespace: "default", name: "hello")
        object.value[["metadata", "creationTimestamp"]] = .string(created)
        object.value["spec"] = spec
        if let last { object.value[["status", "lastScheduleTime"]] = .string(last) }
        return CronJob(object)
    }

    private func plan(_ cron: CronJob, _ schedule: String, now: String) throws -> CronJobPlan {
        CronJobPlan(
            cron, try CronSchedule(parsing: schedule), in: .utc, now: try #require(Timestamp(parsing: now)))
    }

    @Test("nothing is due before the first time; then that time is")
    func due() throws {
        let early = try plan(cron(), "30 * * * *", now: "2026-05-04T13:29:59Z")
        #expect(early.due == nil)
        #expect(early.next?.text == "2026-05-04T13:30:00Z")
        let late = try plan(cron(), "30 * * * *", now: "2026-05-04T13:30:02Z")
        #expect(late.due?.text == "2026-05-04T13:30:00Z")
        #expect(late.next?.text == "2026-05-04T14:30:00Z")
    }

    @Test("of several missed times the last is due")
    func missed() throws {
        let plan = try plan(
            cron(last: "2026-05-04T13:10:00Z"), "*/5 * * * *", now: "2026-05-04T13:31:00Z")
        #expect(plan.due?.text == "2026-05-04T13:30:00Z")
        #expect(!plan.hasMissedMany)
    }

    @Test("after more than a hundred missed times the last is still found, and said aloud")
    func missedMany() throws {
        let plan = try plan(
            cron(last: "2026-04-01T00:00:00Z"), "*/5 * * * *", now: "2026-05-04T13:31:00Z")
        #expect(plan.due?.text == "2026-05-04T13:30:00Z")
        #expect(plan.hasMissedMany)
    }

    @Test("what is later than the deadline is not due any more")
    func deadline() throws {
        let cron = cron(["startingDeadlineSeconds": 20], last: "2026-05-04T13:00:00Z")
        #expect(try plan(cron, "30 * * * *", now: "2026-05-04T13:31:00Z").due == nil)
        #expect(try plan(cron, "30 * * * *", now: "2026-05-04T13:30:10Z").due?.text == "2026-05-04T13:30:00Z")
    }

    @Test("a Job's name tells its minute")
    func name() throws {
        let time = try #require(Timestamp(parsing: "2026-05-04T13:30:00Z"))
        #expect(CronJobPlan.jobName(cron(), at: time) == "hello-\(time.seconds / 60)")
    }

    @Test("a time is written with its zone")
    func zone() throws {
        let time = try #require(Timestamp(parsing: "2026-05-04T13:30:00Z"))
        #expect(time.text(offset: 7200) == "2026-05-04T15:30:00+02:00")
        #expect(time.text(offset: -12_600) == "2026-05-04T10:00:00-03:30")
        #expect(time.text(offset: 0) == "2026-05-04T13:30:00Z")
    }

    // MARK: In a cluster

    private func make(_ fixture: Fixture, _ spec: JSONValue = [:]) async throws -> KubeObject {
        var object = KubeObject(.cronJobs, namespace: "default", name: "hello")
        object.value["spec"] = spec
        object.value[["spec", "schedule"]] = "@every 1s"
        object.value[["spec", "jobTemplate", "metadata", "labels", "app"]] = "hello"
        object.value[["spec", "jobTemplate", "spec", "template", "spec"]] = [
            "restartPolicy": "Never", "containers": [["name": "main", "image": "hello:1.0"]],
        ]
        return try await fixture.client.create(.cronJobs, object)
    }

    @Test("when it is time a Job is started, followed and cleared away")
    func life() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let cron = try await make(fixture, ["concurrencyPolicy": "Forbid", "successfulJobsHistoryLimit": 0])
            let jobs = try await fixture.waitAll(.jobs, selector: "app=hello") { !$0.isEmpty }
            let job = jobs[0]
            #expect(job.controllerOwner?.uid == cron.uid)
            #expect(job.annotations[CronJobReconciler.timeAnnotation] != nil)
            try await fixture.wait(.cronJobs, "hello") {
                CronJob($0).active.first?["name"]?.string == job.name && CronJob($0).lastScheduleTime != nil
            }
            // Suspended, so that no other Job comes in between.
            try await fixture.patch(.cronJobs, "hello", ["spec": ["suspend": true]])
            let pods = try await fixture.waitAll(.pods) { $0.count == 1 && Pod($0[0]).isReady }
            try await fixture.node.setPhase("Succeeded", pods[0].name)
            try await fixture.waitGone(.jobs, job.name)
            try await fixture.wait(.cronJobs, "hello") {
                CronJob($0).active.isEmpty && $0.value[["status", "lastSuccessfulTime"]] != nil
            }
            #expect(
                try await fixture.messages("SawCompletedJob", about: "hello", count: 1)
                    == ["Saw completed job: \(job.name), condition: Complete"])
            #expect(
                try await fixture.messages("SuccessfulCreate", about: "hello", count: 1).first
                    == "Created job \(job.name)")
        }
    }

    @Test("a suspended CronJob starts nothing until it is resumed")
    func suspended() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await make(fixture, ["suspend": true])
            #expect(try await fixture.client.list(.jobs, in: "default").items.isEmpty)
            try await fixture.patch(.cronJobs, "hello", ["spec": ["suspend": false]])
            try await fixture.waitAll(.jobs) { !$0.isEmpty }
        }
    }
}
