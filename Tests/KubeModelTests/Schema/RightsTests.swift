import KubeModel
import Testing

@Suite("Roles, bindings, classes and budgets", .timeLimit(.minutes(5))) struct RightsTests {
    @Test(
        "a rule speaks of resources or of paths",
        arguments: [
            (
                #"{"rules": [{"apiGroups": [""], "resources": ["pods"]}]}"#,
                ["rules[0].verbs: Required value: verbs must contain at least one value"]
            ),
            (
                #"{"rules": [{"verbs": ["get"]}]}"#,
                [
                    "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
                    "rules[0].resources: Required value: resource rules must supply at least one resource",
                ]
            ),
            (
                #"{"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]}"#,
                [
                    #"rules[0].nonResourceURLs: Invalid value: []string{"/x"}: namespaced rules cannot apply to non-resource URLs"#
                ]
            ),
            (#"{"metadata": {"name": "system:node"}, "rules": []}"#, []),
            (#"{"metadata": {"name": "a/b"}}"#, [#"metadata.name: Invalid value: "a/b": may not contain '/'"#]),
        ])
    func role(text: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.roles, text) == expected)
    }

    @Test("a cluster role may speak of paths, but not of both at once; a sum needs parts")
    func clusterRole() throws {
        let paths = #"{"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]}"#
        #expect(try Fixture.complaints(.clusterRoles, paths) == [])
        let both = #"{"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"], "resources": ["pods"]}]}"#
        #expect(
            try Fixture.complaints(.clusterRoles, both) == [
                #"rules[0].nonResourceURLs: Invalid value: []string{"/x"}: rules cannot apply to both regular "#
                    + "resources and non-resource URLs"
            ])
        #expect(
            try Fixture.complaints(.clusterRoles, #"{"aggregationRule": {}}"#) == [
                "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if "
                    + "aggregationRule is non-nil"
            ])
    }

    @Test(
        "a binding names a role and somebody",
        arguments: [
            (
                #"{"roleRef": {"kind": "Rolle", "name": "x"}}"#,
                [#"roleRef.kind: Unsupported value: "Rolle": supported values: "Role", "ClusterRole""#]
            ),
            (
                #"{"roleRef": {"kind": "Role"}, "subjects": [{"kind": "User", "name": ""}]}"#,
                [
                    "roleRef.name: Required value", "subjects[0].name: Required value",
                    #"subjects[0].name: Invalid value: "": user name cannot be empty"#,
                ]
            ),
            (
                #"{"roleRef": {"kind": "Role", "name": "x"}, "subjects": [{"kind": "Users", "name": "a"}]}"#,
                [
                    #"subjects[0].kind: Unsupported value: "Users": "#
                        + #"supported values: "ServiceAccount", "User", "Group""#
                ]
            ),
            (
                #"{"roleRef": {"kind": "Role", "name": "x"}, "#
                    + #""subjects": [{"kind": "ServiceAccount", "name": "a", "apiGroup": "x"}]}"#,
                [#"subjects[0].apiGroup: Unsupported value: "x": supported values: """#]
            ),
        ])
    func binding(text: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.roleBindings, text) == expected)
    }

    @Test("a binding of the cluster needs the namespace of a service account")
    func clusterBinding() throws {
        let text = #"""
            {"roleRef": {"kind": "Role", "name": "x"}, "subjects": [{"kind": "ServiceAccount", "name": "a"}]}
            """#
        #expect(
            try Fixture.complaints(.clusterRoleBindings, text) == [
                #"roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole""#,
                "subjects[0].namespace: Required value",
            ])
    }

    @Test("groups are filled in, and the role of a binding is for ever")
    func roleOfBinding() throws {
        let kind = try Fixture.kind(.roleBindings)
        let old = try Fixture.object(.roleBindings, Samples.text(of: .roleBindings))
        #expect(old.value[["roleRef", "apiGroup"]] == "rbac.authorization.k8s.io")
        let subjects = try #require(old.value["subjects"]?.array)
        #expect(subjects.map { $0["apiGroup"]?.string } == ["rbac.authorization.k8s.io", nil])
        var new = old
        new.value[["roleRef", "name"]] = "writer"
        #expect(
            kind.validateUpdate(new, old: old).map(\.description) == [
                #"roleRef: Invalid value: rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"Role", "#
                    + #"Name:"writer"}: cannot change roleRef"#
            ])
    }

    @Test(
        "a budget is a number or a share",
        arguments: [
            (
                #"{"spec": {"minAvailable": -1}}"#,
                ["spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"]
            ),
            (
                #"{"spec": {"maxUnavailable": "120%"}}"#,
                ["spec.maxUnavailable: Invalid value: 120%: must not be greater than 100%"]
            ),
            (
                #"{"spec": {"minAvailable": 1, "maxUnavailable": 1}}"#,
                [
                    "spec: Invalid value: policy.PodDisruptionBudgetSpec{MinAvailable:(*intstr.IntOrString)"
                        + "(0xc000000000), Selector:(*v1.LabelSelector)(nil), "
                        + "MaxUnavailable:(*intstr.IntOrString)(0xc000000000), UnhealthyPodEvictionPolicy:"
                        + "(*policy.UnhealthyPodEvictionPolicyType)(nil)}: minAvailable and maxUnavailable cannot be "
                        + "both set"
                ]
            ),
            (
                #"{"spec": {"unhealthyPodEvictionPolicy": "Never"}}"#,
                [
                    #"spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": "#
                        + #"supported values: "AlwaysAllow", "IfHealthyBudget""#
                ]
            ),
        ])
    func budget(text: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.podDisruptionBudgets, text) == expected)
    }

    @Test(
        "a storage class names who makes volumes",
        arguments: [
            ("{}", ["provisioner: Required value"]),
            (
                #"{"provisioner": "a.b/c", "reclaimPolicy": "Recycle"}"#,
                [#"reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain""#]
            ),
            (
                #"{"provisioner": "a.b/c", "allowedTopologies": [{"matchLabelExpressions": [{"key": "zone"}]}]}"#,
                ["allowedTopologies[0].matchLabelExpressions[0].values: Required value"]
            ),
        ])
    func storageClass(text: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.storageClasses, text) == expected)
    }

    @Test("what a storage class is does not change")
    func storageClassUpdate() throws {
        let kind = try Fixture.kind(.storageClasses)
        let old = try Fixture.object(.storageClasses, #"{"provisioner": "a.b/c"}"#)
        let new = try Fixture.object(
            .storageClasses,
            #"{"provisioner": "a.b/d", "parameters": {"x": "y"}, "reclaimPolicy": "Retain", "#
                + #""volumeBindingMode": "WaitForFirstConsumer"}"#)
        #expect(
            kind.validateUpdate(new, old: old).map(\.description) == [
                #"volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable"#,
                "parameters: Forbidden: updates to parameters are forbidden.",
                "provisioner: Forbidden: updates to provisioner are forbidden.",
                "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.",
            ])
    }

    @Test(
        "priority classes of the cluster's own names are the cluster's",
        arguments: [
            (
                #"{"metadata": {"name": "urgent"}, "value": 1000000001}"#,
                ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]
            ),
            (
                #"{"metadata": {"name": "system-x"}, "value": 1}"#,
                [
                    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use "
                        + "only. error: system-x is not a known system priority class"
                ]
            ),
            (#"{"metadata": {"name": "system-node-critical"}, "value": 2000001000}"#, []),
            (
                #"{"metadata": {"name": "a"}, "preemptionPolicy": "Always"}"#,
                [
                    #"preemptionPolicy: Unsupported value: "Always": "#
                        + #"supported values: "PreemptLowerPriority", "Never""#
                ]
            ),
        ])
    func priorityClass(text: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.priorityClasses, text) == expected)
    }

    @Test("a priority never changes")
    func priorityUpdate() throws {
        let kind = try Fixture.kind(.priorityClasses)
        let old = try Fixture.object(.priorityClasses, #"{"value": 1}"#)
        let new = try Fixture.object(.priorityClasses, #"{"value": 2, "preemptionPolicy": "Never"}"#)
        #expect(
            kind.validateUpdate(new, old: old).map(\.description) == [
                #"preemptionPolicy: Invalid value: "Never": field is immutable"#,
                "value: Forbidden: may not be changed in an update.",
            ])
    }
}
