import KubeModel
import LabTesting
import Testing

@Suite("Views of workloads and services", .timeLimit(.minutes(5))) struct WorkloadViewTests {
    @Test(
        "surge is rounded up, unavailability down, and never are both zero",
        arguments: [
            (10, "25%", "25%", 3, 2), (1, "25%", "25%", 1, 0), (4, 1, 0, 1, 0), (4, 0, 0, 0, 1), (3, "0%", "10%", 0, 1),
            (3, "100%", "100%", 3, 3),
        ] as [(Int, JSONValue, JSONValue, Int, Int)])
    func bounds(replicas: Int, maxSurge: JSONValue, maxUnavailable: JSONValue, surge: Int, unavailable: Int) {
        var object = MemoryCluster.deployment("web", replicas: replicas)
        object.value[["spec", "strategy", "rollingUpdate"]] = ["maxSurge": maxSurge, "maxUnavailable": maxUnavailable]
        let found = Deployment(object).surgeAndUnavailable
        #expect(found.surge == surge)
        #expect(found.unavailable == unavailable)
    }

    @Test("a Deployment that recreates goes neither above nor below")
    func recreate() {
        var object = MemoryCluster.deployment("web")
        object.value[["spec", "strategy"]] = ["type": "Recreate"]
        #expect(Deployment(object).surgeAndUnavailable == (0, 0))
    }

    @Test("a share is a number with a percent sign", arguments: ["", "25", "%", "a%", "2.5%"])
    func noShare(text: String) {
        #expect(IntOrPercent(.string(text)).scaled(total: 10, roundsUp: true) == nil)
    }

    @Test("templates compare without the label that tells ReplicaSets apart")
    func comparableTemplate() {
        var object = KubeObject(.replicaSets, namespace: "default", name: "web-1")
        object.value[["spec", "template", "metadata", "labels"]] = ["app": "web", "pod-template-hash": "5d8"]
        #expect(ReplicaSet(object).comparableTemplate == ["metadata": ["labels": ["app": "web"]]])
        object.annotations = [ReplicaSet.revisionAnnotation: "7"]
        #expect(ReplicaSet(object).revision == 7)
    }

    @Test(
        "a Service's port leads to a number, to a name of the pod's, or to its own number",
        arguments: [
            (["port": 80], 80), (["port": 80, "targetPort": 8080], 8080), (["port": 80, "targetPort": 0], 80),
            (["port": 80, "targetPort": "http"], 8080), (["port": 80, "targetPort": "grpc"], nil),
            (["port": 53, "targetPort": "dns", "protocol": "UDP"], 5353), (["port": 53, "targetPort": "dns"], nil),
        ] as [(JSONValue, Int?)])
    func target(port: JSONValue, number: Int?) {
        let pod = Pod(
            MemoryCluster.pod(
                "web",
                spec: [
                    "containers": [
                        [
                            "name": "c",
                            "ports": [
                                ["name": "http", "containerPort": 8080],
                                ["name": "dns", "containerPort": 5353, "protocol": "UDP"],
                            ],
                        ]
                    ]
                ]))
        #expect(KubeService.Port(port).target(in: pod) == number)
    }

    @Test("a Service without a selector selects nothing, rather than everything")
    func noSelector() {
        var object = KubeObject(.services, namespace: "default", name: "web")
        #expect(KubeService(object).selector == nil)
        object.value["spec"] = ["selector": [:], "clusterIP": "None"]
        #expect(KubeService(object).selector == nil)
        #expect(KubeService(object).isHeadless)
        object.value["spec"] = ["selector": ["app": "web"]]
        #expect(KubeService(object).selector?.matches(["app": "web", "tier": "x"]) == true)
    }
}
