import KubeModel
import Testing

@Suite("Columns of kubectl get", .timeLimit(.minutes(5))) struct ColumnTests {
    /// The cells of an object, `-o wide` included, joined by `|`.
    private func line(_ resource: ResourceType, _ text: String) throws -> String {
        let kind = try Fixture.kind(resource)
        var object = try Fixture.object(resource, text)
        object.value[["metadata", "creationTimestamp"]] = .string(Fixture.ago(300))
        return kind.tableCells(object, now: Fixture.now).map { $0.string ?? $0.text }.joined(separator: "|")
    }

    private func pod(_ status: String, spec: String = "", metadata: String = "") throws -> String {
        let text = """
            {"metadata": {"name": "web"\(metadata)}, "status": {\(status)},
             "spec": {"containers": [{"name": "web", "image": "web:1"}]\(spec)}}
            """
        return try line(.pods, text).split(separator: "|").prefix(4).joined(separator: "|")
    }

    @Test(
        "a pod's status is one word about what it is doing",
        arguments: [
            (#""phase": "Pending""#, "web|0/1|Pending|0"),
            (
                #""phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]"#,
                "web|0/1|ContainerCreating|0"
            ),
            (
                #""phase": "Running", "containerStatuses": [{"ready": true, "state": {"running": {}}}]"#,
                "web|1/1|Running|0"
            ),
            (
                #""phase": "Running", "containerStatuses": [{"restartCount": 3, "#
                    + #""state": {"waiting": {"reason": "CrashLoopBackOff"}}, "#
                    + #""lastState": {"terminated": {"finishedAt": "\#(Fixture.ago(310))"}}}]"#,
                "web|0/1|CrashLoopBackOff|3 (5m10s ago)"
            ),
            (
                #""phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {"reason": "Completed"}}}]"#,
                "web|0/1|Completed|0"
            ),
            (
                #""phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 2}}}]"#,
                "web|0/1|ExitCode:2|0"
            ),
            (
                #""phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 137, "signal": 9}}}]"#,
                "web|0/1|Signal:9|0"
            ),
            (#""phase": "Failed", "reason": "Evicted""#, "web|0/1|Evicted|0"),
        ])
    func podStatus(status: String, expected: String) throws {
        #expect(try pod(status) == expected)
    }

    @Test(
        "init containers show how far they have come",
        arguments: [
            (#"[{"name": "a", "state": {"running": {}}}]"#, "web|0/1|Init:0/2|0"),
            (
                #"[{"name": "a", "state": {"terminated": {"exitCode": 0}}}, {"name": "b", "state": {"running": {}}}]"#,
                "web|0/1|Init:1/2|0"
            ),
            (
                #"[{"name": "a", "restartCount": 1, "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]"#,
                "web|0/1|Init:Error|1"
            ),
            (
                #"[{"name": "a", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]"#,
                "web|0/1|Init:ImagePullBackOff|0"
            ),
        ])
    func initContainers(statuses: String, expected: String) throws {
        let spec = #", "initContainers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]"#
        #expect(try pod(#""phase": "Pending", "initContainerStatuses": \#(statuses)"#, spec: spec) == expected)
    }

    @Test("a pod that is being deleted is Terminating until it has ended")
    func terminating() throws {
        let metadata = #", "deletionTimestamp": "\#(Fixture.ago(1))""#
        #expect(try pod(#""phase": "Running""#, metadata: metadata) == "web|0/1|Terminating|0")
        #expect(try pod(#""phase": "Succeeded""#, metadata: metadata) == "web|0/1|Succeeded|0")
    }

    @Test("a pod's wide columns say where it is")
    func widePod() throws {
        let text = #"""
            {"spec": {"nodeName": "node-1", "containers": [], "readinessGates": [{"conditionType": "a/b"}]},
             "status": {"phase": "Running", "podIP": "10.244.0.38", "conditions": [{"type": "a/b", "status": "True"}]}}
            """#
        #expect(try line(.pods, text) == "web|0/0|Running|0|5m|10.244.0.38|node-1|<none>|1/1")
    }

    @Test(
        "each kind has the columns that kubectl shows",
        arguments: [
            (
                ResourceType.deployments,
                #"""
                {"spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web", "a": "b"}},
                 "template": {"spec": {"containers": [{"name": "web", "image": "web:1.0"}, {"name": "b", "image": "c"}]}}},
                 "status": {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1}}
                """#, "web|2/3|3|1|5m|web,b|web:1.0,c|a=b,app=web"
            ),
            (
                .replicaSets,
                #"""
                {"spec": {"replicas": 3, "selector": {"matchExpressions":
                 [{"key": "app", "operator": "In", "values": ["x", "y"]}]}}, "status": {"replicas": 2}}
                """#, "web|3|2|0|5m|||app in (x,y)"
            ),
            (
                .services,
                #"""
                {"spec": {"type": "NodePort", "clusterIP": "10.96.46.227", "selector": {"app": "web"},
                 "ports": [{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP"}]}}
                """#, "web|NodePort|10.96.46.227|<none>|80:30080/TCP,53/UDP|5m|app=web"
            ),
            (
                .services, #"{"spec": {"type": "ExternalName", "externalName": "db.example.com"}}"#,
                "web|ExternalName|<none>|db.example.com|<none>|5m|<none>"
            ),
            (
                .services, #"{"spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.9", "ports": [{"port": 80}]}}"#,
                "web|LoadBalancer|10.96.0.9|<pending>|80/TCP|5m|<none>"
            ),
            (
                .endpoints,
                #"""
                {"subsets": [{"addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}],
                 "ports": [{"port": 80}, {"port": 443}]}]}
                """#, "web|10.0.0.1:80,10.0.0.2:80,10.0.0.1:443 + 1 more...|5m"
            ),
            (.endpoints, #"{}"#, "web|<none>|5m"),
            (
                .endpointSlices,
                #"""
                {"addressType": "IPv4", "ports": [{"port": 8080}],
                 "endpoints": [{"addresses": ["10.244.0.37"]}, {"addresses": ["10.244.0.38"]}]}
                """#, "web|IPv4|8080|10.244.0.37,10.244.0.38|5m"
            ),
            (.namespaces, #"{"status": {"phase": "Active"}}"#, "web|Active|5m"),
            (.configMaps, #"{"data": {"a": "b"}, "binaryData": {"c": "AAE="}}"#, "web|2|5m"),
            (.secrets, #"{"data": {"a": "AAE="}}"#, "web|Opaque|1|5m"),
            (.serviceAccounts, #"{"secrets": [{"name": "t"}]}"#, "web|1|5m"),
            (.leases, #"{"spec": {"holderIdentity": "node-1"}}"#, "web|node-1|5m"),
            (
                .nodes,
                #"""
                {"spec": {"unschedulable": true}, "status": {"conditions": [{"type": "Ready", "status": "True"}],
                 "addresses": [{"type": "InternalIP", "address": "192.0.2.2"}],
                 "nodeInfo": {"kubeletVersion": "v1.32.0", "osImage": "Debian", "kernelVersion": "6.1",
                  "containerRuntimeVersion": "velocity://1"}}}
                """#, "web|Ready,SchedulingDisabled|<none>|5m|v1.32.0|192.0.2.2|<none>|Debian|6.1|velocity://1"
            ),
            (
                .nodes, #"{"metadata": {"name": "n", "labels": {"node-role.kubernetes.io/control-plane": ""}}}"#,
                "n|Unknown|control-plane|5m||<none>|<none>|<unknown>|<unknown>|<unknown>"
            ),
            (
                .events,
                #"""
                {"type": "Normal", "reason": "Started", "message": "Started container web\n", "count": 4,
                 "involvedObject": {"kind": "Pod", "name": "web-1", "fieldPath": "spec.containers{web}"},
                 "source": {"component": "kubelet", "host": "node-1"},
                 "firstTimestamp": "\#(Fixture.ago(60))", "lastTimestamp": "\#(Fixture.ago(24))"}
                """#,
                "24s|Normal|Started|pod/web-1|spec.containers{web}|kubelet, node-1|Started container web|60s|4|web"
            ),
            (.ingresses, #"{"spec": {"rules": [{}]}}"#, "web|<none>|*||80|5m"),
            (
                .ingresses,
                #"""
                {"spec": {"ingressClassName": "lab", "tls": [{}],
                  "rules": [{"host": "a"}, {"host": "b"}, {"host": "c"}, {"host": "d"}]},
                 "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}, {"hostname": "x.example"}]}}}
                """#, "web|lab|a,b,c + 1 more...|192.0.2.9,x.example|80, 443|5m"
            ),
            (.ingressClasses, Samples.text(of: .ingressClasses), "lab|example.com/ingress|Settings.example.com/all|5m"),
            (.networkPolicies, Samples.text(of: .networkPolicies), "db|app=db|5m"),
            (.networkPolicies, "{}", "web|<none>|5m"),
            (.podDisruptionBudgets, Samples.text(of: .podDisruptionBudgets), "web|50%|N/A|1|5m"),
            (.podDisruptionBudgets, #"{"spec": {"maxUnavailable": 0}}"#, "web|N/A|0|0|5m"),
            (.roles, "{}", "web|\(Fixture.ago(300))"),
            (.roleBindings, Samples.text(of: .roleBindings), "reader|Role/reader|5m|ana||lab/ci"),
            (
                .clusterRoleBindings, Samples.text(of: .clusterRoleBindings),
                "admins|ClusterRole/cluster-admin|5m||system:masters|"
            ),
            (.storageClasses, Samples.text(of: .storageClasses), "fast|example.com/disk|Delete|Immediate|true|5m"),
            (
                .storageClasses,
                #"""
                {"metadata": {"name": "s", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                 "provisioner": "a.b/c", "volumeBindingMode": "WaitForFirstConsumer"}
                """#, "s (default)|a.b/c|Delete|WaitForFirstConsumer|false|5m"
            ),
            (.priorityClasses, Samples.text(of: .priorityClasses), "urgent|1000|false|5m|PreemptLowerPriority"),
        ])
    func kinds(resource: ResourceType, text: String, expected: String) throws {
        #expect(try line(resource, text) == expected)
    }

    @Test(
        "the headings are those of kubectl",
        arguments: [
            (ResourceType.pods, "NAME READY STATUS RESTARTS AGE|IP NODE NOMINATED NODE READINESS GATES"),
            (.deployments, "NAME READY UP-TO-DATE AVAILABLE AGE|CONTAINERS IMAGES SELECTOR"),
            (.replicaSets, "NAME DESIRED CURRENT READY AGE|CONTAINERS IMAGES SELECTOR"),
            (.services, "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE|SELECTOR"),
            (.nodes, "NAME STATUS ROLES AGE VERSION|INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME"),
            (.events, "LAST SEEN TYPE REASON OBJECT MESSAGE|SUBOBJECT SOURCE FIRST SEEN COUNT NAME"),
            (.endpointSlices, "NAME ADDRESSTYPE PORTS ENDPOINTS AGE|"),
            (.ingresses, "NAME CLASS HOSTS ADDRESS PORTS AGE|"),
            (.networkPolicies, "NAME POD-SELECTOR AGE|"),
            (.podDisruptionBudgets, "NAME MIN AVAILABLE MAX UNAVAILABLE ALLOWED DISRUPTIONS AGE|"),
            (.roles, "NAME CREATED AT|"),
            (.roleBindings, "NAME ROLE AGE|USERS GROUPS SERVICEACCOUNTS"),
            (.storageClasses, "NAME PROVISIONER RECLAIMPOLICY VOLUMEBINDINGMODE ALLOWVOLUMEEXPANSION AGE|"),
            (.priorityClasses, "NAME VALUE GLOBAL-DEFAULT AGE PREEMPTIONPOLICY|"),
        ])
    func headings(resource: ResourceType, expected: String) throws {
        let columns = try Fixture.kind(resource).columns
        func names(_ priority: Int) -> String {
            columns.filter { $0.priority == priority }.map { $0.name.uppercased() }.joined(separator: " ")
        }
        #expect("\(names(0))|\(names(1))" == expected)
    }

    @Test(
        "durations have at most two units",
        arguments: [
            (-2, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (599, "9m59s"), (600, "10m"),
            (10_799, "179m"), (10_800, "3h"), (12_060, "3h21m"), (28_800, "8h"), (172_799, "47h"), (172_800, "2d"),
            (176_400, "2d1h"), (691_200, "8d"), (63_072_000, "2y"), (63_158_400, "2y1d"), (252_288_000, "8y"),
        ])
    func durations(seconds: Int64, expected: String) {
        #expect(HumanDuration.text(seconds: seconds) == expected)
    }
}
