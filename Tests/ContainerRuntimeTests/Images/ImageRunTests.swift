import CSandbox
import Foundation
import KubeClient
import KubeModel
import Testing

@testable import ContainerRuntime

@Suite(
    "Running images in a sandbox", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: RuntimeProbe.run().level == .sandbox, "this machine denies namespaces, so there is no sandbox to test")
)
struct ImageRunTests {
    private let bed: StoreBed
    private let logs = ContainerLogs()
    init() throws { bed = try StoreBed() }

    /// Runs an image as a pod would that says nothing itself, and returns how it ended and what it printed.
    private func run(
        _ name: String, arguments: [String]? = nil, mounts: [ContainerConfiguration.Mount] = [],
        while isRunning: (SandboxRuntime) throws -> Void = { _ in }
    ) async throws -> (exit: ContainerExit, output: String) {
        let runtime = try SandboxRuntime(images: bed.catalog, logs: logs)
        try await runtime.runPodSandbox(
            PodSandboxConfiguration(
                podUID: "a", name: "a", namespace: "default", hostName: "host-a", address: "10.244.0.2",
                resolverConfiguration: "nameserver 10.96.0.10\n", hosts: "127.0.0.1 localhost host-a\n"))
        let image = try await runtime.pullImage(name)
        let log = bed.folder + "/log-\(UUID().uuidString.prefix(8))"
        let id = try await runtime.startContainer(
            ContainerConfiguration(
                podUID: "a", name: "main", image: image, arguments: arguments ?? image.entrypoint + image.command,
                environment: image.environment, workingDirectory: image.workingDirectory, runAsUser: image.user,
                mounts: mounts, logPath: log))
        try isRunning(runtime)
        let exit = await runtime.waitForExit(id)
        var text = ""
        for try await bytes in try logs.read(log, LogOptions()) { text += String(decoding: bytes, as: UTF8.self) }
        await runtime.shutDown()
        return (exit, text)
    }

    @Test("steps run on the base's system, their changes are layers, and the image runs with them")
    func build() async throws {
        try bed.write(
            "app.sh",
            "id -u; pwd; cat made mine; cat /usr/local/share/lab/file; echo $WHO; ls /gone 2>/dev/null; touch here"
        )
        try bed.write(
            "Dockerfile",
            """
            FROM busybox AS one
            RUN echo made > /made && touch /gone && mkdir -p /usr/local/share/lab && echo usr > /usr/local/share/lab/file
            FROM one
            ENV WHO=learner
            RUN adduser -D -u 1234 worker && rm /gone
            USER worker
            WORKDIR /app
            COPY --from=one /made ./
            COPY --chown=worker app.sh .
            RUN touch /app/mine && id -u > mine
            CMD ["sh", "app.sh"]
            """)
        #expect(try await bed.build("web:1").cachedCount == 0)
        let (exit, output) = try await run("web:1")
        #expect(output == "1234\n/app\nmade\n1234\nusr\nlearner\n" && exit.code == 0)
        #expect(try await bed.build("web:1").cachedCount == 6)
        // Nothing of the pod, and nothing of what only the step needed, is in the layers.
        let config = try #require(bed.store.all().first?.config)
        for layer in config.layers {
            for path in ["/dev", "/proc", "/etc/hosts", "/etc/resolv.conf", "/opt"] {
                #expect(TreeEntry(bed.store.tree(of: layer) + path) == nil, "\(path)")
            }
        }
    }

    @Test("users and groups are made as Dockerfiles of all kinds write it")
    func accounts() async throws {
        try bed.write(
            "Dockerfile",
            """
            FROM debian
            RUN groupadd -r app && useradd -rm -g app -u 1234 -G sudo app && id app && ls -d /home/app
            RUN useradd -ms /bin/bash bob && grep bob /etc/passwd && useradd -u1300 -M eve && id -u eve
            RUN addgroup -S team && adduser -S -D -G team -h /srv/al al && id -gn al
            RUN adduser --disabled-password --gecos "Jane, Doe" --shell /bin/bash --uid 1500 jane && id -u jane
            RUN useradd bob; echo $?; groupadd -f team; echo $?
            """)
        let output = try await bed.build("web:1").output
        #expect(
            output == """
                uid=1234(app) gid=102(app) groups=102(app),27(sudo)
                /home/app
                bob:x:1000:1000::/home/bob:/bin/bash
                1300
                team
                1500
                useradd: user 'bob' already exists
                9
                0

                """)
    }

    @Test("USER's group counts in the steps, too, and a group that is not there is named")
    func group() async throws {
        try bed.write("Dockerfile", "FROM busybox\nUSER 1000:2000\nRUN id -u; id -g")
        #expect(try await bed.build("web:1").output == "1000\n2000\n")
        try bed.write("Dockerfile", "FROM busybox\nUSER app:crew\nRUN id -g")
        let error = await #expect(throws: ImageError.self) { try await bed.build("web:1") }
        #expect(error?.message == "Dockerfile:3: RUN: the image has no group 'crew'.")
    }

    @Test("a step that fails is named with its line and code, its output is shown, and nothing is kept")
    func failure() async throws {
        try bed.write("Dockerfile", "FROM alpine\nRUN echo trying && exit 3")
        let error = await #expect(throws: ImageError.self) { try await bed.build("web:1") }
        #expect(error?.message == "Dockerfile:2: RUN: 'echo trying && exit 3' ended with code 3.")
        try bed.write("Dockerfile", "FROM alpine\nRUN pip install flask==99 --index-url http://127.0.0.1:1/ ; exit 1")
        let other = await #expect(throws: ImageError.self) { try await bed.build("web:1") }
        #expect(
            other?.hint?.hasPrefix("There is no network while an image is built here: install the packages") == true)
        try bed.write("Dockerfile", "FROM scratch\nRUN echo hello")
        let third = await #expect(throws: ImageError.self) { try await bed.build("web:1") }
        #expect(third?.message == "Dockerfile:2: RUN: the image has no shell '/bin/sh'; a shell form needs one.")
        #expect(bed.store.all().isEmpty && bed.store.names("/new").isEmpty)
    }

    /// A program without libraries, which an image from nothing can hold; nil where this machine has none.
    private static let program: [UInt8]? = {
        guard let bytes = ImageStore.contents("/usr/bin/busybox"), TreeEntry("/usr/bin/busybox")?.kind == .file,
            // The name of the loader is in every program that is not static.
            String(decoding: bytes, as: UTF8.self).contains("/ld-linux") == false
        else { return nil }
        return bytes
    }()

    @Test(
        "an image of its own is all that its container sees, its layers in order, and its changes go with it",
        .enabled(if: ImageRunTests.program != nil, "there is no static program on this machine"))
    func ownRoot() async throws {
        let program = try #require(Self.program)
        let lower = Archives.tar { tar in
            tar.add("bin/busybox", program, mode: 0o755)
            tar.add("data/old", text: "old")
            tar.add("data/gone", text: "gone")
            tar.add("etc/hosts", kind: "2", target: "/data/nowhere")
        }
        let upper = Archives.tar { tar in
            tar.add("data/.wh.gone", text: "")
            tar.add("data/old", text: "new\n")
        }
        let script =
            "/bin/busybox ls / /data; /bin/busybox cat /data/old /etc/hosts /etc/hostname; /bin/busybox ls -d /volume; /bin/busybox touch /data/x"
        try bed.load(
            Archives.docker(
                ["own:1"],
                ["Entrypoint": ["/bin/busybox", "sh", "-c"], "Cmd": [.string(script)], "Volumes": ["/volume": [:]]],
                layers: [lower, upper]))
        for _ in 0..<2 {
            let (exit, output) = try await run("own:1")
            #expect(
                output
                    == "/:\nbin\ndata\ndev\netc\nproc\nsys\nvolume\n\n/data:\nnowhere\nold\nnew\n127.0.0.1 localhost host-a\nhost-a\n/volume\n"
            )
            #expect(exit.code == 0)
        }
    }

    @Test("a link in an image leads no volume out of it")
    func volumes() async throws {
        let victim = bed.folder + "/victim"
        try FileManager.default.createDirectory(atPath: victim, withIntermediateDirectories: true)
        let layer = Archives.tar { tar in
            tar.add("data", kind: "2", target: "/oldroot\(victim)")
            tar.add("usr", kind: "2", target: "/oldroot\(victim)")
            tar.add("etc", kind: "2", target: "/oldroot\(victim)")
            tar.add("dev", kind: "2", target: "/oldroot\(victim)")
            tar.add("proc", kind: "2", target: "/oldroot\(victim)")
        }
        try bed.load(Archives.docker(["bad:1"], layers: [layer]))
        let mounts = [
            ContainerConfiguration.Mount(hostPath: "/usr", containerPath: "/data/inner", isReadOnly: true)
        ]
        // Where links cannot be replaced by folders, nothing runs at all.
        let expected =
            vs_has_memory_attributes()
            ? RuntimeError.programNotFound(name: "/data/inner/none")
            : .system("the image's folders cannot be prepared: Input/output error")
        await #expect(throws: expected) {
            _ = try await run("bad:1", arguments: ["/data/inner/none"], mounts: mounts)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: victim).isEmpty)
    }

    @Test("an image that is removed runs on to its end, and its files go then")
    func removal() async throws {
        try bed.write("file", "x\n")
        try bed.write("Dockerfile", "FROM alpine\nCOPY file /\nCMD [\"sh\", \"-c\", \"cat /in/go; cat /file\"]")
        try await bed.build("web:1")
        let layer = try #require(bed.store.all().first?.config.layers.first)
        let gate = bed.folder + "/gate"
        try FileManager.default.createDirectory(atPath: gate, withIntermediateDirectories: true)
        try #require(mkfifo(gate + "/go", 0o666) == 0)
        let mounts = [ContainerConfiguration.Mount(hostPath: gate, containerPath: "/in", isReadOnly: false)]
        let (exit, output) = try await run("web:1", mounts: mounts) { _ in
            _ = try bed.store.remove("web:1", besides: bed.catalog)
            _ = try bed.store.prune()
            #expect(bed.store.has(layer))
            try FileHandle(forWritingTo: URL(fileURLWithPath: gate + "/go")).write(contentsOf: Data("go\n".utf8))
        }
        #expect(output == "go\nx\n")
        #expect(exit.code == 0)
        _ = try bed.store.prune()
        #expect(!bed.store.has(layer))
    }

    @Test("at level plain, an image of its own is refused with one sentence")
    func plain() async throws {
        try bed.load(Archives.docker(["own:1"], ["Cmd": ["/x"]], layers: [Archives.tar { $0.add("x", text: "") }]))
        let runtime = try PlainRuntime(images: bed.catalog, logs: logs)
        try await runtime.runPodSandbox(
            PodSandboxConfiguration(
                podUID: "a", name: "a", namespace: "default", hostName: "a", address: "127.244.0.2",
                resolverConfiguration: "", hosts: ""))
        let image = try await runtime.pullImage("own:1")
        await #expect(
            throws: RuntimeError.system(
                "an image that was loaded or built needs a root of its own, which level 'plain' does not have; `velocity doctor`"
                    + " says how to get the level 'sandbox'")
        ) {
            _ = try await runtime.startContainer(
                ContainerConfiguration(
                    podUID: "a", name: "main", image: image, arguments: ["/x"], logPath: bed.folder + "/log"))
        }
        await runtime.shutDown()
    }

    private static let hasNginx = ImageCatalog.find("nginx") != nil

    @Test("nginx has the settings of its official image, and follows those that a pod mounts", .enabled(if: hasNginx))
    func nginx() async throws {
        let start = try bed.catalog.resolve("nginx").image.entrypoint
        let given = try await run("nginx", arguments: start + ["nginx", "-T"])
        #expect(given.exit.code == 0)
        #expect(given.output.contains("include /etc/nginx/conf.d/*.conf;"), "\(given.output)")
        #expect(given.output.contains("# configuration file /etc/nginx/conf.d/default.conf:"))
        let changed = try await run(
            "nginx",
            arguments: ["sh", "-c", "rm /etc/nginx/conf.d/default.conf && nginx -t -e stderr && ls /etc/nginx/conf.d"])
        #expect(changed.exit.code == 0 && !changed.output.contains("default.conf"), "\(changed.output)")
        // It wants the folders of the official image.
        try bed.write("own.conf", "error_log /var/log/nginx/error.log;\nevents {}\nhttp { server { listen 8080; } }\n")
        let own = ContainerConfiguration.Mount(
            hostPath: bed.folder + "/context/own.conf", containerPath: "/etc/nginx/nginx.conf", isReadOnly: true)
        let mounted = try await run("nginx", arguments: start + ["nginx", "-T"], mounts: [own])
        #expect(mounted.exit.code == 0 && mounted.output.contains("listen 8080;"), "\(mounted.output)")
        #expect(!mounted.output.contains("/etc/nginx/conf.d/"))
    }

    @Test("a volume where nginx logs gets its logs: another container reads them", .enabled(if: hasNginx))
    func logsOfNginx() async throws {
        let folder = bed.folder + "/logs"
        mkdir(folder, 0o777)
        chmod(folder, 0o777)
        let start = try bed.catalog.resolve("nginx").image.entrypoint.joined(separator: " ")
        let script =
            "\(start) nginx && curl -s -o /dev/null http://127.0.0.1/; until test -s /logs/access.log; do :; done"
        let result = try await run(
            "nginx", arguments: ["sh", "-c", script + "; cut -d' ' -f6-9 /logs/access.log"],
            mounts: ["/var/log/nginx", "/logs"].map {
                ContainerConfiguration.Mount(hostPath: folder, containerPath: $0, isReadOnly: false)
            })
        #expect(result.output == "\"GET / HTTP/1.1\" 200\n", "\(result.output)")
    }

    private static let changesUsers = geteuid() == 0 || UserRanges.isAvailable

    @Test(
        "nginx is root's and its workers are not, as in its official image: hooks write where they like",
        .enabled(if: hasNginx))
    func usersOfNginx() async throws {
        let start = try bed.catalog.resolve("nginx").image.entrypoint.joined(separator: " ")
        let script = """
            \(start) nginx && echo hello > /usr/share/message && cat /usr/share/message
            until ps -eo user=,args= | grep '[w]orker process' > /tmp/workers; do :; done
            ps -eo user=,args= | grep '[m]aster process' | cut -d' ' -f1; cut -d' ' -f1 /tmp/workers
            """
        let result = try await run("nginx", arguments: ["sh", "-c", script])
        #expect(result.output == "hello\n\(Self.changesUsers ? "root" : "nginx")\nnginx\n", "\(result.output)")
    }

    @Test("what is built on nginx may change its settings and take them away", .enabled(if: hasNginx))
    func builtOnNginx() async throws {
        try bed.write("app.conf", "server { listen 8081; }\n")
        try bed.write(
            "Dockerfile",
            """
            FROM nginx:alpine
            RUN rm /etc/nginx/conf.d/default.conf && sed -i 's/worker_connections .*;/worker_connections 99;/' /etc/nginx/nginx.conf
            COPY app.conf /etc/nginx/conf.d/
            RUN nginx -t -e stderr
            """)
        try await bed.build("web:1")
        let image = try bed.catalog.resolve("web:1").image
        #expect(image.user == (Self.changesUsers ? nil : 101))
        let result = try await run("web:1", arguments: image.entrypoint + ["nginx", "-T"])
        #expect(result.exit.code == 0)
        #expect(result.output.contains("listen 8081;") && result.output.contains("worker_connections 99;"))
        #expect(!result.output.contains("default.conf"), "\(result.output)")
    }
}
