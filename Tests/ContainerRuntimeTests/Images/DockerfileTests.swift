import Testing

@testable import ContainerRuntime

@Suite("Dockerfiles", .timeLimit(.minutes(5))) struct DockerfileTests {
    private func parse(_ text: String) throws -> [Dockerfile.Instruction] {
        try Dockerfile(parsing: text, name: "Dockerfile").instructions
    }

    @Test("instructions keep their lines over comments, continued lines and Windows' line ends")
    func lines() throws {
        let text = """
            # syntax=docker/dockerfile:1
            # escape=`

            FROM alpine AS base
            run echo one `
              # in between
              && echo two

            COPY --from=base --chown=1:2 a b /c/
            CMD ["a", "b c"]
            """
        for text in [text, text.replacing("\n", with: "\r\n")] {
            let found = try parse(text)
            #expect(found.map(\.line) == [4, 5, 9, 10])
            #expect(found.map(\.keyword) == [.from, .run, .copy, .cmd])
            #expect(found[1].rest == "echo one   && echo two")
            #expect(found[2].flags.map { "\($0.name)=\($0.value)" } == ["from=base", "chown=1:2"])
            #expect(found[2].rest == "a b /c/")
            #expect(found[3].list == ["a", "b c"])
        }
    }

    @Test("a text between <<EOF and EOF belongs to its instruction")
    func documents() throws {
        let found = try parse(
            "FROM a\nRUN <<EOF\necho 1\n\necho 2\nEOF\nCOPY <<-'x' <<y /z/\n\tq\n\tx\nr\ny\nRUN cat <<<here\n")
        #expect(found[1].documents == [.init(name: "EOF", text: "echo 1\n\necho 2\n", expands: true)])
        #expect(
            found[2].documents == [
                .init(name: "x", text: "q\n", expands: false), .init(name: "y", text: "r\n", expands: true),
            ]
        )
        #expect(found[3].documents.isEmpty && found[3].line == 12)
    }

    @Test(
        "a mistake is named with its line and a way on",
        arguments: [
            ("", "'Dockerfile' holds no instruction.\nhint: Begin it with a base: FROM alpine"),
            ("FROM a\nRUM x", "Dockerfile:2: there is no instruction 'RUM'.\nhint: Did you mean 'RUN'?"),
            (
                "FROM a\n\n\necho hello",
                "Dockerfile:4: there is no instruction 'echo'.\nhint: A line that goes on ends in '\\'; an instruction begins with a"
                    + " word like RUN or COPY."
            ),
            (
                "RUN x",
                "Dockerfile:1: RUN comes before FROM, so that it belongs to no image.\nhint: Begin with a base: FROM alpine"
            ),
            ("FROM", "Dockerfile:1: FROM says nothing.\nhint: Name a base: FROM alpine"),
            (
                "FROM a\nCMD ['python', 'app.py']",
                "Dockerfile:2: the list ['python', 'app.py'] is no JSON.\nhint: Write it with double quotes, not single ones:"
                    + " [\"python\", \"app.py\"]"
            ),
            (
                "FROM a\nRUN <<EOF\nx\n",
                "Dockerfile:2: the text after '<<EOF' has no end.\nhint: End it with a line 'EOF'."
            ),
            ("# escape=x\nFROM a", "Dockerfile:1: the escape character is \\ or `, not 'x'.\nhint: Write: # escape=`"),
        ])
    func mistakes(text: String, message: String) {
        let error = #expect(throws: ImageError.self) { _ = try parse(text) }
        #expect(error?.description == message)
    }

    @Test(
        "variables are filled in, quotes taken off",
        arguments: [
            ("$A", "1"), ("${A}x", "1x"), ("$AB", ""), ("${B:-two}", "two"), ("${E:-d}", "d"), ("${E-d}", ""),
            ("${A:+yes}", "yes"), ("${B:+yes}", ""), ("\\$A", "$A"), ("'$A'", "$A"), ("\"$A b\"", "1 b"),
            ("${B:-${A}}", "1"), ("a\\ b", "a b"), ("$", "$"), ("5$", "5$"), ("\"a\\\"b\"", "a\"b"),
        ])
    func variables(text: String, value: String) {
        #expect(DockerfileWords(variables: ["A": "1", "E": ""]).expand(text) == value)
    }

    @Test("names and values come in pairs, or in the old form")
    func pairs() throws {
        let words = DockerfileWords(variables: [:])
        let several = try #require(words.pairs(#"A=1 B="x y" C=z\ w D='"'"#))
        #expect(several.map(\.name) == ["A", "B", "C", "D"])
        #expect(several.map(\.value) == ["1", "x y", "z w", "\""])
        let old = try #require(words.pairs("PATH  /a and more"))
        #expect(old.map(\.name) == ["PATH"] && old.map(\.value) == ["/a and more"])
        #expect(words.pairs("A=1 B") == nil && words.pairs("A") == nil)
    }

    @Test(
        "patterns of paths",
        arguments: [
            ("*.py", "app.py", true), ("*.py", "a/app.py", false), ("**/*.py", "a/b/app.py", true),
            ("**/*.py", "app.py", true), ("a?c", "abc", true), ("[a-c]x", "bx", true), ("[^a-c]x", "bx", false),
            ("node_modules", "node_modules", true), ("a/*/c", "a/b/c", true), ("a/*/c", "a/b/b/c", false),
            ("\\*", "*", true), ("\\*", "x", false), ("[", "[", false),
        ])
    func patterns(pattern: String, path: String, matches: Bool) {
        #expect(PathPattern(pattern).matches(path) == matches)
    }

    @Test("the last rule that covers a path decides whether it is ignored")
    func ignore() {
        let list = IgnoreList("# a comment\nnode_modules\n*.md\n!README.md\n/build/**\n")
        #expect(list.ignores("node_modules/x/y") && list.ignores("a.md") && list.ignores("build/x"))
        #expect(!list.ignores("README.md") && !list.ignores("src/a.md") && !list.ignores("build"))
    }

    @Test("only the stages that the wanted one needs are built")
    func stages() throws {
        let file = try Dockerfile(
            parsing: """
                ARG V=3
                FROM alpine:$V AS one
                FROM busybox AS two
                FROM one AS Three
                COPY --from=0 /a /b
                FROM scratch
                COPY --from=three /a /b
                """, name: "Dockerfile")
        #expect(
            try BuildPlan(file, arguments: ["V": "4"], target: nil).stages.map(\.base) == [
                "alpine:4", "one", "scratch",
            ])
        #expect(try BuildPlan(file, arguments: [:], target: "two").stages.map(\.base) == ["busybox"])
        let error = #expect(throws: ImageError.self) { _ = try BuildPlan(file, arguments: [:], target: "four") }
        #expect(error?.description == "'Dockerfile' has no stage 'four'.\nhint: It has: one, two, three.")
    }
}
