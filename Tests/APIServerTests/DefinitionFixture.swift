import KubeClient
import KubeModel

/// Definitions of custom resources, and what is made by them.
enum CronTabs {
    static let resource = ResourceType(group: "stable.example.com", version: "v1", kind: "CronTab", plural: "crontabs")
    static let older = ResourceType(
        group: "stable.example.com", version: "v1beta1", kind: "CronTab", plural: "crontabs")

    static let schema: JSONValue = [
        "type": "object", "required": ["spec"],
        "properties": [
            "spec": [
                "type": "object", "required": ["image"],
                "properties": [
                    "image": ["type": "string"],
                    "replicas": ["type": "integer", "minimum": 1, "maximum": 10],
                    "schedule": ["type": "string", "pattern": "^[0-9*/ ]+$", "default": "5 0 * * *"],
                    "policy": ["type": "string", "enum": ["Allow", "Forbid"]],
                    "port": ["x-kubernetes-int-or-string": true],
                    "ports": [
                        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                        "items": [
                            "type": "object", "required": ["name"],
                            "properties": ["name": ["type": "string"], "number": ["type": "integer"]],
                        ],
                    ],
                    "free": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
                ],
            ],
            "status": [
                "type": "object",
                "properties": [
                    "replicas": ["type": "integer"], "labelSelector": ["type": "string"],
                ],
            ],
        ],
    ]

    static func definition(_ change: (inout JSONValue) -> Void = { _ in }) -> KubeObject {
        var object = KubeObject(.customResourceDefinitions, name: "crontabs.stable.example.com")
        var spec: JSONValue = [
            "group": "stable.example.com", "scope": "Namespaced",
            "names": ["plural": "crontabs", "kind": "CronTab", "shortNames": ["ct"]],
            "versions": [
                [
                    "name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema],
                    "subresources": [
                        "status": [:],
                        "scale": [
                            "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                            "labelSelectorPath": ".status.labelSelector",
                        ],
                    ],
                    "additionalPrinterColumns": [
                        ["name": "Schedule", "type": "string", "jsonPath": ".spec.schedule"],
                        ["name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"],
                        ["name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"],
                    ],
                ],
                [
                    "name": "v1beta1", "served": true, "storage": false,
                    "schema": [
                        "openAPIV3Schema": ["type": "object", "x-kubernetes-preserve-unknown-fields": true]
                    ],
                ],
            ],
        ]
        change(&spec)
        object.value["spec"] = spec
        return object
    }

    static func object(_ name: String = "my", _ spec: JSONValue = ["image": "busybox"]) -> KubeObject {
        var object = KubeObject(resource, namespace: "default", name: name)
        object.value["spec"] = spec
        return object
    }
}
