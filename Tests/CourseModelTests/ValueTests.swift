import CourseModel
import Testing

@Suite("Values of a course", .timeLimit(.minutes(5)))
struct ValueTests {
    @Test(
        "paths are read step by step",
        arguments: [
            ("spec.replicas", [ValuePath.Step.member("spec"), .member("replicas")]),
            (
                "spec.ports[name=http].nodePort",
                [.member("spec"), .member("ports"), .filter(key: "name", value: "http"), .member("nodePort")]
            ),
            ("a[*][0]", [.member("a"), .all, .index(0)]),
            (
                "metadata.labels['app.kubernetes.io/name']",
                [.member("metadata"), .member("labels"), .member("app.kubernetes.io/name")]
            ),
        ])
    func paths(text: String, steps: [ValuePath.Step]) throws { #expect(try ValuePath(parsing: text).steps == steps) }

    @Test(
        "a bad path says where it is bad",
        arguments: [
            ("", "the path is empty", 0), ("a..b", "a name is missing", 2), ("a[", "']' is missing", 2),
            (".a", "a path must not start with '.'", 0),
        ])
    func badPaths(text: String, message: String, offset: Int) {
        #expect(throws: ValuePath.Fault.self) { try ValuePath(parsing: text) }
        do throws(ValuePath.Fault) { _ = try ValuePath(parsing: text) } catch {
            #expect(error.message == message)
            #expect(error.offset == offset)
        }
    }

    @Test("a mutant changes what its path names, and nothing else")
    func setting() throws {
        let value: YAMLValue = ["spec": ["ports": [["name": "http", "port": 80], ["name": "admin", "port": 81]]]]
        let changed = value.setting(try ValuePath(parsing: "spec.ports[name=admin].port"), to: 82)
        #expect(changed == ["spec": ["ports": [["name": "http", "port": 80], ["name": "admin", "port": 82]]]])
        let removed = value.setting(try ValuePath(parsing: "spec.ports[name=http].port"), to: nil)
        #expect(removed == ["spec": ["ports": [["name": "http"], ["name": "admin", "port": 81]]]])
        #expect(value.setting(try ValuePath(parsing: "spec.ports[name=none].port"), to: 1) == nil)
    }

    @Test(
        "lab paths have one to three parts",
        arguments: [
            ("week06", true), ("week06/phase2", true), ("week06/phase2/a", true), ("a//b", false), ("a/b/c/d", false),
            ("", false),
        ])
    func labPaths(text: String, isPath: Bool) { #expect(LabPath(parsing: text)?.description == (isPath ? text : nil)) }

    @Test(
        "durations are read as people write them",
        arguments: [("90s", 90_000), ("500ms", 500), ("2m", 120_000), ("1.5", 1500)])
    func durations(text: String, milliseconds: Int) { #expect(Duration(parsing: text) == .milliseconds(milliseconds)) }

    @Test(
        "durations are written for people",
        arguments: [(400, "0.4 s"), (2000, "2 s"), (12_400, "12 s"), (90_000, "1 min 30 s")])
    func readable(milliseconds: Int, text: String) { #expect(Duration.milliseconds(milliseconds).readable == text) }

    @Test("moments are written as RFC 3339")
    func moments() {
        #expect(Moment(milliseconds: 1_777_901_820_250).text == "2026-05-04T13:37:00.250Z")
        #expect(Moment(milliseconds: -1).text == "1969-12-31T23:59:59.999Z")
    }

    @Test("text wraps at words, and a word that is too long is cut")
    func wrapping() {
        #expect(TextMeasure.wrap("one two three", columns: 7) == ["one two", "three"])
        #expect(TextMeasure.wrap("abcdefghij", columns: 4) == ["abcd", "efgh", "ij"])
        #expect(TextMeasure.width("日本 a") == 6)
    }

    @Test(
        "URLs are taken apart",
        arguments: [
            ("http://localhost:30080/health", "localhost", 30080, "/health"), ("http://web", "web", 80, "/"),
        ])
    func urls(text: String, host: String, port: Int, path: String) throws {
        let url = try #require(HTTPAddress(parsing: text))
        #expect((url.host, url.port, url.path) == (host, port, path))
    }

    @Test(
        "what is no plain URL is refused",
        arguments: ["https://web/", "web/health", "http://", "http://web:99999/", "http://a b/"])
    func noURLs(text: String) { #expect(HTTPAddress(parsing: text) == nil) }

    @Test("hints say more with each level, and nothing twice")
    func hintLevels() {
        let check = Check(
            id: "c", title: "", steps: [],
            hints: [Hint(text: "Look at the pods."), Hint(cause: .probe, text: "Look at the probe.")])
        let failure = Failure(expected: "3", found: "2", hint: "It asks for /redy. Look at the probe.", cause: .probe)
        #expect(check.hintLevels(after: nil) == ["Look at the pods."])
        #expect(
            check.hintLevels(after: failure) == [
                "Look at the probe.", "It asks for /redy. Look at the probe.", "Expected: 3. Found: 2.",
            ])
        let unknown = Failure(expected: "3", found: "2", hint: "Look at the pods.", cause: .tooSlow)
        #expect(check.hintLevels(after: unknown) == ["Look at the pods.", "Expected: 3. Found: 2."])
    }
}
