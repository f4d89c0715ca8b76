import KubeModel
import Testing

@Suite("Limits of namespaces", .timeLimit(.minutes(5))) struct LimitKindTests {
    private func quota(_ spec: String) -> String { #"{"metadata": {"name": "q"}, "spec": {\#(spec)}}"# }
    private func limits(_ item: String) -> String { quota(#""limits": [{\#(item)}]"#) }

    @Test(
        "what a quota must not say",
        arguments: [
            (
                #""hard": {"pods": "-1"}"#,
                [#"spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0"#]
            ),
            (#""hard": {"pods": "500m"}"#, [#"spec.hard[pods]: Invalid value: "500m": must be an integer"#]),
            (
                #""hard": {"apples": "1"}"#,
                [
                    #"spec.hard[apples]: Invalid value: "apples": must be a standard resource type or fully qualified"#,
                    #"spec.hard[apples]: Invalid value: "apples": must be a standard resource for quota"#,
                ]
            ),
            (
                #""hard": {"cpu": "1"}, "scopes": ["BestEffort"]"#,
                [
                    #"spec.scopes: Invalid value: []core.ResourceQuotaScope{"BestEffort"}: unsupported scope applied to resource"#
                ]
            ),
            (
                #""hard": {"pods": "1"}, "scopes": ["BestEffort", "NotBestEffort"]"#,
                [
                    #"spec.scopes: Invalid value: []core.ResourceQuotaScope{"BestEffort", "NotBestEffort"}: conflicting scopes"#
                ]
            ),
            (
                #""hard": {"pods": "1"}, "scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In"}]}"#,
                [
                    "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                ]
            ),
            (#""hard": {"count/jobs.batch": "1", "requests.storage": "1Gi", "hugepages-2Mi": "2Mi"}"#, []),
        ] as [(String, [String])])
    func quotaRefusals(spec: String, errors: [String]) throws {
        #expect(try Fixture.refusals(.resourceQuotas, quota(spec)) == errors)
    }

    @Test("what a quota is about never changes")
    func scopes() throws {
        let text = quota(#""hard": {"pods": "1"}, "scopes": ["BestEffort"]"#)
        let errors = try Fixture.changed(.resourceQuotas, text) { $0.value[["spec", "scopes"]] = nil }.errors
        #expect(errors == ["spec.scopes: Invalid value: []core.ResourceQuotaScope(nil): field is immutable"])
        let more = try Fixture.changed(.resourceQuotas, text) { $0.value[["spec", "hard", "pods"]] = "2" }.errors
        #expect(more == [])
    }

    @Test("containers get the largest limit and the least request by default")
    func limitDefaults() throws {
        let range = try Fixture.created(
            .limitRanges,
            limits(#""type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "100m", "memory": "1Mi"}"#))
        let item = range.value[["spec", "limits"]]?.array?.first
        #expect(item?["default"] == ["cpu": "1"])
        #expect(item?["defaultRequest"] == ["cpu": "1", "memory": "1Mi"])
        let pod = try Fixture.created(.limitRanges, limits(#""type": "Pod", "max": {"cpu": "1"}"#))
        #expect(pod.value[["spec", "limits"]]?.array?.first?["default"] == nil)
    }

    @Test(
        "what a limit range must not say",
        arguments: [
            (
                #""type": "Container", "min": {"cpu": "2"}, "max": {"cpu": "1"}, "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}"#,
                [
                    #"spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1"#,
                    #"spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1"#,
                    #"spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1"#,
                ]
            ),
            (
                #""type": "Pod", "default": {"cpu": "1"}"#,
                ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"]
            ),
            (
                #""type": "PersistentVolumeClaim", "max": {"cpu": "1"}"#,
                [
                    "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided"
                ]
            ),
            (
                #""type": "Service""#,
                [#"spec.limits[0].type: Invalid value: "Service": must be a standard limit type or fully qualified"#]
            ),
            (
                #""type": "Pod", "min": {"cpu": "1"}, "max": {"cpu": "2"}, "maxLimitRequestRatio": {"cpu": "3"}"#,
                [
                    #"spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000"#
                ]
            ),
        ] as [(String, [String])])
    func limitRefusals(item: String, errors: [String]) throws {
        #expect(try Fixture.refusals(.limitRanges, limits(item)) == errors)
    }

    @Test("each type is limited once")
    func repeated() throws {
        let text = quota(#""limits": [{"type": "Pod", "max": {"cpu": "1"}}, {"type": "Pod", "max": {"cpu": "2"}}]"#)
        #expect(try Fixture.refusals(.limitRanges, text) == [#"spec.limits[1].type: Duplicate value: "Pod""#])
    }

    @Test("columns of kubectl get")
    func columns() throws {
        let status: JSONValue = [
            "hard": ["pods": "4", "limits.cpu": "2", "requests.memory": "1Gi"],
            "used": ["pods": "1", "limits.cpu": "500m"],
        ]
        let line = try Fixture.line(.resourceQuotas, quota(#""hard": {"pods": "4"}"#)) { $0.value["status"] = status }
        #expect(line == "q|5m|pods: 1/4, requests.memory: 0/1Gi|limits.cpu: 500m/2")
        #expect(try Fixture.line(.limitRanges, limits(#""type": "Pod""#)) == "q|\(Fixture.ago(300))")
    }
}
