import CourseModel
import KubeModel
import Testing

@testable import Checkers

@Suite("Judging answers", .timeLimit(.minutes(5)))
struct HTTPJudgeTests {
    private static func http(_ origin: HTTPExpectation.Origin, _ url: String) throws -> HTTPExpectation {
        HTTPExpectation(
            origin: origin, url: try #require(HTTPAddress(parsing: url)), body: [.matches(["status": "healthy"])])
    }

    private static func judge(_ http: HTTPExpectation, _ objects: [KubeObject]) -> HTTPJudge {
        HTTPJudge(http: http, view: Fixture.view(objects), namespace: Fixture.namespace)
    }

    static let good = [
        Fixture.service(), Fixture.slice(ready: ["10.0.0.1"]), Fixture.pod("a"),
        Fixture.service("outer", nodePort: 30080), Fixture.slice(of: "outer", ready: ["10.0.0.1"]),
    ]

    @Test("the status and the wanted members of the answer decide")
    func answers() throws {
        let judge = Self.judge(try Self.http(.inside, "http://web-service/health"), Self.good)
        let body = #"{"status":"healthy","timestamp":"now"}"#
        #expect(judge.assess(.answered(status: 200, body: body)).state == .holds)
        #expect(judge.assess(.answered(status: nil, body: body)).state == .holds)
        let ill = judge.assess(.answered(status: 200, body: #"{"status":"ill"}"#))
        #expect(
            ill.finding?.text == "In the answer of http://web-service/health, status is ill, and should be healthy.")
        let lost = judge.assess(.answered(status: 404, body: "no"))
        #expect(lost.finding == Finding(.wrongAnswer, "http://web-service/health answers with status 404, not 200: no"))
        #expect(lost.expected == "http://web-service/health answers 200 inside the cluster with {status: healthy}")
        #expect(judge.assess(.answered(status: 200, body: "<html>")).finding?.cause == .wrongAnswer)
    }

    @Test("when all objects look right, the client's own words are passed on")
    func unreachable() throws {
        let judge = Self.judge(try Self.http(.inside, "http://web-service/health"), Self.good)
        let seen = judge.assess(.failed("the connection was refused"))
        #expect(seen.state == .notYet)
        #expect(
            seen.finding
                == Finding(.unreachable, "http://web-service/health does not answer: the connection was refused."))
    }

    @Test("a target port on which nothing listens is found")
    func targetPort() throws {
        let objects = [
            Fixture.service(targetPort: 8080), Fixture.slice(ready: ["10.0.0.1"]), Fixture.pod("a"),
        ]
        let judge = Self.judge(try Self.http(.inside, "http://web-service/health"), objects)
        #expect(
            judge.trouble()
                == Finding(
                    .targetPort,
                    "The Service 'web-service' sends to port 8080 (targetPort), but its pods listen on 3000.",
                    isFinal: true))
        let named = [Fixture.service(targetPort: "http"), Fixture.slice(ready: ["10.0.0.1"]), Fixture.pod("a")]
        #expect(Self.judge(try Self.http(.inside, "http://web-service/health"), named).trouble() == nil)
    }

    @Test("a wrong port of the Service, a missing Service and a wrong node port are told apart")
    func ports() throws {
        let port = Self.judge(try Self.http(.inside, "http://web-service:8080/"), Self.good).trouble()
        #expect(port?.text == "The Service 'web-service' listens on port 80, not on 8080.")
        let missing = Self.judge(try Self.http(.inside, "http://wep-service/"), Self.good).trouble()
        #expect(missing?.cause == .missing)
        let node = Self.judge(try Self.http(.outside, "http://localhost:30081/"), Self.good).trouble()
        #expect(node == Finding(.nodePort, "No Service opens port 30081; 'outer' opens 30080.", isFinal: true))
        #expect(Self.judge(try Self.http(.outside, "http://localhost:30080/"), Self.good).trouble() == nil)
        #expect(
            Self.judge(try Self.http(.outside, "http://localhost:30080/"), []).trouble()?.text
                == "No Service of type NodePort opens port 30080 in the namespace 'velocitytech'.")
    }

    @Test("an answer on a node port that another program holds proves nothing")
    func stranger() throws {
        let outer = Self.good[3]
        var taken = Fixture.event("NodePortUnavailable", "Port 30080 is taken.", about: outer)
        taken.value["lastTimestamp"] = "2026-01-01T10:00:00Z"
        let http = try Self.http(.outside, "http://localhost:30080/")
        let answer = HTTPAttempt.answered(status: 200, body: #"{"status":"healthy"}"#)
        let seen = Self.judge(http, Self.good + [taken]).assess(answer)
        #expect(seen.state == .hopeless)
        #expect(seen.finding == Finding(.nodePort, "Port 30080 is taken.", isFinal: true))

        var open = Fixture.event("NodePortAvailable", "Port 30080 is open.", about: outer)
        open.value["lastTimestamp"] = "2026-01-01T10:00:02Z"
        #expect(Self.judge(http, Self.good + [taken, open]).assess(answer).state == .holds)
    }

    @Test(
        "the probe pod's log and exit code become an answer",
        arguments: [
            (0, "{\"status\":\"healthy\"}\n200\n", HTTPAttempt.answered(status: 200, body: "{\"status\":\"healthy\"}")),
            (0, "plain", .answered(status: nil, body: "plain")),
            (6, "", .failed("the name cannot be resolved")),
            (7, "curl: (7) Failed to connect\n\n000", .failed("(7) Failed to connect")),
            (22, "", .failed("curl ended with exit code 22")),
        ])
    func probe(code: Int, log: String, attempt: HTTPAttempt) throws {
        var pod = ProbePod.make(name: "p", namespace: "n", image: "curlimages/curl", command: ["curl", "http://web/"])
        pod.value["status"] = [
            "phase": "Failed", "containerStatuses": [["state": ["terminated": ["exitCode": JSONValue(code)]]]],
        ]
        #expect(ProbePod.isDone(pod))
        #expect(ProbePod.attempt(pod, log: log) == attempt)
    }
}
