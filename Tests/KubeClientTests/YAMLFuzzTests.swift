import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Hostile YAML", .timeLimit(.minutes(10))) struct YAMLFuzzTests {
    private static let samples = [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {yes: \"no\", 1: 0x1F, 1:20: 1:1.5}}\ndata:\n  k: |\n    a\n    b\n",
        "a: &x [1, 2.5, ~, .inf, 0o17, 2001-01-01]\nb: *x\n<<: {c: d}\n",
        "- - - {a: [b, {c: 'd'}]}\n- \"\\u00e9\"\n--- \n...\n",
    ]

    @Test("YAML is read or refused, and what is read is JSON", arguments: Fuzzer.seeds)
    func yaml(seed: UInt64) throws {
        let tokens = [
            "&a ", "*a", "? ", ": ", "- ", "---\n", "!!str ", "!!binary ", "|\n", ">-\n", "{", "[", "\t", "'", "\"",
            "#", "%",
            "<<: *a", "\u{FEFF}", "\0", "é",
        ]
        var fuzzer = Fuzzer(seed: seed, corpus: Self.samples, tokens: tokens)
        for _ in 0..<Fuzzer.rounds {
            guard let value = try? JSONValue(parsingYAML: fuzzer.next()) else { continue }
            let again = try JSONValue(parsing: value.encoded)
            #expect(again.encoded == value.encoded, "seed \(seed): \(value.text)")
        }
    }

    @Test(
        "texts that stand for very much, or nest very deeply, are refused",
        arguments: [
            String(repeating: "[", count: 100_000), String(repeating: "- ", count: 50_000),
            String(repeating: "{a: ", count: 50_000),
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
                + "bcdefghi".reduce(into: (text: "", last: "a")) { built, name in
                    built.text +=
                        "\(name): &\(name) [\(Array(repeating: "*\(built.last)", count: 10).joined(separator: ","))]\n"
                    built.last = String(name)
                }.text,
        ])
    func bombs(text: String) {
        #expect(throws: YAMLError.self) { try JSONValue(parsingYAML: Array(text.utf8)) }
    }

    @Test(
        "types are those of YAML 1.1",
        arguments: [
            ("a: yes", #"{"a":true}"#), ("a: \"yes\"", #"{"a":"yes"}"#), ("a: ~", #"{"a":null}"#),
            ("a: 1.0", #"{"a":1}"#), ("1: x", #"{"1":"x"}"#), ("a: 2001-01-01", #"{"a":"2001-01-01"}"#), ("", "null"),
            ("a: 22:22", #"{"a":"22:22"}"#), ("1:1.5: x", #"{"1:1.5":"x"}"#),
            (
                "1\(String(repeating: ":1", count: 31)): x",
                #"{"1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1":"x"}"#
            ),
        ])
    func types(yaml: String, json: String) throws {
        #expect(try JSONValue(parsingYAML: Array(yaml.utf8)).text == json)
    }

    @Test("a member that is given twice, and what is no YAML, say where")
    func complaints() {
        #expect(
            throws: YAMLError(
                message:
                    "error converting YAML to JSON: yaml: unmarshal errors:\n  line 2: key \"a\" already set in map")
        ) { try JSONValue(parsingYAML: Array("a: 1\na: 2\n".utf8)) }
        #expect(throws: YAMLError.self) { try JSONValue(parsingYAML: Array("a: [".utf8)) }
    }
}
