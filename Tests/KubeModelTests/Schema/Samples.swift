import KubeModel

/// One object of each kind with many of its members.
enum Samples {
    static func text(of resource: ResourceType) -> String {
        texts["\(resource.apiVersion)/\(resource.kind)"] ?? texts[resource.kind] ?? extensions[resource.kind] ?? "{}"
    }

    private static let texts: [String: String] = [
        "Pod": #"""
        {"metadata": {"name": "web", "labels": {"app": "web"}, "annotations": {"note": "hello"}},
         "spec": {"initContainers": [{"name": "wait", "image": "busybox:1", "command": ["sh", "-c", "true"]}],
          "containers": [{"name": "web", "image": "web:1.0", "args": ["--port=8080"],
           "ports": [{"name": "http", "containerPort": 8080}, {"containerPort": 53, "protocol": "UDP"}],
           "env": [{"name": "PORT", "value": "8080"},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": true}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}],
           "envFrom": [{"prefix": "C_", "configMapRef": {"name": "settings"}}],
           "resources": {"limits": {"cpu": "500m", "memory": "64Mi"}, "requests": {"cpu": 0.25}},
           "livenessProbe": {"httpGet": {"path": "/health", "port": "http"}, "initialDelaySeconds": 3},
           "readinessProbe": {"tcpSocket": {"port": 8080}}, "startupProbe": {"exec": {"command": ["true"]}},
           "lifecycle": {"preStop": {"exec": {"command": ["sleep", "1"]}}},
           "securityContext": {"runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}},
           "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "conf", "mountPath": "/etc/web"}]}],
          "volumes": [{"name": "data", "emptyDir": {"sizeLimit": "10Mi"}},
           {"name": "conf", "configMap": {"name": "settings", "items": [{"key": "a", "path": "b/a"}]}}],
          "nodeSelector": {"disk": "ssd"},
          "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100,
           "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}}}]}},
          "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
          "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}]},
         "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": null}]}}
        """#,
        "Deployment": #"""
        {"metadata": {"name": "web"}, "spec": {"replicas": 3, "minReadySeconds": 5,
         "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
         "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
         "spec": {"containers": [{"name": "web", "image": "web:1.0"}]}}}}
        """#,
        "ReplicaSet": #"""
        {"metadata": {"name": "web"}, "spec": {"replicas": 3,
         "selector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
         "template": {"metadata": {"labels": {"app": "web"}},
         "spec": {"containers": [{"name": "web", "image": "web:1.0"}]}}}}
        """#,
        "PodTemplate": #"""
        {"metadata": {"name": "web"}, "template": {"metadata": {"labels": {"app": "web"}},
         "spec": {"containers": [{"name": "web", "image": "web:1.0"}]}}}
        """#,
        "ReplicationController": #"""
        {"metadata": {"name": "web"}, "spec": {"replicas": 3, "selector": {"app": "web"},
         "template": {"metadata": {"labels": {"app": "web"}},
         "spec": {"containers": [{"name": "web", "image": "web:1.0"}]}}}}
        """#,
        "StatefulSet": #"""
        {"metadata": {"name": "db"}, "spec": {"serviceName": "db", "replicas": 3,
         "selector": {"matchLabels": {"app": "db"}}, "template": {"metadata": {"labels": {"app": "db"}},
         "spec": {"containers": [{"name": "db", "image": "db:1.0",
          "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}},
         "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
          "resources": {"requests": {"storage": "1Gi"}}}}]}}
        """#,
        "DaemonSet": #"""
        {"metadata": {"name": "log"}, "spec": {"selector": {"matchLabels": {"app": "log"}},
         "template": {"metadata": {"labels": {"app": "log"}}, "spec": {"nodeSelector": {"disk": "ssd"},
         "containers": [{"name": "log", "image": "log:1.0"}]}}}}
        """#,
        "ControllerRevision": #"{"metadata": {"name": "db-1"}, "revision": 1, "data": {"spec": {"template": {}}}}"#,
        "Job": #"""
        {"metadata": {"name": "pi"}, "spec": {"backoffLimit": 4, "podFailurePolicy": {"rules": [
          {"action": "FailJob", "onExitCodes": {"containerName": "pi", "operator": "In", "values": [42]}},
          {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]},
         "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "pi", "image": "pi:1.0"}]}}}}
        """#,
        "CronJob": #"""
        {"metadata": {"name": "hello"}, "spec": {"schedule": "*/5 * * * *", "timeZone": "UTC",
         "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "OnFailure",
         "containers": [{"name": "hello", "image": "hello:1.0"}]}}}}}}
        """#,
        "PersistentVolume": #"""
        {"metadata": {"name": "disk"}, "spec": {"capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"],
         "storageClassName": "manual", "hostPath": {"path": "/data"},
         "claimRef": {"namespace": "lab", "name": "data"}}}
        """#,
        "PersistentVolumeClaim": #"""
        {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "manual",
         "resources": {"requests": {"storage": "1Gi"}}}}
        """#,
        "ResourceQuota": #"""
        {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "4", "limits.cpu": "2", "count/jobs.batch": 3}},
         "status": {"hard": {"pods": "4", "limits.cpu": "2"}, "used": {"pods": "1", "limits.cpu": "500m"}}}
        """#,
        "LimitRange": #"""
        {"metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", "max": {"cpu": "1"},
         "default": {"memory": "64Mi"}}]}}
        """#,
        "Service": #"""
        {"metadata": {"name": "web"}, "spec": {"type": "NodePort", "selector": {"app": "web"},
         "ports": [{"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080},
                   {"name": "dns", "port": 53, "protocol": "UDP"}]}}
        """#,
        "ConfigMap": #"{"metadata": {"name": "c"}, "data": {"a": "1"}, "binaryData": {"b": "AAE="}}"#,
        "Secret": #"{"metadata": {"name": "s"}, "data": {"a": "AAE="}, "stringData": {"b": "x"}}"#,
        "Namespace": #"{"metadata": {"name": "lab"}, "spec": {"finalizers": ["kubernetes"]}}"#,
        "Node": #"""
        {"metadata": {"name": "node-1", "labels": {"node-role.kubernetes.io/control-plane": ""}},
         "spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}], "podCIDR": "10.244.0.0/24"},
         "status": {"capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"},
          "addresses": [{"type": "InternalIP", "address": "192.0.2.2"}],
          "conditions": [{"type": "Ready", "status": "True"}],
          "nodeInfo": {"kubeletVersion": "v1.32.0", "osImage": "Debian GNU/Linux 12 (bookworm)"}}}
        """#,
        "Event": #"""
        {"metadata": {"name": "web.1", "namespace": "lab"}, "reason": "Started", "message": "Started container web",
         "involvedObject": {"kind": "Pod", "name": "web", "namespace": "lab"}, "type": "Normal", "count": 1,
         "source": {"component": "kubelet", "host": "node-1"}, "eventTime": null}
        """#,
        "Endpoints": #"""
        {"metadata": {"name": "web"}, "subsets": [{"addresses": [{"ip": "10.244.0.37", "nodeName": "node-1"}],
         "ports": [{"name": "http", "port": 8080}]}]}
        """#,
        "EndpointSlice": #"""
        {"metadata": {"name": "web-abcde"}, "addressType": "IPv4", "ports": [{"name": "http", "port": 8080}],
         "endpoints": [{"addresses": ["10.244.0.37"], "conditions": {"ready": true}, "nodeName": "node-1"}]}
        """#,
        "ServiceAccount": #"{"metadata": {"name": "default"}, "imagePullSecrets": [{"name": "registry"}]}"#,
        "Lease": #"""
        {"metadata": {"name": "node-1"}, "spec": {"holderIdentity": "node-1", "leaseDurationSeconds": 40,
         "renewTime": "2026-05-04T13:37:00.123456Z"}}
        """#,
        "Ingress": #"""
        {"metadata": {"name": "web"}, "spec": {"ingressClassName": "lab",
         "tls": [{"hosts": ["shop.example"], "secretName": "cert"}],
         "defaultBackend": {"service": {"name": "web", "port": {"name": "http"}}},
         "rules": [{"host": "shop.example", "http": {"paths": [{"path": "/pay", "pathType": "Prefix",
          "backend": {"service": {"name": "pay", "port": {"number": 80}}}}]}}]},
         "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}}
        """#,
        "IngressClass": #"""
        {"metadata": {"name": "lab"}, "spec": {"controller": "example.com/ingress",
         "parameters": {"apiGroup": "example.com", "kind": "Settings", "name": "all"}}}
        """#,
        "NetworkPolicy": #"""
        {"metadata": {"name": "db"}, "spec": {"podSelector": {"matchLabels": {"app": "db"}},
         "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}, "namespaceSelector": {}},
          {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}], "ports": [{"port": 5432}]}],
         "egress": [{"to": [{"ipBlock": {"cidr": "2001:db8::/64"}}], "ports": [{"port": 80, "endPort": 90}]}]}}
        """#,
        "PodDisruptionBudget": #"""
        {"metadata": {"name": "web"}, "spec": {"minAvailable": "50%", "selector": {"matchLabels": {"app": "web"}},
         "unhealthyPodEvictionPolicy": "AlwaysAllow"}, "status": {"disruptionsAllowed": 1}}
        """#,
        "Role": #"""
        {"metadata": {"name": "reader"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
        """#,
        "ClusterRole": #"""
        {"metadata": {"name": "system:x"}, "rules": [{"nonResourceURLs": ["/healthz"], "verbs": ["get"]}],
         "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}
        """#,
        "RoleBinding": #"""
        {"metadata": {"name": "reader"}, "roleRef": {"kind": "Role", "name": "reader"},
         "subjects": [{"kind": "User", "name": "ana"}, {"kind": "ServiceAccount", "name": "ci", "namespace": "lab"}]}
        """#,
        "ClusterRoleBinding": #"""
        {"metadata": {"name": "admins"}, "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
         "subjects": [{"kind": "Group", "name": "system:masters"}]}
        """#,
        "StorageClass": #"""
        {"metadata": {"name": "fast"}, "provisioner": "example.com/disk", "parameters": {"type": "ssd"},
         "allowVolumeExpansion": true, "mountOptions": ["noatime"], "allowedTopologies": [
          {"matchLabelExpressions": [{"key": "zone", "values": ["a", "b"]}]}]}
        """#,
        "PriorityClass": #"""
        {"metadata": {"name": "urgent"}, "value": 1000, "description": "What cannot wait."}
        """#,
        "events.k8s.io/v1/Event": #"""
        {"metadata": {"name": "web.2", "namespace": "lab"}, "eventTime": "2026-01-01T00:00:00.000000Z",
         "reportingController": "example.com/painter", "reportingInstance": "painter-1", "action": "Painting",
         "reason": "Painted", "note": "It is blue now.", "type": "Normal",
         "regarding": {"kind": "Pod", "name": "web", "namespace": "lab"},
         "series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}}
        """#,
        "autoscaling/v1/HorizontalPodAutoscaler": #"""
        {"metadata": {"name": "web", "namespace": "lab"}, "spec": {"minReplicas": 2, "maxReplicas": 5,
         "targetCPUUtilizationPercentage": 60,
         "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}}
        """#,
        "autoscaling/v2/HorizontalPodAutoscaler": #"""
        {"metadata": {"name": "web", "namespace": "lab"}, "spec": {"minReplicas": 2, "maxReplicas": 5,
         "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
         "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60,
          "policies": [{"type": "Pods", "value": 1, "periodSeconds": 30}]}},
         "metrics": [
          {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "64Mi"}}},
          {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "web",
           "target": {"type": "Utilization", "averageUtilization": 70}}},
          {"type": "Pods", "pods": {"metric": {"name": "requests"},
           "target": {"type": "AverageValue", "averageValue": "10"}}}]}}
        """#,
        "APIService": #"""
        {"metadata": {"name": "v1.lamps.example.com"}, "spec": {"group": "lamps.example.com", "version": "v1",
         "groupPriorityMinimum": 1000, "versionPriority": 15, "insecureSkipTLSVerify": true,
         "service": {"namespace": "default", "name": "lamps", "port": 8443}}}
        """#,
        "ValidatingAdmissionPolicy": #"""
        {"metadata": {"name": "few"}, "spec": {"failurePolicy": "Fail",
         "matchConstraints": {"resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"],
          "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}]},
         "variables": [{"name": "count", "expression": "object.spec.replicas"}],
         "validations": [{"expression": "variables.count <= 5", "message": "five are enough"}]}}
        """#,
        "ValidatingAdmissionPolicyBinding": #"""
        {"metadata": {"name": "few"}, "spec": {"policyName": "few", "validationActions": ["Deny"],
         "matchResources": {"namespaceSelector": {"matchLabels": {"team": "payments"}}}}}
        """#,
        "CustomResourceDefinition": #"""
        {"metadata": {"name": "lamps.example.com"}, "spec": {"group": "example.com", "scope": "Namespaced",
         "names": {"plural": "lamps", "kind": "Lamp"}, "versions": [
          {"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
           "additionalPrinterColumns": [{"name": "Colour", "type": "string", "jsonPath": ".spec.colour"}],
           "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object",
            "properties": {"colour": {"type": "string", "enum": ["red", "blue"], "default": "red"}}}}}}}]},
         "status": {"storedVersions": ["v1"]}}
        """#,
    ]
}
