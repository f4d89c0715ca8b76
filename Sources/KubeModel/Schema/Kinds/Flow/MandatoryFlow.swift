/// The four objects of flow control without which Kubernetes does not work.
public enum MandatoryFlow {
    private static func flow(
        _ name: String, precedence: JSONValue, method: JSONValue?, groups: [String]
    ) -> KubeObject {
        var object = KubeObject(.flowSchemas, name: name)
        var spec: JSONValue = ["matchingPrecedence": precedence, "priorityLevelConfiguration": ["name": .string(name)]]
        spec["distinguisherMethod"] = method
        spec["rules"] = [
            [
                "nonResourceRules": [["nonResourceURLs": ["*"], "verbs": ["*"]]],
                "resourceRules": [
                    [
                        "apiGroups": ["*"], "clusterScope": true, "namespaces": ["*"], "resources": ["*"],
                        "verbs": ["*"],
                    ]
                ],
                "subjects": .array(groups.map { ["group": ["name": .string($0)], "kind": "Group"] }),
            ]
        ]
        object.value["spec"] = spec
        return object
    }

    private static func level(_ name: String, _ spec: JSONValue) -> KubeObject {
        var object = KubeObject(.priorityLevelConfigurations, name: name)
        object.value["spec"] = spec
        return object
    }

    public static let schemas = [
        flow("exempt", precedence: 1, method: nil, groups: ["system:masters"]),
        flow(
            "catch-all", precedence: 10000, method: ["type": "ByUser"],
            groups: ["system:unauthenticated", "system:authenticated"]),
    ]

    public static let levels = [
        level("exempt", ["exempt": ["lendablePercent": 0, "nominalConcurrencyShares": 0], "type": "Exempt"]),
        level(
            "catch-all",
            [
                "limited": [
                    "lendablePercent": 0, "limitResponse": ["type": "Reject"], "nominalConcurrencyShares": 5,
                ], "type": "Limited",
            ]),
    ]
}
