import Foundation
import Testing

@testable import ContainerRuntime

@Suite("Building images without running anything", .timeLimit(.minutes(5))) struct ImageBuildTests {
    private let bed: StoreBed
    init() throws { bed = try StoreBed() }

    private func message(_ dockerfile: String) async throws -> String? {
        try bed.write("Dockerfile", dockerfile)
        return await #expect(throws: ImageError.self) { try await bed.build("web:1") }?.description
    }

    @Test("files are copied where and how the file says, and what is ignored stays out")
    func copies() async throws {
        try bed.write("app.py", "print()")
        try bed.write("static/index.html", "hello")
        try bed.write("static/notes.md", "secret")
        try bed.write("node_modules/x", "x")
        try bed.write(".dockerignore", "**/*.md\nnode_modules\n")
        try bed.write(
            "Dockerfile",
            """
            FROM scratch
            WORKDIR /srv
            COPY . all/
            COPY static static
            COPY --chmod=755 app.py /bin/run
            COPY --chmod=+x app.py /bin/
            COPY *.py static/i*.html two/
            COPY <<EOF <<'RAW' /etc/
            user=$USER_NAME
            EOF
            user=$USER_NAME
            RAW
            """)
        try await bed.build("web:1")
        let view = try bed.view("web:1")
        #expect(view.names(in: "/srv/all") == [".dockerignore", "Dockerfile", "app.py", "static"])
        #expect(view.names(in: "/srv/static") == ["index.html"])
        #expect(view.names(in: "/srv/two") == ["app.py", "index.html"])
        #expect(view.entry("/bin/run")?.mode == 0o755)
        #expect(view.entry("/bin/app.py")?.mode == 0o755)
        #expect(try bed.text("/etc/EOF", in: "web:1") == "user=\n")
        #expect(try bed.text("/etc/RAW", in: "web:1") == "user=$USER_NAME\n")
    }

    @Test(
        "--chmod takes a number, or changes as chmod does",
        arguments: [
            ("750", 0o750, 0o750), ("+x", 0o755, 0o755), ("u+x,go-r", 0o700, 0o711), ("a=rX", 0o444, 0o555),
            ("g=u", nil, nil), ("888", nil, nil), ("x", nil, nil),
        ] as [(String, UInt32?, UInt32?)])
    func modes(text: String, file: UInt32?, folder: UInt32?) {
        let mode = FileMode(text)
        #expect(mode?.applied(to: 0o644, isFolder: false) == file)
        #expect(mode?.applied(to: 0o755, isFolder: true) == folder)
    }

    @Test("the search path of every container is there for ENV to add to")
    func searchPath() async throws {
        try bed.write("Dockerfile", "FROM alpine\nENV PATH=/app/bin:$PATH\nENV PATH=$PATH:/more")
        try await bed.build("web:1")
        let path = "PATH=/app/bin:\(SystemFiles.path):/more"
        #expect(try bed.catalog.resolve("web:1").image.environment == [path])
    }

    @Test("what an image keeps for later is done first in what is built on it, once")
    func triggers() async throws {
        try bed.write("one", "1")
        try bed.write("Dockerfile", "FROM scratch\nONBUILD COPY one /first/\nONBUILD ENV SEEN=yes")
        try await bed.build("base:1")
        #expect(try bed.view("base:1").entry("/first/one") == nil)
        try bed.write("Dockerfile", "FROM base:1\nENV SEEN=${SEEN}!")
        try await bed.build("child:1")
        #expect(try bed.text("/first/one", in: "child:1") == "1")
        #expect(try bed.catalog.resolve("child:1").image.environment == ["SEEN=yes!"])
        try bed.write("one", "2")
        try bed.write("Dockerfile", "FROM child:1\nENV X=1")
        try await bed.build("grandchild:1")
        #expect(try bed.text("/first/one", in: "grandchild:1") == "1")
    }

    @Test("what the image is run with comes from the instructions, over what the base says")
    func settings() async throws {
        try bed.write(
            "Dockerfile",
            """
            ARG BASE=python:3.12-slim
            FROM ${BASE}
            ARG VERSION=1
            ENV VERSION=$VERSION PORT=80
            ENV PORT=8080
            WORKDIR /app
            WORKDIR sub
            EXPOSE $PORT 53/udp
            LABEL team="pay ments"
            VOLUME ["/data"]
            USER 1000:1000
            STOPSIGNAL SIGQUIT
            HEALTHCHECK CMD true
            CMD python app.py
            """)
        let said = try await bed.build("web:1") { $0.arguments = ["VERSION": "2", "OTHER": "x"] }
        #expect(
            said.warnings == [
                "--build-arg OTHER is not used: no ARG of 'Dockerfile' has that name.",
                "Dockerfile:13: HEALTHCHECK: Kubernetes does not look at it; write a livenessProbe into the pod instead.",
            ])
        let stored = try #require(bed.store.all().first)
        #expect(stored.origin == .built)
        #expect(stored.config.environment == ["VERSION=2", "PORT=8080"])
        #expect(stored.config.workingDirectory == "/app/sub" && stored.config.volumes == ["/data"])
        #expect(stored.config.ports == ["8080/tcp", "53/udp"] && stored.config.stopSignal == 3)
        #expect(stored.config.command == ["/bin/sh", "-c", "python app.py"])
        #expect(stored.config.base == "docker.io/library/python:3.12-slim")
    }

    @Test("the entry point of a new image does without the base's command")
    func entrypoint() async throws {
        try bed.write("Dockerfile", "FROM alpine\nENTRYPOINT [\"/app\"]")
        try await bed.build("web:1")
        #expect(bed.store.all().first?.config.command == [])
    }

    @Test("a second build of the same is the same image, and changes only what has changed")
    func cache() async throws {
        try bed.write("a", "1")
        try bed.write("b", "1")
        try bed.write("Dockerfile", "FROM scratch\nCOPY a /\nCOPY b /\nCMD [\"/a\"]")
        #expect(try await bed.build("web:1").cachedCount == 0)
        #expect(try await bed.build("web:2").cachedCount == 2)
        #expect(Set(bed.store.all().map(\.manifest)).count == 1)
        try bed.write("b", "2")
        #expect(try await bed.build("web:2").cachedCount == 1)
        #expect(try bed.text("/b", in: "web:1") == "1" && bed.text("/b", in: "web:2") == "2")
        #expect(try await bed.build("web:2") { $0.isFresh = true }.cachedCount == 0)
        // What a layer held is taken away with the memory of it, and made again when it is wanted.
        _ = try bed.store.remove("web:1", besides: bed.catalog)
        _ = try bed.store.remove("web:2", besides: bed.catalog)
        #expect(try bed.store.prune() > 0)
        // A program that another test has just forked holds the locks of this one until it has become itself.
        while !bed.store.names("/layers").isEmpty {
            _ = try bed.store.prune()
            await Task.yield()
        }
        #expect(try await bed.build("web:3").cachedCount == 0)
    }

    @Test("files come from other stages and other images")
    func stages() async throws {
        try bed.load(Archives.docker(["base:1"], layers: [Archives.tar { $0.add("etc/conf", text: "from base") }]))
        try bed.write("a", "from a")
        try bed.write(
            "Dockerfile",
            "FROM scratch AS one\nCOPY a /made/a\nFROM base:1\nCOPY --from=one /made /in/\nCOPY --from=base:1 /etc/conf /b"
        )
        try await bed.build("web:1")
        #expect(try bed.text("/in/a", in: "web:1") == "from a" && bed.text("/b", in: "web:1") == "from base")
        #expect(try bed.text("/etc/conf", in: "web:1") == "from base")
        try await bed.build("one:1") { $0.target = "one" }
        #expect(try bed.view("one:1").names(in: "/") == ["made"])
    }

    @Test("a path in the system of the base goes where its links lead: /bin stays a link")
    func systemLinks() async throws {
        try bed.write("tool", "x")
        try bed.write("Dockerfile", "FROM alpine\nCOPY tool /bin/tool")
        try await bed.build("web:1")
        let isLink = TreeEntry("/bin")?.kind == .link
        let config = try #require(bed.store.all().first?.config)
        let tree = bed.store.tree(of: config.layers[0])
        #expect(TreeEntry(tree + "/usr/bin/tool") != nil || !isLink)
        #expect((TreeEntry(tree + "/bin") == nil) == isLink)
    }

    @Test("ADD unpacks an archive, COPY does not")
    func archives() async throws {
        let archive = Archives.gzip(Archives.tar { $0.add("inner/file", text: "x") })
        try bed.write("Dockerfile", "FROM scratch\nADD a.tar.gz /one/\nCOPY a.tar.gz /two/")
        try Data(archive).write(to: URL(fileURLWithPath: bed.folder + "/context/a.tar.gz"))
        try await bed.build("web:1")
        #expect(try bed.text("/one/inner/file", in: "web:1") == "x")
        #expect(try bed.view("web:1").names(in: "/two") == ["a.tar.gz"])
    }

    /// Archives with the file `inner/file`, packed by xz and bzip2.
    private static let packed = [
        (
            "xz",
            "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/AF5dADSbrMp1OS5AJQ5fyTQdGMLKeNTFoUwR32Z6rLrWXQVoUFA3QFfJ+nCA"
                + "7RTwM1VdADkvvn57i+U2ckvNZ1Wtm4oz7XTlmmWexZDmONHWiYs80XT1NGBD1AUlFR7HcgAAAAAKCokkHJkIywABeoBQAAAA"
                + "SkUHE7HEZ/sCAAAAAARZWg=="
        ),
        (
            "bzip2",
            "QlpoOTFBWSZTWR1MWAcAAG/bgMmAYADlgAEAYyUeQAgIIABUQmhqaYTINk1MJJCaaZNGgaB9bIchB7AEIo16yITlFAhgYjR4"
                + "nsIs4QI64ng3mQaRfU+WDlRmb+wiIBsXckU4UJAdTFgH"
        ),
    ]

    @Test("archives packed with xz and bzip2 are unpacked, whole ones only", arguments: packed)
    func strongPacking(method: String, base64: String) async throws {
        let archive = try #require(Data(base64Encoded: base64))
        let path = bed.folder + "/context/a.tar"
        try bed.write("Dockerfile", "FROM scratch\nADD a.tar /one/")
        try archive.write(to: URL(fileURLWithPath: path))
        try await bed.build("web:1")
        #expect(try bed.text("/one/inner/file", in: "web:1") == "x")
        for (bytes, word) in [(archive.dropLast(20), "cut off"), (archive.prefix(20) + archive.prefix(60), "damaged")] {
            let error = #expect(throws: ImageError.self) {
                let source = try LibraryBytes(
                    BytesInMemory(Array(bytes)), name: "a", method: #require(.init(rawValue: method)))
                while try !source.read(7).isEmpty {}
            }
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
    }

    /// Hands bytes out in small pieces.
    private final class BytesInMemory: ByteSource {
        private var rest: ArraySlice<UInt8>

        init(_ bytes: [UInt8]) { rest = bytes[...] }

        func read(_ count: Int) throws(ImageError) -> [UInt8] {
            defer { rest = rest.dropFirst(min(count, 11)) }
            return Array(rest.prefix(min(count, 11)))
        }
    }

    @Test(
        "a mistake is named with its line, the instruction and a way on",
        arguments: [
            (
                "FROM rust:1.80",
                "Dockerfile:1: FROM: this machine has no image 'rust:1.80'.\nhint: `velocity"
                    + " image list` shows what there is; `velocity image load -i FILE` brings one in from an archive, `velocity image pull NAME` from its registry."
            ),
            (
                "FROM scratch\nCOPY ap.py /",
                "Dockerfile:2: COPY: there is no 'ap.py' in 'CONTEXT'.\nhint: There are: Dockerfile, app.py."
            ),
            (
                "FROM scratch\nCOPY ../x /",
                "Dockerfile:2: COPY: '../x' leads out of the folder that is built.\nhint: Only files below that folder can be copied;"
                    + " build from the folder above, with -f."
            ),
            (
                "FROM scratch\nCOPY app.py Dockerfile /x",
                "Dockerfile:2: COPY: several files go to '/x', which is no folder.\nhint: End it with a slash: /x/"
            ),
            (
                "FROM scratch\nCOPY app.py",
                "Dockerfile:2: COPY: it takes what is copied and where to, not 'app.py' alone.\nhint: For example: COPY app.py /app/"
            ),
            (
                "FROM scratch\nADD https://x.test/a /",
                "Dockerfile:2: ADD: there is no network while an image is built here, so 'https://x.test/a' cannot be fetched.\nhint:"
                    + " Fetch it into the folder first, then: COPY FILE /"
            ),
            (
                "FROM scratch\nCOPY --from=nope /a /b",
                "Dockerfile:2: COPY: this machine has no image 'nope'.\nhint: `velocity image"
                    + " list` shows what there is; `velocity image load -i FILE` brings one in from an archive, `velocity image pull NAME` from its registry."
            ),
            (
                "FROM scratch\nEXPOSE http",
                "Dockerfile:2: EXPOSE: 'http' is no port.\nhint: For example: EXPOSE 8080, or EXPOSE 53/udp"
            ),
            (
                "FROM scratch\nONBUILD FROM x",
                "Dockerfile:2: ONBUILD: FROM cannot be for later.\nhint: Leave ONBUILD out."
            ),
            (
                "FROM scratch\nENV A",
                "Dockerfile:2: ENV: 'A' is no NAME=value.\nhint: For example: ENV PORT=8080"
            ),
            (
                "FROM --platform=linux/s390x scratch",
                "Dockerfile:1: this machine runs linux/\(ImageConfig.machine), not 'linux/s390x'.\nhint: Leave --platform out."
            ),
        ])
    func mistakes(dockerfile: String, message: String) async throws {
        try bed.write("app.py", "")
        let context = try #require(realpath(bed.folder, nil).map { String(cString: $0) }) + "/context"
        #expect(try await self.message(dockerfile) == message.replacing("CONTEXT", with: context))
        #expect(bed.store.all().isEmpty && bed.store.names("/new").isEmpty)
    }
}
