import KubeClient
import KubeModel
import Testing

@Suite("One object in several versions", .timeLimit(.minutes(5))) struct VersionTests {
    private let fixture: Fixture
    private var client: any ClusterClient { fixture.client }

    init() throws { fixture = try Fixture() }

    private func autoscaler(_ resource: ResourceType, _ spec: JSONValue) -> KubeObject {
        var object = KubeObject(resource, namespace: "default", name: "web")
        object.value["spec"] = spec
        object.value[["spec", "scaleTargetRef"]] = ["apiVersion": "apps/v1", "kind": "Deployment", "name": "web"]
        return object
    }

    @Test("an autoscaler of v1 is one of v2 with a CPU metric, and back")
    func autoscalers() async throws {
        let created = try await client.create(
            .horizontalPodAutoscalersV1,
            autoscaler(.horizontalPodAutoscalersV1, ["maxReplicas": 5, "targetCPUUtilizationPercentage": 50]))
        #expect(created.apiVersion == "autoscaling/v1")
        #expect(created.value[["spec", "minReplicas"]] == 1)
        var newer = try await client.get(.horizontalPodAutoscalers, "web", in: "default")
        #expect(
            newer.value[["spec", "metrics"]] == [
                [
                    "type": "Resource",
                    "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 50]],
                ]
            ])
        newer.value[["spec", "metrics"]] = .array(
            (newer.value[["spec", "metrics"]]?.array ?? []) + [
                [
                    "type": "Resource",
                    "resource": ["name": "memory", "target": ["type": "AverageValue", "averageValue": "64Mi"]],
                ]
            ])
        newer.value[["spec", "behavior"]] = ["scaleDown": ["stabilizationWindowSeconds": 60]]
        let changed = try await client.update(
            .horizontalPodAutoscalers, newer, subresource: nil, options: WriteOptions())
        let older = try await client.get(.horizontalPodAutoscalersV1, "web", in: "default")
        #expect(older.value[["spec", "targetCPUUtilizationPercentage"]] == 50)
        #expect(
            older.annotations["autoscaling.alpha.kubernetes.io/metrics"]
                == #"[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"64Mi"}}]"#)
        #expect(older.annotations["autoscaling.alpha.kubernetes.io/behavior"]?.contains("\"ScaleDown\"") == true)
        let returned = try await client.update(
            .horizontalPodAutoscalersV1, older, subresource: nil, options: WriteOptions())
        #expect(returned.resourceVersion == older.resourceVersion, "writing back what was read changes nothing")
        #expect(try await client.get(.horizontalPodAutoscalers, "web", in: "default") == changed)
    }

    @Test("autoscalers of both versions are judged alike, in the words of v2")
    func rules() async throws {
        let status = try await refusal {
            _ = try await client.create(
                .horizontalPodAutoscalersV1,
                autoscaler(
                    .horizontalPodAutoscalersV1,
                    ["minReplicas": 7, "maxReplicas": 5, "targetCPUUtilizationPercentage": 0]))
        }
        #expect(
            status.message
                == "HorizontalPodAutoscaler.autoscaling \"web\" is invalid: [spec.maxReplicas: Invalid value: 5: must "
                + "be greater than or equal to `minReplicas`, spec.metrics[0].resource.target.averageUtilization: "
                + "Invalid value: 0: must be greater than 0]")
    }

    private func event(_ change: (inout JSONValue) -> Void = { _ in }) -> KubeObject {
        var object = KubeObject(.eventsEvents, namespace: "default", name: "e")
        object.value["eventTime"] = "2026-01-01T00:00:00.000000Z"
        object.value["reportingController"] = "example.com/controller"
        object.value["reportingInstance"] = "one"
        object.value["action"] = "Doing"
        object.value["reason"] = "Done"
        object.value["type"] = "Normal"
        object.value["note"] = "It is done."
        object.value["regarding"] = ["kind": "Pod", "namespace": "default", "name": "web"]
        change(&object.value)
        return object
    }

    @Test("an event of events.k8s.io is an event of the core group under other names")
    func events() async throws {
        let created = try await client.create(.eventsEvents, event())
        #expect(created.value["note"] == "It is done.")
        #expect(created.value["message"] == nil)
        let core = try await client.get(.events, "e", in: "default")
        #expect(core.apiVersion == "v1")
        #expect(core.value["message"] == "It is done.")
        #expect(core.value["reportingComponent"] == "example.com/controller")
        #expect(core.value[["involvedObject", "name"]] == "web")
        let listed = try await client.list(
            .eventsEvents, namespace: "default", options: ListOptions(fieldSelector: "regarding.name=web"))
        #expect(listed.items == [created])
        let bySource = try await client.list(
            .events, namespace: "default", options: ListOptions(fieldSelector: "source=example.com/controller"))
        #expect(bySource.items.map(\.name) == ["e"])
        var changed = created
        changed.value["series"] = ["count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"]
        changed = try await client.update(.eventsEvents, changed, subresource: nil, options: WriteOptions())
        #expect(try await client.get(.events, "e", in: "default").value[["series", "count"]] == 2)
    }

    @Test("events of events.k8s.io are judged more strictly, with the names of the core group")
    func eventRules() async throws {
        let status = try await refusal {
            _ = try await client.create(
                .eventsEvents,
                event {
                    $0["deprecatedCount"] = 3
                    $0["type"] = "Odd"
                    $0["action"] = nil
                })
        }
        #expect(
            status.message
                == "Event.events.k8s.io \"e\" is invalid: [action: Required value, type: Invalid value: \"\": has "
                + "invalid value: Odd, count: Invalid value: \"\": needs to be unset]")
        let created = try await client.create(.eventsEvents, event())
        var changed = created
        changed.value["note"] = "Otherwise."
        let refused = try await refusal {
            _ = try await client.update(.eventsEvents, changed, subresource: nil, options: WriteOptions())
        }
        #expect(refused.message.hasSuffix("message: Invalid value: \"Otherwise.\": field is immutable"))
    }
}
