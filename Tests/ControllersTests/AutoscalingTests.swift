import KubeModel
import Testing

@testable import Controllers

@Suite("Autoscaling") struct AutoscalingTests {
    private static let now = Timestamp(seconds: 1_800_000_000)

    private func pod(_ name: String, request: String? = "100m", isReady: Bool = true) -> Pod {
        var object = KubeObject(.pods, namespace: "default", name: name)
        var container: JSONValue = ["name": "main"]
        if let request { container["resources"] = ["requests": ["cpu": .string(request)]] }
        object.value["spec"] = ["containers": [container]]
        let start = (Self.now + .seconds(-1000)).text
        object.value["status"] = [
            "phase": "Running", "startTime": .string(start),
            "conditions": [
                ["type": "Ready", "status": isReady ? "True" : "False", "lastTransitionTime": .string(start)]
            ],
        ]
        return Pod(object)
    }

    private func measured(_ amounts: [String: Int64]) -> [String: ReplicaCalculator.Measured] {
        amounts.mapValues { ReplicaCalculator.Measured(amount: $0, time: Self.now, window: .seconds(15)) }
    }

    private var calculator: ReplicaCalculator {
        ReplicaCalculator(resource: "cpu", container: nil, now: Self.now)
    }

    @Test(
        "the number of pods follows the use, but not within a tenth of the target",
        arguments: [(50, 2), (54, 2), (56, 3), (100, 4), (20, 1), (46, 2)] as [(Int64, Int)])
    func utilization(amount: Int64, wanted: Int) throws {
        let outcome = try calculator.replicas(
            current: 2, targetUtilization: 50, pods: [pod("a"), pod("b")],
            measured: measured(["a": amount, "b": amount]))
        #expect(outcome.replicas == wanted)
        #expect(outcome.utilization == Int(amount))
    }

    @Test("a pod without metrics counts as idle on the way up and as busy on the way down")
    func missing() throws {
        let pods = [pod("a"), pod("b")]
        #expect(
            try calculator.replicas(current: 2, targetUtilization: 50, pods: pods, measured: measured(["a": 120]))
                .replicas == 3)
        #expect(
            try calculator.replicas(current: 2, targetUtilization: 50, pods: pods, measured: measured(["a": 10]))
                .replicas == 2)
    }

    @Test("what is missing is named")
    func errors() {
        func message(_ pods: [Pod], _ amounts: [String: Int64]) -> String? {
            do throws(MetricError) {
                _ = try calculator.replicas(
                    current: 1, targetUtilization: 50, pods: pods, measured: measured(amounts))
                return nil
            } catch {
                return error.message
            }
        }
        #expect(
            message([pod("a")], [:])
                == "unable to get metrics for resource cpu: no metrics returned from resource metrics API")
        #expect(message([pod("a", request: nil)], ["a": 10]) == "missing request for cpu in container main of Pod a")
        var young = pod("a")
        young.object.value[["status", "phase"]] = "Pending"
        #expect(
            message([young], ["a": 10])
                == "did not receive metrics for targeted pods (pods might be unready)")
    }

    @Test("without a wish, the way up is at most a doubling and the way down waits for five minutes")
    func defaults() {
        var history = ScalingHistory()
        history.begin(3, now: Self.now)
        let up = history.settle(20, current: 3, min: 1, max: 30, behavior: nil, now: Self.now)
        #expect(up.replicas == 6)
        #expect(up.isLimited)
        #expect(up.limit.reason == "ScaleUpLimit")
        let held = history.settle(1, current: 6, min: 1, max: 30, behavior: nil, now: Self.now + .seconds(60))
        #expect(held.replicas == 6)
        #expect(held.able.reason == "ScaleDownStabilized")
        let down = history.settle(2, current: 6, min: 1, max: 30, behavior: nil, now: Self.now + .seconds(400))
        #expect(down.replicas == 2)
        #expect(down.limit.reason == "DesiredWithinRange")
    }

    @Test("policies of a behaviour limit the change within their period")
    func behavior() {
        let behavior: JSONValue = [
            "scaleUp": [
                "stabilizationWindowSeconds": 0, "selectPolicy": "Max",
                "policies": [["type": "Pods", "value": 2, "periodSeconds": 60]],
            ],
            "scaleDown": [
                "stabilizationWindowSeconds": 0, "selectPolicy": "Max",
                "policies": [["type": "Percent", "value": 50, "periodSeconds": 60]],
            ],
        ]
        var history = ScalingHistory()
        func settle(_ wanted: Int, from current: Int, after seconds: Int) -> Int {
            let now = Self.now + .seconds(seconds)
            let replicas = history.settle(wanted, current: current, min: 1, max: 50, behavior: behavior, now: now)
                .replicas
            history.scaled(from: current, to: replicas, now: now)
            return replicas
        }
        #expect(settle(10, from: 4, after: 0) == 6)
        #expect(settle(10, from: 6, after: 30) == 6, "the two of this minute are there")
        #expect(settle(10, from: 6, after: 70) == 8)
        #expect(settle(1, from: 8, after: 200) == 4)
    }

    @Test("the limits of the autoscaler come last")
    func bounds() {
        var history = ScalingHistory()
        let verdict = history.settle(9, current: 4, min: 1, max: 5, behavior: nil, now: Self.now)
        #expect(verdict.replicas == 5)
        #expect(verdict.limit.reason == "TooManyReplicas")
    }
}
