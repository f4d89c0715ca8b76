import ArgumentParser
import Cluster
import ContainerRuntime
import Foundation
import KubeClient
import KubeModel

/// `docker`, for the images of this machine and the containers of the embedded cluster.
struct DockerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docker", abstract: "What `docker` calls in the lab shell: images, and the cluster's containers.")
    @Argument(parsing: .captureForPassthrough) var words: [String] = []

    private static let help = """
        docker, as VelocityLab answers it:

        docker build -t NAME [-f FILE] [--build-arg A=B] DIR
        docker images [NAME], docker tag SOURCE TARGET, docker rmi NAME…, docker load -i FILE
        docker ps [-a] [-q]
        docker version, docker info

        Containers run in pods: kubectl run, kubectl logs, kubectl exec.

        """

    func run() async throws {
        try await FrontEnd.docker.run(words) { words in
            let head = try FrontEndWords(
                words, [.value("context", "c"), .value("host", "H"), .toggle("help", "h"), .toggle("version", "v")],
                usage: "docker", stopsAtOperand: true)
            if head.has("version") { return Output.line("Docker version \(FrontEnd.version), build velocitylab") }
            var rest = head.rest
            guard let first = rest.first, !head.has("help"), first != "help" else { return Output.text(Self.help) }
            rest.removeFirst()
            // `docker image ls` is `docker images`, and so on.
            var verb = first
            if ["image", "container", "buildx"].contains(first) {
                guard let second = rest.first else { return Output.text(Self.help) }
                rest.removeFirst()
                let names = ["image ls": "images", "image list": "images", "image rm": "rmi", "container ls": "ps"]
                verb = names["\(first) \(second)"] ?? (first == "container" && second == "list" ? "ps" : second)
            }
            try await Docker().perform(verb, rest)
        }
    }
}

/// One command of docker.
private struct Docker {
    func perform(_ verb: String, _ words: [String]) async throws {
        switch verb {
        case "build": try await LocalImages.open().build(words, usage: "docker build")
        case "images": try images(words)
        case "tag":
            let read = try FrontEndWords(words, [], usage: "docker tag")
            guard read.operands.count == 2 else {
                throw FrontEndFailure(lines: ["docker: 'docker tag' requires 2 arguments: SOURCE TARGET"])
            }
            let store = try LocalImages.open().store
            do throws(ImageError) { _ = try store.tag(read.operands[0], as: read.operands[1]) } catch {
                throw FrontEndFailure(error.message, hint: error.hint)
            }
        case "rmi":
            let read = try FrontEndWords(words, [.toggle("force", "f"), .toggle("no-prune")], usage: "docker rmi")
            guard !read.operands.isEmpty else {
                throw FrontEndFailure(lines: ["docker: 'docker rmi' requires at least 1 argument"])
            }
            for name in read.operands { try LocalImages.open().remove(name) }
        case "load":
            let read = try FrontEndWords(words, [.value("input", "i"), .toggle("quiet", "q")], usage: "docker load")
            if let file = read["input"] { return try LocalImages.open().load(file) }
            guard isatty(STDIN_FILENO) == 0 else {
                throw FrontEndFailure(lines: ["requested load from stdin, but stdin is empty"])
            }
            try LocalImages.open().take(STDIN_FILENO, "standard input")
        case "ps": try await containers(words)
        case "version": try version(words)
        case "info": try info(words)
        case "run", "exec", "logs", "stop", "start", "kill", "rm", "create", "attach", "cp", "inspect":
            throw FrontEndFailure(
                "VelocityLab runs containers in pods only, so 'docker \(verb)' is not there.",
                hint: verb == "run"
                    ? "kubectl run NAME --image=IMAGE"
                    : "kubectl \(["rm": "delete", "inspect": "describe"][verb] ?? verb) …")
        case "pull", "push", "login", "logout", "search":
            throw FrontEndFailure(
                "VelocityLab works without a registry, so 'docker \(verb)' is not there.",
                hint: "What can be run here is in: velocity image list")
        default:
            throw FrontEndFailure(
                lines: [
                    "docker: '\(verb)' is not a docker command that VelocityLab answers.",
                    "hint: `docker --help` lists those that it does.",
                ])
        }
    }

    private func images(_ words: [String]) throws {
        let read = try FrontEndWords(
            words,
            [
                .toggle("quiet", "q"), .toggle("all", "a"), .value("format"), .toggle("no-trunc"), .toggle("digests"),
                .value("filter", "f"),
            ],
            usage: "docker images")
        let wanted = read.operand(0).flatMap(ImageReference.init(parsing:))?.familiar
        let named = read.operand(0)
        let lines = try LocalImages.open().all.filter { line in
            named == nil || line.repository == named || "\(line.repository):\(line.tag)" == wanted
        }
        if read.has("quiet") { return lines.forEach { Output.line($0.id) } }
        if let format = read["format"], format != "table" {
            for line in lines {
                Output.line(
                    Template.fill(
                        format,
                        [
                            "Repository": line.repository, "Tag": line.tag, "ID": line.id,
                            "Size": ByteCount.text(line.entry.bytes ?? 0),
                        ]))
            }
            return
        }
        Output.table(
            ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"],
            lines.map { line in
                let created = line.entry.created.flatMap(Age.text) ?? "N/A"
                return [line.repository, line.tag, line.id, created, ByteCount.text(line.entry.bytes ?? 0)]
            })
    }

    private func containers(_ words: [String]) async throws {
        let read = try FrontEndWords(
            words,
            [.toggle("all", "a"), .toggle("quiet", "q"), .value("format"), .toggle("no-trunc"), .value("filter", "f")],
            usage: "docker ps")
        let directory = try Machine.home().cluster(EmbeddedCluster.defaultName)
        var rows: [PodContainer] = []
        if ClusterProcess(directory).isRunning {
            let pods = try await EmbeddedCluster.client(of: directory).list(.pods).items
            rows = pods.flatMap { PodContainer.all(of: $0) }.filter { read.has("all") || $0.isRunning }
        } else {
            Output.remark("The cluster does not run, so there is no container. `velocity cluster up` starts it.")
        }
        if read.has("quiet") { return rows.forEach { Output.line($0.id) } }
        if let format = read["format"], format != "table" {
            for row in rows {
                Output.line(
                    Template.fill(
                        format,
                        [
                            "ID": row.id, "Image": row.image, "Names": row.name, "Status": row.status,
                            "Command": row.command,
                            "Ports": "",
                        ]))
            }
            return
        }
        Output.table(
            ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"],
            rows.map { [$0.id, $0.image, $0.command, $0.created, $0.status, "", $0.name] })
    }

    private func version(_ words: [String]) throws {
        let read = try FrontEndWords(words, [.value("format", "f")], usage: "docker version")
        if let format = read["format"] {
            return Output.line(
                Template.fill(format, ["Server.Version": FrontEnd.version, "Client.Version": FrontEnd.version]))
        }
        Output.line("Client: VelocityLab\n Version:           \(FrontEnd.version)\n")
        Output.line("Server: VelocityLab\n Engine:\n  Version:          \(FrontEnd.version)")
    }

    private func info(_ words: [String]) throws {
        _ = try FrontEndWords(words, [.value("format", "f")], usage: "docker info")
        let home = try Machine.home()
        let state = ClusterProcess(home.cluster(EmbeddedCluster.defaultName)).state
        Output.line("Client: VelocityLab\n Version:    \(FrontEnd.version)\n")
        Output.line("Server:\n Images: \(try LocalImages.open().all.count)\n Server Version: \(FrontEnd.version)")
        Output.line(
            " Runtimes: \(state?.level ?? "none: the cluster does not run")\n Images Root Dir: \(home.images.path)")
    }
}

/// Go templates as far as fields go: `{{.Repository}}:{{.Tag}}`.
enum Template {
    static func fill(_ template: String, _ values: [String: String]) -> String {
        values.reduce(template) { text, field in
            text.replacingOccurrences(of: "{{.\(field.key)}}", with: field.value)
                .replacingOccurrences(of: "{{ .\(field.key) }}", with: field.value)
        }
    }
}
