/// Objects of the kinds by which clusters are extended.
extension Samples {
    static let extensions: [String: String] = [
        "Binding": #"{"metadata": {"name": "web"}, "target": {"kind": "Node", "name": "node-1"}}"#,
        "RuntimeClass": #"""
        {"metadata": {"name": "sandboxed"}, "handler": "runsc", "overhead": {"podFixed": {"cpu": "250m"}},
         "scheduling": {"nodeSelector": {"sandbox": "yes"}, "tolerations": [{"key": "s", "operator": "Exists"}]}}
        """#,
        "CertificateSigningRequest": #"""
        {"metadata": {"name": "jane"}, "spec": {"signerName": "example.com/s", "usages": ["client auth"],
         "request":
         "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0t"}}
        """#,
        "CSIDriver": #"""
        {"metadata": {"name": "disk.example.com"}, "spec": {"attachRequired": false,
         "tokenRequests": [{"audience": "vault", "expirationSeconds": 3600}]}}
        """#,
        "CSINode": #"""
        {"metadata": {"name": "node-1"}, "spec": {"drivers": [{"name": "disk.example.com", "nodeID": "n1",
         "topologyKeys": ["example.com/zone"], "allocatable": {"count": 8}}]}}
        """#,
        "CSIStorageCapacity": #"""
        {"metadata": {"name": "fast"}, "storageClassName": "fast", "capacity": "10Gi",
         "nodeTopology": {"matchLabels": {"zone": "a"}}}
        """#,
        "VolumeAttachment": #"""
        {"metadata": {"name": "pv-1"}, "spec": {"attacher": "disk.example.com", "nodeName": "node-1",
         "source": {"persistentVolumeName": "pv-1"}}}
        """#,
        "FlowSchema": #"""
        {"metadata": {"name": "lab"}, "spec": {"priorityLevelConfiguration": {"name": "lab"},
         "distinguisherMethod": {"type": "ByUser"}, "rules": [{
          "subjects": [{"kind": "ServiceAccount", "serviceAccount": {"name": "*", "namespace": "lab"}}],
          "resourceRules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"], "namespaces": ["lab"]}],
          "nonResourceRules": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]}]}}
        """#,
        "PriorityLevelConfiguration": #"""
        {"metadata": {"name": "lab"}, "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 5,
         "limitResponse": {"type": "Queue", "queuing": {"queues": 16, "handSize": 4}}}}}
        """#,
    ]
}
