import CourseModel
import KubeModel
import Testing

@testable import Checkers

@Suite("Comparing values", .timeLimit(.minutes(5)))
struct ValueMatcherTests {
    private static let object: JSONValue = [
        "spec": [
            "replicas": 3,
            "containers": [
                ["name": "web", "image": "web:1", "resources": ["requests": ["cpu": "0.1", "memory": "128Mi"]]],
                ["name": "side", "image": "side:1"],
            ],
        ]
    ]

    @Test("a partial object matches when its members are there; lists need one match for each element")
    func partial() {
        let wanted: YAMLValue = ["spec": ["containers": [["image": "side:1"], ["name": "web"]]]]
        #expect(ValueMatcher.mismatches(wanted, Self.object, path: "") == [])
        let wrong: YAMLValue = ["spec": ["replicas": 4, "containers": [["name": "web", "image": "web:2"]]]]
        #expect(
            ValueMatcher.mismatches(wrong, Self.object, path: "").map(\.text) == [
                "spec.replicas is 3, and should be 4",
                "spec.containers[0].image is web:1, and should be web:2",
            ])
    }

    @Test("amounts below resources are compared as amounts")
    func quantities() {
        let wanted: YAMLValue = ["resources": ["requests": ["cpu": "100m", "memory": "131072Ki"]]]
        let found: JSONValue = ["resources": ["requests": ["cpu": "0.1", "memory": "128Mi"]]]
        #expect(ValueMatcher.mismatches(wanted, found, path: "") == [])
        let missing: JSONValue = ["resources": ["requests": ["cpu": "0.1"]]]
        #expect(
            ValueMatcher.mismatches(wanted, missing, path: "").map(\.text) == [
                "resources.requests.memory is missing, and should be 131072Ki"
            ])
    }

    static let comparisons: [(String, Comparison, Bool)] = [
        ("spec.replicas", .equals(3), true), ("spec.replicas", .equals("3"), false),
        ("spec.replicas", .atLeast(3), true),
        ("spec.replicas", .atMost(2), false), ("spec.replicas", .oneOf([2, 3]), true), ("spec.none", .missing, true),
        ("spec.replicas", .missing, false), ("spec.none", .exists, false),
        ("spec.containers[*].image", .equals("side:1"), true),
        ("spec.containers[name=web].image", .contains("web"), true),
        ("spec.containers[1].image", .differs("web:1"), true),
    ]

    @Test("paths and comparisons find what they name", arguments: comparisons)
    func requirements(path: String, comparison: Comparison, holds: Bool) throws {
        let requirement = Requirement.value(try ValuePath(parsing: path), comparison)
        #expect(requirement.mismatches(in: Self.object).isEmpty == holds)
    }
}

@Suite("Evidence", .timeLimit(.minutes(5)))
struct ChronicleTests {
    private static func lines(_ old: KubeObject?, _ new: KubeObject?, _ resource: ResourceType) -> [String] {
        Chronicle.lines(
            for: ObjectChange(resource: resource, old: old, new: new), at: Moment(milliseconds: 0)
        ).map(\.what)
    }

    @Test("a pod's way is told: created, running, ready, terminating, gone")
    func pod() {
        let pod = Fixture.pod("a")
        var pending = Fixture.pod("a", isReady: false)
        pending.value[["status", "phase"]] = "Pending"
        #expect(Self.lines(nil, pending, .pods) == ["Pod a was created by ReplicaSet web-1"])
        #expect(Self.lines(pending, pod, .pods) == ["Pod a is Running", "Pod a is ready"])
        #expect(Self.lines(pod, pod.terminating, .pods) == ["Pod a is terminating"])
        #expect(Self.lines(pod.terminating, nil, .pods) == ["Pod a is gone"])
        #expect(Self.lines(pod, pod, .pods) == [])
    }

    @Test("numbers of replicas and endpoints are told as they change")
    func numbers() {
        #expect(
            Self.lines(Fixture.deployment(), Fixture.deployment(replicas: 5, ready: 4), .deployments) == [
                "Deployment web: replicas wanted 3 -> 5", "Deployment web: replicas ready 3 -> 4",
            ])
        #expect(
            Self.lines(Fixture.slice(ready: ["1", "2"]), Fixture.slice(ready: ["1"], notReady: ["2"]), .endpointSlices)
                == ["Service web-service: ready endpoints 2 -> 1"])
    }

    @Test("evidence names the object by path and uid; the checker's own pods are left out")
    func objects() {
        let change = ObjectChange(resource: .pods, old: nil, new: Fixture.pod("a"))
        let line = Chronicle.lines(for: change, at: Moment(milliseconds: 5)).first
        #expect(line?.object == "pods/velocitytech/a")
        #expect(line?.uid == "uid-a")
        #expect(line?.at == Moment(milliseconds: 5))
        #expect(Self.lines(nil, Fixture.pod("p", labels: [ProbePod.label: "http"]), .pods) == [])
    }
}
