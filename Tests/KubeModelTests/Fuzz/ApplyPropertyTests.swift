import LabTesting
import Testing

@testable import KubeModel

/// What must hold for any two states of an object.
@Suite("Patches and apply, any object") struct ApplyPropertyTests {
    /// Random Deployments in which little is different from one to the next.
    struct Maker {
        var random: SeededGenerator

        mutating func chance(_ count: Int = 2) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }

        mutating func text() -> JSONValue { .string(["a", "b", "c"].randomElement(using: &random) ?? "a") }

        mutating func map(_ keys: [String]) -> JSONValue {
            var value: JSONValue = [:]
            for key in keys where chance() { value[key] = text() }
            return value
        }

        mutating func container(_ name: String) -> JSONValue {
            var value: JSONValue = ["name": .string(name)]
            if chance() { value["image"] = text() }
            if chance() { value["args"] = .array([text(), text()]) }
            if chance() {
                value["env"] = .array(
                    ["A", "B", "C"].shuffled(using: &random).filter { _ in chance() }.map {
                        ["name": .string($0), "value": text()]
                    })
            }
            if chance() {
                value["ports"] = .array(
                    [80, 53].filter { _ in chance() }.map { port in
                        var value: JSONValue = ["containerPort": JSONValue(port)]
                        if chance() { value["protocol"] = chance() ? "UDP" : "TCP" }
                        return value
                    })
            }
            return value
        }

        /// Empty lists and maps are left out, as the API server leaves them out: nobody can own what is not kept.
        mutating func deployment() -> JSONValue { Self.withoutEmpty(draft()) ?? [:] }

        private static func withoutEmpty(_ value: JSONValue) -> JSONValue? {
            switch value {
            case .object(let members):
                let kept = members.compactMap { key, value in withoutEmpty(value).map { (key, $0) } }
                return kept.isEmpty ? nil : .object(JSONObject(kept))
            case .array(let elements):
                let kept = elements.compactMap(withoutEmpty)
                return kept.isEmpty ? nil : .array(kept)
            default: return value
            }
        }

        private mutating func draft() -> JSONValue {
            var value: JSONValue = [
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web", "namespace": "default"],
            ]
            if chance() { value[["metadata", "labels"]] = map(["x", "y", "z"]) }
            if chance() { value[["metadata", "annotations"]] = map(["p", "q"]) }
            if chance() {
                value[["metadata", "finalizers"]] = .array(
                    ["a/b", "c/d", "e/f"].filter { _ in chance() }.map(JSONValue.string))
            }
            if chance() { value[["spec", "replicas"]] = JSONValue(Int.random(in: 0...3, using: &random)) }
            if chance() { value[["spec", "selector"]] = ["matchLabels": map(["x", "y"])] }
            let names = ["main", "side", "third"].shuffled(using: &random).filter { _ in chance() }
            if !names.isEmpty {
                value[["spec", "template", "spec", "containers"]] = .array(names.map { container($0) })
            }
            return value
        }
    }

    private func kind() throws -> KindSchema { try #require(KindCatalog.builtIn.kind(.deployments)) }

    /// The merge patch (RFC 7386) that leads from one state to another.
    private func mergePatch(from old: JSONValue, to new: JSONValue) -> JSONValue {
        guard let before = old.object, let after = new.object else { return new }
        var patch: JSONObject = [:]
        for key in before.keys where after[key] == nil { patch[key] = .null }
        for (key, value) in after where before[key] != value {
            patch[key] = before[key].map { mergePatch(from: $0, to: value) } ?? value
        }
        return .object(patch)
    }

    @Test("a merge patch made of two states leads from one to the other", arguments: UInt64(1)...60)
    func mergePatches(seed: UInt64) {
        var maker = Maker(random: SeededGenerator(seed: seed))
        let (old, new) = (maker.deployment(), maker.deployment())
        #expect(old.applyingMergePatch(mergePatch(from: old, to: new)) == new, "seed \(seed)")
    }

    @Test("what has changed between two states is what one has and the other has not", arguments: UInt64(1)...60)
    func changes(seed: UInt64) throws {
        var maker = Maker(random: SeededGenerator(seed: seed))
        let (old, new) = (maker.deployment(), maker.deployment())
        let root = try kind().root
        let there = FieldChanges(from: old, to: new, root)
        let back = FieldChanges(from: new, to: old, root)
        #expect(there.added == back.removed, "seed \(seed)")
        #expect(there.removed == back.added, "seed \(seed)")
        #expect(there.modified == back.modified, "seed \(seed)")
        #expect(FieldChanges(from: old, to: old, root).isEmpty, "seed \(seed)")
    }

    @Test(
        "after any applies by anyone, applying the last again is no change, and leaves what was applied",
        arguments: UInt64(1)...80)
    func applies(seed: UInt64) throws {
        var maker = Maker(random: SeededGenerator(seed: seed))
        let kind = try kind()
        let time = ApplyTests.start
        var live: KubeObject?
        for turn in 0..<6 {
            let writer = FieldWriter(
                manager: ["one", "two", "three"].randomElement(using: &maker.random) ?? "one", apiVersion: "apps/v1")
            let config = maker.deployment()
            if let present = live, maker.chance(3) {
                // Somebody who does not apply writes something.
                var next = KubeObject(config)
                kind.recordWrite(of: &next, over: present, by: writer, at: time + .seconds(turn))
                live = next
                continue
            }
            let applied = try kind.apply(config, to: live, by: writer, isForced: true, at: time + .seconds(turn))
            let again = try kind.apply(
                config, to: applied.object, by: writer, isForced: false, at: time + .seconds(turn + 100))
            #expect(!again.isChanged, "seed \(seed), turn \(turn)")
            #expect(again.object == applied.object, "seed \(seed), turn \(turn)")
            // Everything that was applied is there, and owned.
            let wanted = kind.root.fieldSet(of: config)
            #expect(
                wanted.subtracting(kind.root.fieldSet(of: applied.object.value)).isEmpty, "seed \(seed), turn \(turn)")
            let entry = ManagedFields(stored: applied.object.value[["metadata", "managedFields"]]).entries.first {
                $0.manager == writer.manager && $0.operation == .apply
            }
            #expect(entry?.fields ?? FieldSet() == ManagedFields.owned(wanted), "seed \(seed), turn \(turn)")
            live = applied.object
        }
    }
}
