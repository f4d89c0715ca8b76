import KubeModel
import Testing

@Suite("Jobs", .timeLimit(.minutes(5))) struct JobKindTests {
    private func job(_ spec: String = "", restart: String = "Never", labels: String = "{}") -> String {
        """
        {"metadata": {"name": "pi"}, "spec": {\(spec)\(spec.isEmpty ? "" : ", ")\
        \(Fixture.template(labels: labels, spec: #""restartPolicy": "\#(restart)""#))}}
        """
    }

    @Test("a Job runs one pod once, six failures at most, unless it says otherwise")
    func defaults() throws {
        let spec = try Fixture.created(.jobs, job()).value["spec"]
        #expect(spec?["completions"] == 1)
        #expect(spec?["parallelism"] == 1)
        #expect(spec?["backoffLimit"] == 6)
        #expect(spec?["completionMode"] == "NonIndexed")
        #expect(spec?["suspend"] == false)
        #expect(spec?["podReplacementPolicy"] == "TerminatingOrFailed")
        let parallel = try Fixture.created(.jobs, job(#""parallelism": 3"#)).value["spec"]
        #expect(parallel?["completions"] == nil)
        let indexed = try Fixture.created(
            .jobs, job(#""completionMode": "Indexed", "completions": 3, "backoffLimitPerIndex": 1"#))
        #expect(indexed.value[["spec", "backoffLimit"]] == 2_147_483_647)
    }

    @Test("the server makes the selector, and labels the pods and the Job by it")
    func selector() throws {
        let job = try Fixture.created(.jobs, job())
        let labels: JSONValue = [
            "controller-uid": "1234", "job-name": "pi", "batch.kubernetes.io/controller-uid": "1234",
            "batch.kubernetes.io/job-name": "pi",
        ]
        #expect(job.value[["spec", "selector"]] == ["matchLabels": ["batch.kubernetes.io/controller-uid": "1234"]])
        #expect(job.value[["spec", "template", "metadata", "labels"]] == labels)
        #expect(job.value[["metadata", "labels"]] == labels)
        #expect(job.value["status"] == [:])
        #expect(job.generation == 1)
        #expect(try Fixture.kind(.jobs).validate(job).map(\.description) == [])
    }

    @Test("a selector of one's own needs manualSelector")
    func manualSelector() throws {
        let own = #""selector": {"matchLabels": {"app": "web"}}"#
        let manual = try Fixture.created(
            .jobs, job(#""manualSelector": true, \#(own)"#, labels: #"{"app": "web"}"#))
        #expect(try Fixture.kind(.jobs).validate(manual) == [])
        #expect(manual.value[["spec", "template", "metadata", "labels"]] == ["app": "web"])
        #expect(try Fixture.refusals(.jobs, job(#""manualSelector": true"#)).first == "spec.selector: Required value")
        let foreign = try Fixture.refusals(.jobs, job(labels: #"{"job-name": "other"}"#))
        #expect(
            foreign.first?.hasPrefix("spec.template.metadata.labels[job-name]: Invalid value: map[string]string{")
                == true)
        #expect(foreign.first?.hasSuffix("must be 'pi'") == true)
    }

    @Test(
        "what a Job must not say",
        arguments: [
            (
                #""parallelism": -1"#, "Never",
                "spec.parallelism: Invalid value: -1: must be greater than or equal to 0"
            ),
            (
                #""completionMode": "Indexed", "parallelism": 1"#, "Never",
                "spec.completions: Required value: when completion mode is Indexed"
            ),
            (
                #""completionMode": "Some""#, "Never",
                #"spec.completionMode: Unsupported value: "Some": supported values: "NonIndexed", "Indexed""#
            ),
            (
                #""backoffLimitPerIndex": 1"#, "Never",
                "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"
            ),
            (
                "", "Always",
                #"spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#
            ),
            (
                #""podFailurePolicy": {"rules": []}"#, "OnFailure",
                #"spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified"#
            ),
            (
                #""podFailurePolicy": {"rules": [{"action": "FailJob"}]}"#, "Never",
                "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"
            ),
            (
                #""podFailurePolicy": {"rules": [{"onExitCodes": {"operator": "In", "values": [1]}}]}"#, "Never",
                #"spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]"#
            ),
            (
                #""podFailurePolicy": {"rules": [{"action": "Count", "onExitCodes": {"operator": "In", "values": [2, 1]}}]}"#,
                "Never",
                "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: []int32{2, 1}: must be ordered"
            ),
            (
                #""successPolicy": {"rules": [{"succeededIndexes": "0,2-9"}]}, "completionMode": "Indexed", "completions": 3"#,
                "Never",
                #"spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0,2-9": error parsing succeededIndexes: too large index: "9""#
            ),
            (
                #""managedBy": "me""#, "Never",
                #"spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")"#
            ),
        ])
    func refusals(spec: String, restart: String, text: String) throws {
        #expect(try Fixture.refusals(.jobs, job(spec, restart: restart)) == [text])
    }

    @Test("pods and number of a Job stay as they are")
    func immutable() throws {
        let completions = try Fixture.changed(.jobs, job(#""completions": 2"#)) {
            $0.value[["spec", "completions"]] = 3
        }
        #expect(completions.errors == ["spec.completions: Invalid value: 3: field is immutable"])
        let template = try Fixture.changed(.jobs, job()) { $0.value[["spec", "template", "spec", "hostname"]] = "x" }
        #expect(template.errors.count == 1)
        #expect(template.errors.first?.hasPrefix("spec.template: Invalid value: ") == true)
        #expect(template.errors.first?.hasSuffix(": field is immutable") == true)
        let parallelism = try Fixture.changed(.jobs, job()) { $0.value[["spec", "parallelism"]] = 3 }
        #expect(parallelism.errors == [])
        #expect(parallelism.object.generation == 2)
    }

    @Test("an indexed Job grows together with its parallelism")
    func elastic() throws {
        let text = job(#""completionMode": "Indexed", "completions": 2, "parallelism": 2"#)
        let both = try Fixture.changed(.jobs, text) {
            $0.value[["spec", "completions"]] = 4
            $0.value[["spec", "parallelism"]] = 4
        }
        #expect(both.errors == [])
        let one = try Fixture.changed(.jobs, text) { $0.value[["spec", "completions"]] = 4 }
        #expect(
            one.errors == ["spec.completions: Invalid value: 4: can only be modified in tandem with spec.parallelism"])
    }

    @Test("a suspended Job that never ran may still move to other nodes")
    func scheduling() throws {
        func move(_ job: inout KubeObject) { job.value[["spec", "template", "spec", "nodeSelector"]] = ["a": "b"] }
        #expect(try Fixture.changed(.jobs, job(#""suspend": true"#), nil) { move(&$0) }.errors == [])
        let started = try Fixture.changed(
            .jobs, job(#""suspend": true"#), nil, from: { $0.value["status"] = ["startTime": .string(Fixture.ago(9))] }
        ) { move(&$0) }
        #expect(started.errors.count == 1)
    }

    @Test("a status that cannot be is refused")
    func status() throws {
        let both = try Fixture.changed(.jobs, job(), "status") {
            $0.value["status"] = [
                "conditions": [
                    ["type": "Complete", "status": "True"], ["type": "SuccessCriteriaMet", "status": "True"],
                ],
                "active": 1, "startTime": .string(Fixture.ago(9)),
            ]
        }
        #expect(
            both.errors == [
                "status.completionTime: Required value: completionTime is required for Complete jobs",
                "status.active: Invalid value: 1: active>0 is invalid for finished job",
            ])
        let early = try Fixture.changed(.jobs, job(), "status") {
            $0.value["status"] = [
                "conditions": [["type": "Failed", "status": "True"]], "startTime": "2026-01-01T00:00:00Z",
            ]
        }
        #expect(
            early.errors == [
                "status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition"
            ])
    }

    @Test(
        "the table tells where a Job stands",
        arguments: [
            ("{}", "pi|Running|0/1||5m|web|web:1.0|<none>"),
            (
                #"{"startTime": "\#(Fixture.ago(65))", "succeeded": 1, "completionTime": "\#(Fixture.ago(60))", "conditions": [{"type": "Complete", "status": "True"}]}"#,
                "pi|Complete|1/1|5s|5m|web|web:1.0|<none>"
            ),
            (
                #"{"startTime": "\#(Fixture.ago(65))", "conditions": [{"type": "Suspended", "status": "True"}]}"#,
                "pi|Suspended|0/1|65s|5m|web|web:1.0|<none>"
            ),
        ])
    func columns(status: String, line: String) throws {
        let value = try Fixture.parse(status)
        #expect(try Fixture.line(.jobs, job()) { $0.value["status"] = value } == line)
    }

    @Test(
        "a zero that means something is kept",
        arguments: [
            "backoffLimit", "completions", "parallelism", "activeDeadlineSeconds", "ttlSecondsAfterFinished",
        ])
    func zeroes(member: String) throws {
        #expect(try Fixture.created(.jobs, job(#""\#(member)": 0"#)).value[["spec", member]] == 0)
    }

    @Test("index sets are written short and read back")
    func indexes() throws {
        #expect(IndexRanges([7, 1, 3, 4, 5, 0, 9]).description == "0,1,3-5,7,9")
        #expect(try IndexRanges(parsing: "0,1,3-5", completions: 6).indexes == [0, 1, 3, 4, 5])
        #expect(throws: IndexSetError.self) { try IndexRanges(parsing: "3,1", completions: 6) }
    }
}
