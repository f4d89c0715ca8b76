import LabTesting
import Testing

@testable import KubeModel

@Suite("Field sets") struct FieldSetTests {
    private func set(_ text: String) throws -> FieldSet { try FieldSet(reading: JSONValue(parsing: text)) }

    @Test("a set comes back as it was, with keys in one form")
    func reading() throws {
        let text = #"{"f:spec":{"f:ports":{"k:{ \"protocol\":\"TCP\", \"containerPort\":80 }":{".":{},"f:name":{}}}}}"#
        #expect(
            try set(text).value
                == JSONValue(
                    parsing:
                        #"{"f:spec":{"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{}}}}}"#
                ))
    }

    @Test(
        "what is no field set is refused",
        arguments: [
            #"{"spec":{}}"#, #"{"f:a":1}"#, "[]", #"{"k:{":{}}"#, #"{"k:1":{}}"#, #"{"i:x":{}}"#, #"{"v:":{}}"#,
        ])
    func refused(text: String) throws {
        let value = try JSONValue(parsing: text)
        #expect(throws: FieldSetError.self) { try FieldSet(reading: value) }
    }

    @Test(
        "operations tell a node from what is below it",
        arguments: [
            // left, right, union, intersection, left without right
            (#"{"f:a":{}}"#, #"{"f:a":{"f:b":{}}}"#, #"{"f:a":{".":{},"f:b":{}}}"#, "{}", #"{"f:a":{}}"#),
            (
                #"{"f:a":{".":{},"f:b":{}}}"#, #"{"f:a":{}}"#, #"{"f:a":{".":{},"f:b":{}}}"#, #"{"f:a":{}}"#,
                #"{"f:a":{"f:b":{}}}"#
            ),
            (
                #"{"f:a":{".":{},"f:b":{}}}"#, #"{"f:a":{"f:b":{}}}"#, #"{"f:a":{".":{},"f:b":{}}}"#,
                #"{"f:a":{"f:b":{}}}"#, #"{"f:a":{}}"#
            ),
            (
                #"{"f:a":{},"f:b":{}}"#, #"{"f:b":{},"f:c":{}}"#, #"{"f:a":{},"f:b":{},"f:c":{}}"#, #"{"f:b":{}}"#,
                #"{"f:a":{}}"#
            ),
            (#"{"f:a":{}}"#, #"{"f:a":{}}"#, #"{"f:a":{}}"#, #"{"f:a":{}}"#, "{}"),
            ("{}", #"{"f:a":{}}"#, #"{"f:a":{}}"#, "{}", "{}"),
        ])
    func operations(left: String, right: String, union: String, common: String, rest: String) throws {
        let (left, right) = (try set(left), try set(right))
        #expect(left.union(right) == (try set(union)))
        #expect(left.intersection(right) == (try set(common)))
        #expect(left.subtracting(right) == (try set(rest)))
    }

    @Test("paths read as Kubernetes shows them, shorter ones first, numbers by size")
    func paths() throws {
        let fields = try set(
            #"{"f:spec":{"f:ports":{"k:{\"port\":443}":{},"k:{\"port\":80}":{".":{},"f:name":{}}},"f:a":{},"f:set":{"v:\"x\"":{}}}}"#
        )
        #expect(
            fields.paths.map(PathElement.show) == [
                ".spec.a", ".spec.ports[port=80]", ".spec.ports[port=443]", ".spec.ports[port=80].name",
                #".spec.set[="x"]"#,
            ])
    }

    @Test("random sets obey the laws of sets", arguments: UInt64(1)...40)
    func laws(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        func make(_ depth: Int) -> JSONObject {
            var node: JSONObject = [:]
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let key = ["f:a", "f:b", "f:c", "k:{\"n\":1}"].randomElement(using: &random) ?? "f:a"
                node[key] = .object(depth == 0 ? [:] : make(depth - 1))
            }
            if depth < 3, !node.isEmpty, Bool.random(using: &random) { node["."] = [:] }
            return node
        }
        let (left, right) = (
            try FieldSet(reading: .object(make(3))), try FieldSet(reading: .object(make(3)))
        )
        let (all, both) = (Set(left.paths).union(right.paths), Set(left.paths).intersection(right.paths))
        #expect(Set(left.union(right).paths) == all, "seed \(seed)")
        #expect(Set(left.intersection(right).paths) == both, "seed \(seed)")
        #expect(Set(left.subtracting(right).paths) == Set(left.paths).subtracting(right.paths), "seed \(seed)")
        #expect(left.union(right) == right.union(left), "seed \(seed)")
        #expect(try FieldSet(reading: left.value) == left, "seed \(seed)")
    }
}
