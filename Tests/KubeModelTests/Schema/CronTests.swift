import KubeModel
import Testing

@Suite("CronJobs and their schedules", .timeLimit(.minutes(5))) struct CronTests {
    private func cronJob(_ schedule: String, more: String = "", name: String = "hello") -> String {
        """
        {"metadata": {"name": "\(name)"}, "spec": {"schedule": "\(schedule)"\(more.isEmpty ? "" : ", ")\(more),
        "jobTemplate": {"spec": {\(Fixture.template(spec: #""restartPolicy": "Never""#))}}}}
        """
    }

    @Test("a CronJob allows Jobs side by side, and keeps three that are done and one that failed")
    func defaults() throws {
        let spec = try Fixture.created(.cronJobs, cronJob("* * * * *")).value["spec"]
        #expect(spec?["concurrencyPolicy"] == "Allow")
        #expect(spec?["suspend"] == false)
        #expect(spec?["successfulJobsHistoryLimit"] == 3)
        #expect(spec?["failedJobsHistoryLimit"] == 1)
        #expect(spec?[["jobTemplate", "spec", "completions"]] == nil)
        #expect(spec?[["jobTemplate", "spec", "template", "spec", "dnsPolicy"]] == "ClusterFirst")
    }

    @Test(
        "a schedule that cannot be read is explained",
        arguments: [
            ("* * *", "expected exactly 5 fields, found 3: [* * *]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"), ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            ("x * * * *", #"failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax"#),
            ("* * * * 7", "end of range (7) above maximum (6): 7"), ("@never", "unrecognized descriptor: @never"),
            ("@every x", #"failed to parse duration @every x: time: invalid duration "x""#),
        ])
    func badSchedule(schedule: String, detail: String) throws {
        let shown = schedule.replacing("\"", with: "\\\"")
        #expect(
            try Fixture.refusals(.cronJobs, cronJob(schedule))
                == [#"spec.schedule: Invalid value: "\#(shown)": \#(detail)"#])
    }

    @Test(
        "other things a CronJob must not say",
        arguments: [
            (
                cronText("TZ=UTC * * * * *"),
                #"spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead"#
            ),
            (
                cronText("* * * * *", #""timeZone": "Mars/Olympus""#),
                #"spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus"#
            ),
            (
                cronText("* * * * *", #""concurrencyPolicy": "Maybe""#),
                #"spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace""#
            ),
            (cronText(""), "spec.schedule: Required value"),
            (
                cronText("* * * * *", #""startingDeadlineSeconds": -1"#),
                "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0"
            ),
        ])
    func refusals(text: String, error: String) throws {
        #expect(try Fixture.refusals(.cronJobs, text) == [error])
    }

    private static func cronText(_ schedule: String, _ more: String = "") -> String {
        CronTests().cronJob(schedule, more: more)
    }

    @Test("a name leaves room for the time that Jobs add to it")
    func longName() throws {
        let name = String(repeating: "a", count: 53)
        #expect(
            try Fixture.refusals(.cronJobs, cronJob("* * * * *", name: name))
                == [#"metadata.name: Invalid value: "\#(name)": must be no more than 52 characters"#])
    }

    @Test("the table shows schedule, zone and last run")
    func columns() throws {
        let line = try Fixture.line(.cronJobs, cronJob("*/5 * * * *")) {
            $0.value["status"] = ["lastScheduleTime": .string(Fixture.ago(61)), "active": [[:]]]
        }
        #expect(line == "hello|*/5 * * * *|<none>|False|1|61s|5m|web|web:1.0|<none>")
    }

    // MARK: Times

    @Test(
        "the next time of a schedule",
        arguments: [
            ("*/15 * * * *", "2026-05-04T13:37:10Z", "2026-05-04T13:45:00Z"),
            ("* * * * *", "2026-05-04T13:37:00Z", "2026-05-04T13:38:00Z"),
            ("30 4 * * *", "2026-05-04T13:37:00Z", "2026-05-05T04:30:00Z"),
            ("0 0 1 jan *", "2026-05-04T13:37:00Z", "2027-01-01T00:00:00Z"),
            ("0 0 29 2 *", "2026-05-04T13:37:00Z", "2028-02-29T00:00:00Z"),
            ("0 12 * * mon-fri", "2026-05-08T13:37:00Z", "2026-05-11T12:00:00Z"),
            // Both day fields: one is enough.
            ("0 0 13 * 5", "2026-05-04T00:00:00Z", "2026-05-08T00:00:00Z"),
            ("0-30/10 8,20 * * ?", "2026-05-04T08:20:00Z", "2026-05-04T08:30:00Z"),
            ("5/20 * * * *", "2026-05-04T08:06:00Z", "2026-05-04T08:25:00Z"),
            ("@hourly", "2026-05-04T13:37:00Z", "2026-05-04T14:00:00Z"),
            ("@weekly", "2026-05-04T13:37:00Z", "2026-05-10T00:00:00Z"),
            ("@every 1h30m", "2026-05-04T13:37:05Z", "2026-05-04T15:07:05Z"),
            ("0 0 30 2 *", "2026-05-04T13:37:00Z", nil),
        ] as [(String, String, String?)])
    func next(schedule: String, after: String, expected: String?) throws {
        let moment = try #require(Timestamp(parsing: after))
        #expect(try CronSchedule(parsing: schedule).next(after: moment, in: .utc)?.text == expected)
    }

    /// Central Europe as its rule says: an hour ahead, two from the last Sunday of March to that of October.
    private func berlin() throws -> TimeZoneRules {
        var file = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
        let header = file
        file += [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4]
        let type: [UInt8] = [0, 0, 0x0E, 0x10, 0, 0] + Array("CET".utf8) + [0]
        file += type
        file += header + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4] + type
        return try #require(TimeZoneRules(file: file + Array("\nCET-1CEST,M3.5.0,M10.5.0/3\n".utf8)))
    }

    @Test(
        "local time decides, through changes of the clock",
        arguments: [
            ("0 9 * * *", "2026-01-10T12:00:00Z", "2026-01-11T08:00:00Z"),
            ("0 9 * * *", "2026-07-10T12:00:00Z", "2026-07-11T07:00:00Z"),
            // 02:30 does not exist on 29 March 2026.
            ("30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"),
            ("0 0 * * *", "2026-03-28T23:30:00Z", "2026-03-29T22:00:00Z"),
            ("0 0 * * *", "2026-10-24T22:30:00Z", "2026-10-25T23:00:00Z"),
        ])
    func zones(schedule: String, after: String, expected: String) throws {
        let moment = try #require(Timestamp(parsing: after))
        #expect(try CronSchedule(parsing: schedule).next(after: moment, in: berlin())?.text == expected)
    }

    @Test("names that lead out of the time zone database are unknown")
    func names() {
        #expect(TimeZoneRules.named("../../etc/passwd") == nil)
        #expect(TimeZoneRules.named("/etc/localtime") == nil)
        #expect(TimeZoneRules.named("UTC") == .utc)
    }
}
