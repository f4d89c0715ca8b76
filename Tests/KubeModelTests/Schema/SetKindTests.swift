import KubeModel
import Testing

@Suite("Sets of pods", .timeLimit(.minutes(5))) struct SetKindTests {
    private static let selector = #""selector": {"matchLabels": {"app": "web"}}"#

    private func set(_ spec: String = "", template: String = Fixture.template(), selector: String = Self.selector)
        -> String
    {
        let parts = [selector, template, spec].filter { !$0.isEmpty }
        return #"{"metadata": {"name": "db"}, "spec": {\#(parts.joined(separator: ", "))}}"#
    }

    // MARK: StatefulSet

    @Test("a StatefulSet goes in order, updates by rolling, and keeps its claims")
    func statefulDefaults() throws {
        let claims = #""volumeClaimTemplates": [{"metadata": {"name": "data"}}]"#
        let set = try Fixture.created(.statefulSets, set(claims))
        let spec = set.value["spec"]
        #expect(spec?["replicas"] == 1)
        #expect(spec?["podManagementPolicy"] == "OrderedReady")
        #expect(spec?["updateStrategy"] == ["type": "RollingUpdate", "rollingUpdate": ["partition": 0]])
        #expect(spec?["revisionHistoryLimit"] == 10)
        #expect(spec?["persistentVolumeClaimRetentionPolicy"] == ["whenDeleted": "Retain", "whenScaled": "Retain"])
        let claim = spec?["volumeClaimTemplates"]?.array?.first
        #expect(claim?["kind"] == "PersistentVolumeClaim")
        #expect(claim?[["spec", "volumeMode"]] == "Filesystem")
        #expect(claim?["status"] == ["phase": "Pending"])
        #expect(set.value["status"] == ["replicas": 0, "availableReplicas": 0])
    }

    @Test("mounts of a StatefulSet may name its claims")
    func claims() throws {
        let mount = #""volumeMounts": [{"name": "data", "mountPath": "/data"}]"#
        let template = Fixture.template(container: mount)
        let claims = #""volumeClaimTemplates": [{"metadata": {"name": "data"}}]"#
        #expect(try Fixture.refusals(.statefulSets, set(claims, template: template)) == [])
        #expect(
            try Fixture.refusals(.statefulSets, set(template: template))
                == [#"spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data""#])
    }

    @Test(
        "what a StatefulSet must not say",
        arguments: [
            (
                #""podManagementPolicy": "Any""#,
                #"spec.podManagementPolicy: Invalid value: "Any": must be 'OrderedReady' or 'Parallel'"#
            ),
            (
                #""updateStrategy": {"type": "Never"}"#,
                #"spec.updateStrategy: Invalid value: apps.StatefulSetUpdateStrategy{Type:"Never", RollingUpdate:(*apps.RollingUpdateStatefulSetStrategy)(nil)}: must be 'RollingUpdate' or 'OnDelete'"#
            ),
            (#""replicas": -1"#, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
            (
                #""persistentVolumeClaimRetentionPolicy": {"whenScaled": "Keep"}"#,
                #"spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": supported values: "Retain", "Delete""#
            ),
            (
                #""ordinals": {"start": -2}"#,
                "spec.ordinals.start: Invalid value: -2: must be greater than or equal to 0"
            ),
        ])
    func statefulRefusals(spec: String, error: String) throws {
        #expect(try Fixture.refusals(.statefulSets, set(spec)) == [error])
    }

    @Test("a StatefulSet needs a selector that is not empty")
    func statefulSelector() throws {
        #expect(
            try Fixture.refusals(.statefulSets, set(selector: "")) == [
                "spec.selector: Required value",
                #"spec.template.metadata.labels: Invalid value: map[string]string{"app":"web"}: `selector` does not match template `labels`"#,
            ])
        #expect(
            try Fixture.refusals(.statefulSets, set(selector: #""selector": {}"#)) == [
                "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
                    + "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for statefulset"
            ])
    }

    @Test("of a StatefulSet only some members change")
    func statefulUpdate() throws {
        let name = try Fixture.changed(.statefulSets, set()) { $0.value[["spec", "serviceName"]] = "x" }
        #expect(
            name.errors == [
                "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                    + "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                    + "'minReadySeconds' are forbidden"
            ])
        let size = try Fixture.changed(.statefulSets, set()) { $0.value[["spec", "replicas"]] = 5 }
        #expect(size.errors == [])
        #expect(size.object.generation == 2)
        let status = try Fixture.changed(.statefulSets, set(), "status") {
            $0.value["status"] = ["replicas": 1, "readyReplicas": 2]
        }
        #expect(
            status.errors == ["status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas"])
    }

    // MARK: DaemonSet

    @Test("a DaemonSet rolls over its nodes one by one, and numbers its templates")
    func daemonDefaults() throws {
        let set = try Fixture.created(.daemonSets, set())
        #expect(
            set.value[["spec", "updateStrategy"]]
                == ["type": "RollingUpdate", "rollingUpdate": ["maxUnavailable": 1, "maxSurge": 0]])
        #expect(set.annotations["deprecated.daemonset.template.generation"] == "1")
        let changed = try Fixture.changed(.daemonSets, self.set()) {
            $0.value[["spec", "template", "spec", "hostNetwork"]] = true
            $0.annotations = [:]
        }
        #expect(changed.errors == [])
        #expect(changed.object.annotations["deprecated.daemonset.template.generation"] == "2")
        #expect(changed.object.generation == 2)
    }

    @Test(
        "what a DaemonSet must not say",
        arguments: [
            (
                #""updateStrategy": {"rollingUpdate": {"maxSurge": 1}}"#,
                "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"
            ),
            (
                #""updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}"#,
                "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"
            ),
            (
                #""updateStrategy": {"rollingUpdate": {"maxUnavailable": "101%"}}"#,
                #"spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 101%: must not be greater than 100%"#
            ),
            (
                #""updateStrategy": {"type": "Never"}"#,
                #"spec.updateStrategy: Unsupported value: apps.DaemonSetUpdateStrategy{Type:"Never", RollingUpdate:(*apps.RollingUpdateDaemonSet)(nil)}: supported values: "RollingUpdate", "OnDelete""#
            ),
        ])
    func daemonRefusals(spec: String, error: String) throws {
        #expect(try Fixture.refusals(.daemonSets, set(spec)) == [error])
    }

    // MARK: ReplicationController, PodTemplate, ControllerRevision

    @Test("a ReplicationController selects by the labels of its template")
    func controller() throws {
        let controller = try Fixture.created(.replicationControllers, set(selector: ""))
        #expect(controller.value[["spec", "selector"]] == ["app": "web"])
        #expect(controller.labels == ["app": "web"])
        #expect(
            try Fixture.refusals(.replicationControllers, set(selector: #""selector": {"app": "x"}"#)) == [
                #"spec.template.metadata.labels: Invalid value: map[string]string{"app":"web"}: `selector` does not match template `labels`"#
            ])
        #expect(
            try Fixture.refusals(.replicationControllers, set(template: "", selector: "")) == [
                "spec.selector: Required value", "spec.template: Required value",
            ])
    }

    @Test("the state in a ControllerRevision never changes")
    func revision() throws {
        let text = #"{"metadata": {"name": "r"}, "data": {"a": 1}}"#
        #expect(try Fixture.created(.controllerRevisions, text).value["revision"] == 0)
        let changed = try Fixture.changed(.controllerRevisions, text) { $0.value["data"] = ["a": 2] }
        #expect(changed.errors == [#"data: Invalid value: {"a":2}: field is immutable"#])
        #expect(
            try Fixture.refusals(.controllerRevisions, #"{"metadata": {"name": "r"}}"#)
                == ["data: Required value: data is mandatory"])
    }

    @Test("columns of kubectl get")
    func columns() throws {
        #expect(
            try Fixture.line(.statefulSets, set(#""replicas": 3"#)) { $0.value["status"] = ["readyReplicas": 2] }
                == "db|2/3|5m|web|web:1.0")
        let status: JSONValue = [
            "desiredNumberScheduled": 3, "currentNumberScheduled": 2, "numberReady": 1, "updatedNumberScheduled": 2,
        ]
        #expect(
            try Fixture.line(.daemonSets, set()) { $0.value["status"] = status }
                == "db|3|2|1|2|0|<none>|5m|web|web:1.0|app=web")
        #expect(
            try Fixture.line(.replicationControllers, set(selector: "")) == "db|1|0|0|5m|web|web:1.0|app=web")
        #expect(
            try Fixture.line(.podTemplates, #"{"metadata": {"name": "t"}, \#(Fixture.template())}"#)
                == "t|web|web:1.0|app=web")
        let owner: JSONValue = [
            "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "log", "uid": "1", "controller": true,
        ]
        #expect(
            try Fixture.line(.controllerRevisions, #"{"metadata": {"name": "r"}, "revision": 3, "data": {}}"#) {
                $0.value[["metadata", "ownerReferences"]] = .array([owner])
            } == "r|daemonset.apps/log|3|5m")
    }
}
