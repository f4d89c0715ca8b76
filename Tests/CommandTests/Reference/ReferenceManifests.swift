/// The manifests that the reference's commands name, as far as its outputs tell what was in them.
enum ReferenceManifests {
    static let files: [String: String] = [
        "config.yaml": """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: payment-config}
        data:
          LOG_LEVEL: info
          app.properties: |
            retries=3
            timeout=30s
        """,
        "secret.yaml": """
        apiVersion: v1
        kind: Secret
        metadata: {name: payment-secret}
        type: Opaque
        data: {DB_PASSWORD: cGFzc3dvcmQ=}
        stringData: {API_KEY: s3cr3t-key}
        """,
        "pod.yaml": """
        apiVersion: v1
        kind: Pod
        metadata: {name: payment-pod, labels: {app: payment-pod, tier: backend}}
        spec:
          containers:
          - {name: web, image: "web:1.0", imagePullPolicy: IfNotPresent, ports: [{containerPort: 8080}]}
        """,
        "deployment.yaml": """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: payment-gateway, labels: {app: payment-gateway, team: payments}}
        spec:
          replicas: 3
          selector: {matchLabels: {app: payment-gateway}}
          template:
            metadata: {labels: {app: payment-gateway, tier: backend}}
            spec:
              containers:
              - name: web
                image: web:1.0
                imagePullPolicy: IfNotPresent
                ports: [{containerPort: 8080}]
                envFrom: [{configMapRef: {name: payment-config}}, {secretRef: {name: payment-secret}}]
                livenessProbe: {httpGet: {path: /health, port: 8080}, initialDelaySeconds: 1, periodSeconds: 5}
                readinessProbe: {httpGet: {path: /ready, port: 8080}, initialDelaySeconds: 0, periodSeconds: 1}
                resources: {limits: {cpu: 200m, memory: 64Mi}, requests: {cpu: 50m, memory: 32Mi}}
        """,
        "services.yaml": """
        apiVersion: v1
        kind: Service
        metadata: {name: payment-gateway, labels: {app: payment-gateway}}
        spec: {selector: {app: payment-gateway}, ports: [{name: http, port: 80, targetPort: 8080}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: payment-gateway-nodeport, labels: {app: payment-gateway}}
        spec:
          type: NodePort
          selector: {app: payment-gateway}
          ports: [{name: http, port: 80, targetPort: 8080, nodePort: 30080}]
        """,
        "bad/typo.yaml": deployment("bad-typo", "replcas: 3"),
        "bad/selector-mismatch.yaml": deployment("bad-mismatch", "replicas: 1", selector: "other"),
        "bad/type.yaml": deployment("bad-type", #"replicas: "three""#),
        "bad/kind.yaml": deployment("bad-kind", "replicas: 1", kind: "Deploymnt"),
        "bad/label.yaml": configMap(#"{name: bad-label, labels: {a: "not a valid value!"}}"#),
        "bad/name.yaml": configMap("{name: Bad_Name}"),
        "bad/noimage.yaml": """
        apiVersion: v1
        kind: Pod
        metadata: {name: bad-noimage}
        spec: {containers: [{name: a}]}
        """,
        "bad/port.yaml": """
        apiVersion: v1
        kind: Service
        metadata: {name: bad-port}
        spec: {selector: {a: b}, ports: [{port: 70000}]}
        """,
        "bad/yaml.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: b: c\n",
    ]

    private static func deployment(
        _ name: String, _ replicas: String, selector: String = "x", kind: String = "Deployment"
    ) -> String {
        """
        apiVersion: apps/v1
        kind: \(kind)
        metadata: {name: \(name)}
        spec:
          \(replicas)
          selector: {matchLabels: {app: \(selector)}}
          template:
            metadata: {labels: {app: x}}
            spec: {containers: [{name: a, image: "web:1.0"}]}
        """
    }

    private static func configMap(_ metadata: String) -> String {
        "apiVersion: v1\nkind: ConfigMap\nmetadata: \(metadata)\n"
    }
}
