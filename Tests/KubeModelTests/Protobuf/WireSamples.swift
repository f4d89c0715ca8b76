import KubeModel

/// Bodies as kubectl sends them, and the same objects as JSON.
enum WireSamples {
    static let pod = Wire.body(
        "v1", "Pod",
        Wire.message(
            1, Wire.text(1, "web"), Wire.text(2, ""), Wire.text(3, "shop"), Wire.number(7, 0), Wire.message(8),
            Wire.entry(11, "app", "web"), Wire.entry(11, "empty", ""), Wire.entry(12, "note", "grüße"),
            Wire.message(
                13, Wire.text(1, "ReplicaSet"), Wire.text(3, "web-1"), Wire.text(4, "u-1"), Wire.text(5, "apps/v1"),
                Wire.flag(6, true), Wire.flag(7, false)),
            Wire.text(14, "example.com/keep")),
        Wire.message(
            2, Wire.message(1, Wire.text(1, "data"), Wire.message(2, Wire.message(2, Wire.text(1, "")))),
            Wire.message(
                1, Wire.text(1, "conf"),
                Wire.message(2, Wire.message(19, Wire.message(1, Wire.text(1, "settings")), Wire.number(3, 420)))),
            Wire.bytes(2, container), Wire.message(2, Wire.text(1, "side"), Wire.text(2, "busybox")),
            Wire.text(3, "Always"), Wire.number(4, 0), Wire.entry(7, "disk", "ssd"), Wire.flag(11, false),
            Wire.message(22, Wire.text(1, "gpu"), Wire.text(2, "Exists"), Wire.number(5, 0))),
        Wire.message(3, Wire.text(1, "Running")))

    private static let container: [UInt8] = [
        Wire.text(1, "main"), Wire.text(2, "web:1.0"), Wire.text(3, "sh"), Wire.text(3, "-c"), Wire.text(3, ""),
        Wire.message(6, Wire.text(1, "http"), Wire.number(2, 0), Wire.number(3, 8080), Wire.text(4, "TCP")),
        Wire.message(7, Wire.text(1, "PORT"), Wire.text(2, "8080")),
        Wire.message(
            7, Wire.text(1, "KEY"), Wire.text(2, ""),
            Wire.message(
                3, Wire.message(4, Wire.message(1, Wire.text(1, "s")), Wire.text(2, "k"), Wire.flag(3, false)))),
        Wire.message(8, Wire.amount(1, "cpu", "500m"), Wire.amount(1, "memory", "64Mi"), Wire.amount(2, "cpu", "0")),
        Wire.message(
            10, Wire.message(1, Wire.message(2, Wire.text(1, "/health"), Wire.either(2, "http"))), Wire.number(2, 3)),
        Wire.message(11, Wire.message(1, Wire.message(3, Wire.either(1, 8080)))),
        Wire.message(15, Wire.number(4, 0), Wire.flag(5, false)),
    ].flatMap(\.self)

    static let podObject: JSONValue = [
        "apiVersion": "v1", "kind": "Pod",
        "metadata": [
            "name": "web", "namespace": "shop", "labels": ["app": "web", "empty": ""], "annotations": ["note": "grüße"],
            "ownerReferences": [
                [
                    "kind": "ReplicaSet", "name": "web-1", "uid": "u-1", "apiVersion": "apps/v1", "controller": true,
                    "blockOwnerDeletion": false,
                ]
            ],
            "finalizers": ["example.com/keep"],
        ],
        "spec": [
            "volumes": [
                ["name": "data", "emptyDir": [:]],
                ["name": "conf", "configMap": ["name": "settings", "defaultMode": 420]],
            ],
            "containers": [
                [
                    "name": "main", "image": "web:1.0", "command": ["sh", "-c", ""],
                    "ports": [["name": "http", "containerPort": 8080, "protocol": "TCP"]],
                    "env": [
                        ["name": "PORT", "value": "8080"],
                        ["name": "KEY", "valueFrom": ["secretKeyRef": ["name": "s", "key": "k", "optional": false]]],
                    ],
                    "resources": ["limits": ["cpu": "500m", "memory": "64Mi"], "requests": ["cpu": "0"]],
                    "livenessProbe": ["httpGet": ["path": "/health", "port": "http"], "initialDelaySeconds": 3],
                    "readinessProbe": ["tcpSocket": ["port": 8080]],
                    "securityContext": ["runAsUser": 0, "runAsNonRoot": false],
                ],
                ["name": "side", "image": "busybox"],
            ],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 0, "nodeSelector": ["disk": "ssd"],
            "tolerations": [["key": "gpu", "operator": "Exists", "tolerationSeconds": 0]],
        ],
        "status": ["phase": "Running"],
    ]

    static let deployment = Wire.body(
        "apps/v1", "Deployment",
        Wire.message(1, Wire.text(1, "web")),
        Wire.message(
            2, Wire.number(1, 0), Wire.message(2, Wire.entry(1, "app", "web")),
            Wire.message(
                3, Wire.message(1, Wire.message(8), Wire.entry(11, "app", "web")),
                Wire.message(2, Wire.message(2, Wire.text(1, "main"), Wire.text(2, "web:1.0"), Wire.message(8)))),
            Wire.message(4, Wire.text(1, "RollingUpdate"), Wire.message(2, Wire.either(1, "25%"), Wire.either(2, 0))),
            Wire.number(5, 0), Wire.number(6, 0), Wire.flag(7, false)))

    static let deploymentObject: JSONValue = [
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web"],
        "spec": [
            "replicas": 0, "selector": ["matchLabels": ["app": "web"]],
            "template": [
                "metadata": ["labels": ["app": "web"]],
                "spec": ["containers": [["name": "main", "image": "web:1.0"]]],
            ],
            "strategy": ["type": "RollingUpdate", "rollingUpdate": ["maxUnavailable": "25%", "maxSurge": 0]],
            "revisionHistoryLimit": 0,
        ],
    ]
}
