import CourseModel
import KubeModel
import Testing

@testable import Checkers

@Suite("Judging conditions", .timeLimit(.minutes(5)))
struct ConditionJudgeTests {
    static let web = ObjectRef(kind: "Deployment", name: "web")
    static let threeReady = ClusterCondition.ready(deployment: web, count: 3)
    static let pods = ["a", "b", "c"]

    private static func world(_ pods: [KubeObject], deployment: KubeObject = Fixture.deployment()) -> [KubeObject] {
        [deployment, Fixture.replicaSet()] + pods
    }

    @Test("three ready pods of the Deployment hold")
    func ready() {
        let seen = Fixture.judge(Self.world(Self.pods.map { Fixture.pod($0) })).assess(Self.threeReady)
        #expect(seen.state == .holds)
        #expect(seen.expected == "3 ready pods of Deployment 'web'")
    }

    @Test("a missing Deployment is hopeless and named")
    func missing() {
        let seen = Fixture.judge([]).assess(Self.threeReady)
        #expect(seen.state == .hopeless)
        #expect(
            seen.finding
                == Finding(.missing, "There is no Deployment 'web' in the namespace 'velocitytech'.", isFinal: true))
    }

    @Test("another number of replicas is hopeless, and both numbers are named")
    func replicas() {
        let deployment = Fixture.deployment(replicas: 2, ready: 2)
        let seen = Fixture.judge(Self.world([Fixture.pod("a"), Fixture.pod("b")], deployment: deployment)).assess(
            Self.threeReady)
        #expect(seen.state == .hopeless)
        #expect(seen.found == "spec.replicas is 2, 2 pods, 2 of them ready")
        #expect(
            seen.finding
                == Finding(.replicas, "spec.replicas of Deployment 'web' is 2, and should be 3.", isFinal: true))
    }

    @Test("pods that terminate or belong to others do not count")
    func others() {
        let pods = [
            Fixture.pod("a"), Fixture.pod("b"), Fixture.pod("c").terminating,
            Fixture.pod("d", owner: Fixture.replicaSet(uid: "other")),
        ]
        let seen = Fixture.judge(Self.world(pods, deployment: Fixture.deployment(ready: 2))).assess(Self.threeReady)
        #expect(seen.state == .notYet)
        #expect(seen.found == "2 pods, 2 of them ready")
    }

    @Test("a change that the controller has not seen yet does not hold")
    func notObserved() {
        var deployment = Fixture.deployment()
        deployment.generation = 2
        let seen = Fixture.judge(Self.world(Self.pods.map { Fixture.pod($0) }, deployment: deployment)).assess(
            Self.threeReady)
        #expect(seen.state == .notYet)
    }

    @Test(
        "an image that cannot be had is named with the command to look further",
        arguments: [("ImagePullBackOff", Assessment.State.hopeless), ("ErrImagePull", .notYet)])
    func imagePull(reason: String, state: Assessment.State) {
        let pods = [Fixture.pod("a", isReady: false).waiting(reason), Fixture.pod("b"), Fixture.pod("c")]
        let seen = Fixture.judge(Self.world(pods, deployment: Fixture.deployment(ready: 2))).assess(Self.threeReady)
        #expect(seen.state == state)
        #expect(seen.finding?.cause == .imagePull)
        #expect(
            seen.finding?.text == "Pod 'a' cannot get the image 'web:1' (\(reason)). See 'kubectl describe pod a'.")
    }

    @Test("a probe that gets 404 everywhere is hopeless; the event, the pod and the path are named")
    func probeAnswers() {
        let pods = Self.pods.map { Fixture.pod($0, isReady: false) }
        let message = "Readiness probe failed: HTTP probe failed with statuscode: 404"
        let events = pods.map { Fixture.event("Unhealthy", message, about: $0) }
        let seen = Fixture.judge(Self.world(pods + events, deployment: Fixture.deployment(ready: 0))).assess(
            Self.threeReady)
        #expect(seen.state == .hopeless)
        #expect(
            seen.finding?.text
                == "\(message) (pod 'a', which is asked for /redy on port 3000). See the events in 'kubectl describe pod a'."
        )
    }

    @Test("a probe that is refused may be a slow start, so the check goes on waiting")
    func probeRefused() {
        let pods = Self.pods.map { Fixture.pod($0, isReady: false) }
        let event = Fixture.event("Unhealthy", "Readiness probe failed: connection refused", about: pods[0])
        let seen = Fixture.judge(Self.world(pods + [event], deployment: Fixture.deployment(ready: 0))).assess(
            Self.threeReady)
        #expect(seen.state == .notYet)
        #expect(seen.finding?.cause == .probe)
    }

    @Test("crashes and full nodes are told apart")
    func otherTroubles() {
        var crashing = Fixture.pod("a", isReady: false).waiting("CrashLoopBackOff")
        crashing.value[["status", "containerStatuses"]] = [
            [
                "name": "web", "state": ["waiting": ["reason": "CrashLoopBackOff"]],
                "lastState": ["terminated": ["exitCode": 1, "reason": "Error"]],
            ]
        ]
        #expect(
            PodTrouble.find([crashing], in: Fixture.view([]))
                == Finding(
                    .crashLoop,
                    "Container 'web' of pod 'a' ends with exit code 1 (Error) and is started again and again. "
                        + "See 'kubectl logs a --previous'.", isFinal: true))
        var pending = Fixture.pod("b", isReady: false)
        pending.value[["status", "conditions"]] = [
            [
                "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "message": "0/1 nodes are available: 1 Insufficient cpu.",
            ]
        ]
        #expect(
            PodTrouble.find([pending], in: Fixture.view([]))?.text
                == "No node takes pod 'b': 0/1 nodes are available: 1 Insufficient cpu..")
    }

    // MARK: Self-healing

    private static let victim = Victim(
        name: "a", namespace: Fixture.namespace, uid: "uid-a", owner: Fixture.pod("a").controllerOwner,
        known: ["uid-a", "uid-b", "uid-c"])

    @Test("a replacement is a new uid of the same owner that is ready while the victim goes")
    func replaced() {
        let others = [Fixture.pod("b"), Fixture.pod("c")]
        func state(_ pods: [KubeObject]) -> Assessment.State {
            Fixture.judge(Self.world(pods), victims: ["victim": Self.victim]).assess(.replaced(name: "victim")).state
        }
        #expect(state(others + [Fixture.pod("a").terminating]) == .notYet)
        #expect(state(others + [Fixture.pod("d", isReady: false)]) == .notYet)
        #expect(state(others + [Fixture.pod("d", owner: Fixture.replicaSet(uid: "r2"))]) == .notYet)
        #expect(state(others + [Fixture.pod("a"), Fixture.pod("d")]) == .notYet)
        #expect(state(others + [Fixture.pod("a").terminating, Fixture.pod("d")]) == .holds)
        #expect(state(others + [Fixture.pod("d")]) == .holds)
    }

    // MARK: Services

    private static let endpoints = ClusterCondition.endpoints(
        service: ObjectRef(kind: "Service", name: "web-service"), atLeast: 3)

    @Test("ready endpoints count, others do not")
    func endpoints() {
        let slice = Fixture.slice(ready: ["10.0.0.1", "10.0.0.2"], notReady: ["10.0.0.3"])
        let pods = [Fixture.pod("a"), Fixture.pod("b"), Fixture.pod("c", isReady: false)]
        let seen = Fixture.judge([Fixture.service(), slice] + pods).assess(Self.endpoints)
        #expect(seen.state == .notYet)
        #expect(seen.found == "2")
        #expect(seen.finding?.text == "The selector matches 3 pods, but 1 of them are not ready.")
        let full = Fixture.slice(ready: ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
        #expect(Fixture.judge([Fixture.service(), full] + pods).assess(Self.endpoints).state == .holds)
    }

    @Test("a selector that matches nothing is hopeless; it and the labels of the pods are named")
    func selector() {
        let pods = Self.pods.map {
            Fixture.pod($0, labels: ["app": "web", "pod-template-hash": "1", "version": "1.0"])
        }
        let seen = Fixture.judge([Fixture.service(selector: ["app": "wep"])] + pods).assess(Self.endpoints)
        #expect(seen.state == .hopeless)
        #expect(
            seen.finding
                == Finding(
                    .selector,
                    "The selector of the Service 'web-service' is 'app=wep', and no pod has these labels. "
                        + "The pods have: app=web, version=1.0 (3).", isFinal: true))
    }

    @Test("with no pod at all the Service is not to blame, and pods may still come")
    func noPods() {
        let seen = Fixture.judge([Fixture.service()]).assess(Self.endpoints)
        #expect(seen.state == .notYet)
        #expect(seen.finding?.cause == .noEndpoints)
    }

    // MARK: Objects

    @Test("an object is right when every wanted member is there; the first that is not is named")
    func object() throws {
        let service = Fixture.service(nodePort: 30081)
        let ref = ObjectRef(kind: "Service", name: "web-service")
        let wanted = Requirement.value(try ValuePath(parsing: "spec.ports[*].nodePort"), .equals(30080))
        let seen = Fixture.judge([service]).assess(.object(ref, [.matches(["spec": ["type": "NodePort"]]), wanted]))
        #expect(seen.state == .notYet)
        #expect(seen.expected == "spec.ports[0].nodePort: 30080")
        #expect(seen.found == "spec.ports[0].nodePort: 30081")
        #expect(
            seen.finding?.text == "In Service 'web-service', spec.ports[0].nodePort is 30081, and should be 30080.")
        #expect(Fixture.judge([service]).assess(.absent(ref)).state == .notYet)
        #expect(Fixture.judge([]).assess(.absent(ref)).state == .holds)
    }

    @Test("objects are counted by label")
    func count() {
        let world = [Fixture.pod("a"), Fixture.pod("b", labels: ["app": "db"])]
        let selection = Selection(kind: "Pod", selector: "app=web")
        #expect(Fixture.judge(world).assess(.count(selection, [], .equals(1))).state == .holds)
        let two = Fixture.judge(world).assess(.count(selection, [], .atLeast(2)))
        #expect(two.state == .notYet)
        #expect(two.expected == "Pod objects with app=web: at least 2")
        #expect(two.found == "1")
    }
}
