import KubeModel
import Testing

@Suite("Patches") struct PatchTests {
    /// A hand-made type, so that these tests do not depend on any kind.
    struct Structure: PatchStructure {
        var members: [String: Structure] = [:]
        var elements: [Structure] = []
        var patchMergeKey: String?
        var patchStrategies: Set<String> = []
        var listMapKeys: [String] = []
        var patchName: String { "test" }
        func member(_ name: String) -> (any PatchStructure)? { members[name] }
        var element: (any PatchStructure)? { elements.first }
    }

    static let pod = Structure(members: [
        "spec": Structure(members: [
            "containers": Structure(
                elements: [
                    Structure(members: [
                        "env": Structure(elements: [Structure()], patchMergeKey: "name", patchStrategies: ["merge"])
                    ])
                ], patchMergeKey: "name", patchStrategies: ["merge"]),
            "finalizers": Structure(patchStrategies: ["merge"]),
            "strategy": Structure(patchStrategies: ["retainKeys"]),
        ])
    ])

    private func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

    @Test(
        "a merge patch replaces, adds and removes",
        arguments: [
            (#"{"a":1,"b":{"c":2,"d":3}}"#, #"{"b":{"c":null,"e":4},"f":[1]}"#, #"{"a":1,"b":{"d":3,"e":4},"f":[1]}"#),
            (#"{"a":[1,2]}"#, #"{"a":[3]}"#, #"{"a":[3]}"#),
            (#"{"a":1}"#, #"{"a":{"b":{"c":null}}}"#, #"{"a":{"b":{}}}"#),
            (#"{}"#, #"[1]"#, "[1]"),
        ])
    func merge(original: String, patch: String, result: String) throws {
        #expect(try json(original).applyingMergePatch(json(patch)) == json(result))
    }

    @Test(
        "a JSON patch does its operations in order",
        arguments: [
            (
                #"{"a":[1,2]}"#, #"[{"op":"add","path":"/a/1","value":9},{"op":"add","path":"/a/-","value":3}]"#,
                #"{"a":[1,9,2,3]}"#
            ),
            (#"{"a":{"b/c":1}}"#, #"[{"op":"replace","path":"/a/b~1c","value":2}]"#, #"{"a":{"b/c":2}}"#),
            (#"{"a":1}"#, #"[{"op":"copy","from":"/a","path":"/b"},{"op":"remove","path":"/a"}]"#, #"{"b":1}"#),
            (#"{"a":1}"#, #"[{"op":"move","from":"/a","path":"/b"},{"op":"test","path":"/b","value":1}]"#, #"{"b":1}"#),
        ])
    func jsonPatch(original: String, patch: String, result: String) throws {
        #expect(try json(original).applyingJSONPatch(json(patch)) == json(result))
    }

    @Test(
        "a JSON patch that does not fit says why",
        arguments: [
            (
                #"[{"op":"remove","path":"/x"}]"#,
                "remove operation does not apply: Unable to remove nonexistent key: x: missing value"
            ),
            (
                #"[{"op":"replace","path":"/x","value":1}]"#,
                #"replace operation does not apply: doc is missing path: "/x": missing value"#
            ),
            (#"[{"op":"test","path":"/a","value":2}]"#, "testing value /a failed: test failed"),
            (
                #"[{"op":"add","path":"/x/y","value":1}]"#,
                #"add operation does not apply: doc is missing path: "/x/y": missing value"#
            ),
            (#"[{"op":"jump","path":"/a"}]"#, "Unexpected kind: jump"),
        ])
    func badJSONPatch(patch: String, message: String) throws {
        #expect(throws: PatchError(message: message)) { try json(#"{"a":1}"#).applyingJSONPatch(json(patch)) }
    }

    @Test("a strategic merge patch merges lists by key, removes elements and keeps the order asked for")
    func strategic() throws {
        let pod = try json(
            #"{"spec":{"containers":[{"name":"web","image":"a","env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]},{"name":"side"}]}}"#
        )
        let patch = try json(
            """
            {"spec":{"$setElementOrder/containers":[{"name":"side"},{"name":"web"}],"containers":[
             {"name":"web","image":"b","$setElementOrder/env":[{"name":"C"},{"name":"A"}],
              "env":[{"name":"C","value":"3"},{"$patch":"delete","name":"B"}]}]}}
            """)
        let result = try pod.applyingStrategicMergePatch(patch, structure: Self.pod)
        #expect(
            result.text
                == #"{"spec":{"containers":[{"name":"side"},{"name":"web","image":"b","env":[{"name":"C","value":"3"},{"name":"A","value":"1"}]}]}}"#
        )
    }

    @Test("retained keys, replaced maps and primitive lists follow their directives")
    func directives() throws {
        let object = try json(
            #"{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}},"finalizers":["a","b"],"other":{"x":1}}}"#
        )
        let patch = try json(
            """
            {"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"},"$deleteFromPrimitiveList/finalizers":["a"],
             "finalizers":["c"],"other":{"$patch":"replace","y":2}}}
            """)
        let result = try object.applyingStrategicMergePatch(patch, structure: Self.pod)
        #expect(
            result == (try json(#"{"spec":{"strategy":{"type":"Recreate"},"finalizers":["c","b"],"other":{"y":2}}}"#)))
    }

    @Test("an element without its merge key is refused")
    func missingKey() throws {
        let patch = try json(#"{"spec":{"containers":[{"image":"x"}]}}"#)
        #expect(
            throws: PatchError(message: "map: map[image:x] does not contain declared merge key: name", fault: .server)
        ) {
            try json(#"{"spec":{"containers":[]}}"#).applyingStrategicMergePatch(patch, structure: Self.pod)
        }
    }
}
