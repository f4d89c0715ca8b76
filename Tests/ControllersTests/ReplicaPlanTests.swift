import KubeModel
import Testing

@testable import Controllers

@Suite("Plan of a ReplicaSet", .timeLimit(.minutes(5))) struct ReplicaPlanTests {
    @Test("missing pods are made", arguments: [(3, 0, 3), (3, 2, 1), (3, 3, 0), (0, 0, 0)])
    func creations(wanted: Int, present: Int, creations: Int) {
        let plan = ReplicaPlan(wanted: wanted, pods: (0..<present).map { .example("pod-\($0)") })
        #expect(plan.creations == creations)
        #expect(plan.deletions.isEmpty)
    }

    /// Two pods of which the first goes, and why.
    struct Rivals: Sendable, CustomTestStringConvertible {
        var why: String
        var victim: Pod
        var survivor: Pod
        var testDescription: String { why }
    }

    @Test(
        "of two pods the less useful one goes, in whatever order they come",
        arguments: [
            Rivals(
                why: "on no node",
                victim: .example("a", node: "", phase: "Pending", isReady: false),
                survivor: .example("b", phase: "Pending", isReady: false)),
            Rivals(
                why: "pending",
                victim: .example("a", phase: "Pending", isReady: false, restarts: 0),
                survivor: .example("b", isReady: false, restarts: 9)),
            Rivals(
                why: "unknown before running", victim: .example("a", phase: "Unknown"),
                survivor: .example("b", isReady: false)),
            Rivals(why: "not ready", victim: .example("a", isReady: false), survivor: .example("b", restarts: 9)),
            Rivals(
                why: "cheaper by annotation",
                victim: .example("b", readyAt: 1).annotated("controller.kubernetes.io/pod-deletion-cost", "-5"),
                survivor: .example("a", readyAt: 900)),
            Rivals(
                why: "ready for a shorter time", victim: .example("a", readyAt: 200, restarts: 0),
                survivor: .example("b", readyAt: 100, restarts: 5)),
            Rivals(
                why: "restarted more often", victim: .example("a", createdAt: 10, restarts: 2),
                survivor: .example("b", createdAt: 90, restarts: 1)),
            Rivals(
                why: "younger", victim: .example("a", createdAt: 90), survivor: .example("b", createdAt: 10)),
        ])
    func victims(rivals: Rivals) {
        for pods in [[rivals.victim, rivals.survivor], [rivals.survivor, rivals.victim]] {
            #expect(ReplicaPlan(wanted: 1, pods: pods).deletions == [rivals.victim.name])
        }
    }

    @Test("a node with many of the set's pods gives one up first")
    func crowd() {
        let pods: [Pod] = [
            .example("a", node: "node-1"), .example("b", node: "node-2", readyAt: 10),
            .example("c", node: "node-2", readyAt: 20),
        ]
        #expect(ReplicaPlan(wanted: 2, pods: pods).deletions == ["c"])
    }

    @Test("as many go as are too many, the least useful first")
    func several() {
        let pods: [Pod] = [
            .example("old", readyAt: 10), .example("broken", isReady: false), .example("fresh", readyAt: 90),
            .example("waiting", node: "", phase: "Pending", isReady: false),
        ]
        #expect(ReplicaPlan(wanted: 1, pods: pods).deletions == ["waiting", "broken", "fresh"])
        #expect(ReplicaPlan(wanted: 0, pods: pods).deletions == ["waiting", "broken", "fresh", "old"])
    }
}

@Suite("Hash of a pod template", .timeLimit(.minutes(5))) struct PodTemplateHashTests {
    private let template: JSONValue = [
        "metadata": ["labels": ["app": "web"]], "spec": ["containers": [["name": "main", "image": "web:1.0"]]],
    ]

    @Test("equal templates have equal hashes, whatever the order of their members")
    func order() {
        let reordered: JSONValue = [
            "spec": ["containers": [["image": "web:1.0", "name": "main"]]], "metadata": ["labels": ["app": "web"]],
        ]
        #expect(
            PodTemplateHash.of(template, collisionCount: 0) == PodTemplateHash.of(reordered, collisionCount: 0))
    }

    @Test("another image, another order of containers, and another collision count give another hash")
    func differences() {
        var image = template
        image[["spec", "containers"]] = [["name": "main", "image": "web:1.1"]]
        var two = template
        two[["spec", "containers"]] = [["name": "a"], ["name": "b"]]
        var swapped = template
        swapped[["spec", "containers"]] = [["name": "b"], ["name": "a"]]
        let hashes = [
            PodTemplateHash.of(template, collisionCount: 0), PodTemplateHash.of(template, collisionCount: 1),
            PodTemplateHash.of(template, collisionCount: 2), PodTemplateHash.of(image, collisionCount: 0),
            PodTemplateHash.of(two, collisionCount: 0), PodTemplateHash.of(swapped, collisionCount: 0),
        ]
        #expect(Set(hashes).count == hashes.count)
    }

    @Test("a hash is a valid part of a name, and holds no vowel")
    func alphabet() {
        for number in 0..<200 {
            let hash = PodTemplateHash.of(.int(Int64(number)), collisionCount: 0)
            #expect((1...10).contains(hash.count))
            #expect(hash.allSatisfy(PodTemplateHash.alphabet.contains))
        }
        #expect(!PodTemplateHash.alphabet.contains { "aeiou013".contains($0) })
    }
}
