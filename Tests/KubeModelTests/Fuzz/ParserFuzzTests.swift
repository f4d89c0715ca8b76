import LabTesting
import Testing

@testable import KubeModel

/// Bad input to every parser of this module: it is refused or read, and what is read holds together.
@Suite("Hostile input", .timeLimit(.minutes(10))) struct ParserFuzzTests {
    static let jsonTokens = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "null", "true", "-", "1e999", "0.", "\u{FEFF}",
        "\0",
        "\"a\":", "\"$patch\":\"delete\"", "\"$patch\":\"replace\"", "\"$patch\":1", "\"$retainKeys\":[]",
        "\"$setElementOrder/containers\":[]", "\"$deleteFromPrimitiveList/finalizers\":[]", "[[[[[[[[",
        "{\"a\":{\"a\":",
        "-9223372036854775808", "\"name\":", "{}", "[]",
    ]

    private func fuzz(
        _ prefix: String, seed: UInt64, tokens: [String] = jsonTokens, _ body: ([UInt8]) throws -> Void
    ) throws {
        let corpus = Fuzzer.corpus(prefix, beside: #filePath)
        try #require(!corpus.isEmpty)
        var fuzzer = Fuzzer(seed: seed, corpus: corpus, tokens: tokens)
        for _ in 0..<Fuzzer.rounds { try body(fuzzer.next()) }
    }

    @Test("JSON that is read comes back the same when it is written and read", arguments: Fuzzer.seeds)
    func json(seed: UInt64) throws {
        try fuzz("json-", seed: seed) { bytes in
            guard let value = try? JSONValue(parsing: bytes, onDuplicate: { _ in }) else { return }
            let again = try JSONValue(parsing: value.encoded)
            // A fraction that is whole, such as 1e3, is written as an integer.
            #expect(again.encoded == value.encoded, "seed \(seed): \(value.text)")
        }
    }

    @Test("protobuf is read or refused", arguments: Fuzzer.seeds)
    func protobuf(seed: UInt64) throws {
        try fuzz("json-", seed: seed, tokens: ["k8s\0", "\n\u{4}\n\u{2}v1", "\u{12}\u{3}Pod", "\u{7F}"]) { bytes in
            _ = try? ProtobufBody.decode(Array("k8s\0".utf8) + bytes)
        }
    }

    @Test("an object that is read against its kind can be read again without complaint", arguments: Fuzzer.seeds)
    func decode(seed: UInt64) throws {
        let kind = try #require(KindCatalog.builtIn.kind(.pods))
        try fuzz("json-pod", seed: seed) { bytes in
            guard let value = try? JSONValue(parsing: bytes), let decoded = try? kind.decode(value) else { return }
            var object = decoded.object
            kind.applyDefaults(&object)
            let once = object
            let again = try kind.decode(once.value)
            #expect(again.unknownFields.isEmpty, "seed \(seed): \(once.value.text)")
            object = again.object
            kind.applyDefaults(&object)
            #expect(object == once, "seed \(seed): \(once.value.text)")
            _ = kind.validate(object)
        }
    }

    @Test("what another server says of its types is taken over beside ours, or not at all", arguments: Fuzzer.seeds)
    func swagger(seed: UInt64) throws {
        let own: JSONValue = ["paths": ["/version/": [:]], "definitions": ["m.ObjectMeta": ["type": "object"]]]
        let tokens = [
            "\"$ref\":\"#/definitions/w.Flunder\",", "\"$ref\":\"#/definitions/m.ObjectMeta_v2\"", "\"properties\":{",
            "\"items\":", "\"in\":\"body\"", "/apis/w.example.com/v1/",
        ]
        try fuzz("swagger-", seed: seed, tokens: Self.jsonTokens + tokens) { bytes in
            guard let value = try? JSONValue(parsing: bytes),
                let part = SwaggerPart(value, group: "w.example.com", version: "v1")
            else { return }
            var merged = own
            part.merge(into: &merged)
            #expect(merged[["definitions", "m.ObjectMeta"]] == ["type": "object"], "seed \(seed): \(value.text)")
            #expect(merged[["paths", "/version/"]] == [:], "seed \(seed): \(value.text)")
            let once = merged
            part.merge(into: &merged)
            #expect(merged["paths"] == once["paths"], "seed \(seed): \(value.text)")
            _ = SwaggerProtobuf.encode(merged)
            _ = SwaggerConversion.openAPI(paths: part.paths, definitions: part.definitions)
        }
    }

    @Test("field sets that are read come back the same, and are what their paths say", arguments: Fuzzer.seeds)
    func fieldSets(seed: UInt64) throws {
        try fuzz("fields-", seed: seed, tokens: Self.jsonTokens + ["\"f:a\":{}", "\"k:{\\\"a\\\":1}\":{}", "\".\":{}"])
        { bytes in
            guard let value = try? JSONValue(parsing: bytes), let set = try? FieldSet(reading: value) else { return }
            let again = try FieldSet(reading: set.value)
            #expect(again == set, "seed \(seed): \(value.text)")
            #expect(set.subtracting(set).isEmpty, "seed \(seed): \(value.text)")
            #expect(set.union(set) == set, "seed \(seed): \(value.text)")
            #expect(set.paths.allSatisfy { set.contains($0) }, "seed \(seed): \(value.text)")
        }
    }

    @Test("patches of every kind are applied or refused", arguments: Fuzzer.seeds)
    func patches(seed: UInt64) throws {
        let kind = try #require(KindCatalog.builtIn.kind(.pods))
        let text = try #require(Fuzzer.corpus("json-pod", beside: #filePath).first)
        let pod = try JSONValue(parsing: text)
        try fuzz("jsonpatch-", seed: seed, tokens: Self.jsonTokens + ["/spec", "~0", "~1", "~", "/-", "/-1", "/99"]) {
            bytes in
            guard let patch = try? JSONValue(parsing: bytes) else { return }
            _ = try? pod.applyingJSONPatch(patch)
        }
        try fuzz("strategic-", seed: seed) { bytes in
            guard let patch = try? JSONValue(parsing: bytes) else { return }
            _ = try? pod.applyingStrategicMergePatch(patch, structure: kind.root)
            let merged = pod.applyingMergePatch(patch)
            #expect(merged.applyingMergePatch(patch) == merged, "seed \(seed): \(patch.text)")
        }
    }

    @Test("selectors are read or refused, and those of labels read the same again", arguments: Fuzzer.seeds)
    func selectors(seed: UInt64) throws {
        let tokens = [",", "=", "!=", "==", " in ", " notin ", "(", ")", "!", "<", ">", "\\", "\\,", "é", "a/b/c"]
        try fuzz("selector-", seed: seed, tokens: tokens) { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            _ = try? FieldSelector(parsing: text)
            guard let selector = try? LabelSelector(parsing: text) else { return }
            let again = try LabelSelector(parsing: selector.text)
            #expect(again == selector, "seed \(seed): \(text)")
        }
    }

    @Test("amounts are read or refused, and their short form is its own", arguments: Fuzzer.seeds)
    func quantities(seed: UInt64) throws {
        let tokens = ["Ki", "Mi", "E", "e9", "e-9", ".", "-", "+", "00", "n", "u", "m", "99999999999999999999"]
        try fuzz("quantity-", seed: seed, tokens: tokens) { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            _ = Timestamp(parsing: text)
            guard let amount = Quantity(parsing: text) else { return }
            let short = amount.description
            #expect(Quantity(parsing: short)?.description == short, "seed \(seed): \(text)")
        }
    }
}
