import CourseModel
import KubeModel

@testable import Checkers

/// Objects as a cluster shows them, for judging without one.
enum Fixture {
    static let namespace = "velocitytech"

    static func deployment(
        replicas: Int = 3, ready: Int = 3, uid: String = "d1", name: String = "web"
    ) -> KubeObject {
        var object = KubeObject(.deployments, namespace: namespace, name: name)
        object.uid = uid
        object.generation = 1
        object.value["spec"] = ["replicas": JSONValue(replicas), "selector": ["matchLabels": ["app": "web"]]]
        object.value["status"] = [
            "observedGeneration": 1, "replicas": JSONValue(replicas), "updatedReplicas": JSONValue(replicas),
            "readyReplicas": JSONValue(ready),
        ]
        return object
    }

    static func replicaSet(of deployment: KubeObject = deployment(), uid: String = "r1") -> KubeObject {
        var object = KubeObject(.replicaSets, namespace: namespace, name: "web-1")
        object.uid = uid
        object.ownerReferences = [OwnerReference(controller: deployment)]
        return object
    }

    static func pod(
        _ name: String, isReady: Bool = true, labels: [String: String] = ["app": "web"],
        owner: KubeObject? = replicaSet(), containerPort: Int = 3000
    ) -> KubeObject {
        var object = KubeObject(.pods, namespace: namespace, name: name)
        object.uid = "uid-\(name)"
        object.labels = labels
        if let owner { object.ownerReferences = [OwnerReference(controller: owner)] }
        object.value["spec"] = [
            "containers": [
                [
                    "name": "web", "image": "web:1",
                    "ports": [["containerPort": JSONValue(containerPort), "name": "http"]],
                    "readinessProbe": ["httpGet": ["path": "/redy", "port": 3000]],
                ]
            ]
        ]
        object.value["status"] = [
            "phase": "Running", "conditions": [["type": "Ready", "status": isReady ? "True" : "False"]],
        ]
        return object
    }

    static func service(
        _ name: String = "web-service", selector: [String: String] = ["app": "web"], targetPort: JSONValue = 3000,
        nodePort: Int? = nil
    ) -> KubeObject {
        var object = KubeObject(.services, namespace: namespace, name: name)
        var port: JSONValue = ["name": "http", "port": 80, "targetPort": targetPort]
        if let nodePort { port["nodePort"] = JSONValue(nodePort) }
        object.value["spec"] = [
            "type": nodePort == nil ? "ClusterIP" : "NodePort", "selector": JSONValue(selector), "ports": [port],
        ]
        return object
    }

    static func slice(of service: String = "web-service", ready: [String], notReady: [String] = []) -> KubeObject {
        var object = KubeObject(.endpointSlices, namespace: namespace, name: "\(service)-abc")
        object.labels = ["kubernetes.io/service-name": service]
        let endpoints = ready.map { ($0, true) } + notReady.map { ($0, false) }
        object.value["endpoints"] = .array(
            endpoints.map { ["addresses": [.string($0.0)], "conditions": ["ready": .bool($0.1)]] })
        return object
    }

    static func event(_ reason: String, _ message: String, about object: KubeObject) -> KubeObject {
        var event = KubeObject(.events, namespace: namespace, name: "\(object.name).\(reason)")
        event.value["reason"] = .string(reason)
        event.value["message"] = .string(message)
        event.value["involvedObject"] = [
            "kind": .string(object.kind), "name": .string(object.name), "uid": .string(object.uid),
        ]
        return event
    }

    static func view(_ objects: [KubeObject]) -> ClusterView {
        var view = ClusterView()
        let kinds: [ResourceType] = [
            .deployments, .replicaSets, .pods, .services, .endpointSlices, .events, .configMaps,
        ]
        for resource in kinds { _ = view.replace(resource, with: objects.filter { $0.kind == resource.kind }) }
        return view
    }

    static func judge(_ objects: [KubeObject], victims: [String: Victim] = [:]) -> ConditionJudge {
        ConditionJudge(view: view(objects), namespace: namespace, victims: victims)
    }
}

extension KubeObject {
    /// The pod waits with a reason.
    func waiting(_ reason: String, _ message: String = "") -> KubeObject {
        var copy = self
        copy.value[["status", "phase"]] = "Pending"
        copy.value[["status", "containerStatuses"]] = [
            [
                "name": "web", "image": "web:1",
                "state": ["waiting": ["reason": .string(reason), "message": .string(message)]],
            ]
        ]
        return copy
    }

    var terminating: KubeObject {
        var copy = self
        copy.value[["metadata", "deletionTimestamp"]] = "2026-05-04T13:37:00Z"
        return copy
    }
}
