import ArgumentParser
import Cluster
import ContainerRuntime
import Foundation
import KubeModel

/// `docker`, for the images of this machine and the containers of the embedded cluster.
struct DockerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docker", abstract: "What `docker` calls in the lab shell: images, and the cluster's containers.")
    @Argument(parsing: .captureForPassthrough) var words: [String] = []

    private static let help = """
        docker, as VelocityLab answers it:

        docker build -t NAME [-f FILE] [--build-arg A=B] DIR
        docker images [NAME], docker inspect IMAGE, docker tag SOURCE TARGET, docker rmi NAME…
        docker pull NAME, docker load -i FILE, docker image prune
        docker ps [-a] [-q], docker version, docker info

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
            if ["image", "container", "buildx", "builder", "system"].contains(first) {
                guard let second = rest.first else { return Output.text(Self.help) }
                rest.removeFirst()
                verb = Self.longForms["\(first) \(second)"] ?? (first == "image" ? second : "\(first) \(second)")
            }
            try await Docker().perform(verb, rest)
        }
    }

    private static let longForms = [
        "image ls": "images", "image list": "images", "image rm": "rmi", "image remove": "rmi",
        "container ls": "ps", "container list": "ps", "container ps": "ps", "buildx build": "build",
        "builder build": "build", "builder prune": "prune", "system prune": "prune", "buildx prune": "prune",
        "system info": "info",
    ]
}

/// One command of docker.
struct Docker {
    func perform(_ verb: String, _ words: [String]) async throws {
        switch verb {
        case "build": try await LocalImages.open().build(words, usage: "docker build")
        case "images": try images(words)
        case "inspect": try inspect(words)
        case "pull":
            let read = try FrontEndWords(
                words, [.toggle("quiet", "q"), .value("platform"), .toggle("all-tags", "a")], usage: "docker pull")
            guard let name = read.operand(0), read.operands.count == 1 else {
                throw FrontEndFailure(lines: ["docker: 'docker pull' requires 1 argument: NAME"])
            }
            try await LocalImages.open().pull(name)
        case "tag":
            let read = try FrontEndWords(words, [], usage: "docker tag")
            guard read.operands.count == 2 else {
                throw FrontEndFailure(lines: ["docker: 'docker tag' requires 2 arguments: SOURCE TARGET"])
            }
            try LocalImages.open().tag(read.operands[0], as: read.operands[1])
        case "rmi":
            let read = try FrontEndWords(words, [.toggle("force", "f"), .toggle("no-prune")], usage: "docker rmi")
            guard !read.operands.isEmpty else {
                throw FrontEndFailure(lines: ["docker: 'docker rmi' requires at least 1 argument"])
            }
            for name in read.operands { try LocalImages.open().remove(name, byForce: read.has("force")) }
        case "prune":
            _ = try FrontEndWords(
                words, [.toggle("force", "f"), .toggle("all", "a"), .toggle("volumes")], usage: "docker prune")
            let freed = try LocalImages.open().store.prune()
            Output.line("Total reclaimed space: \(ByteCount.text(freed))")
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
        default: throw Self.refusal(verb)
        }
    }

    private static func refusal(_ verb: String) -> FrontEndFailure {
        if let instead = inPods[verb.hasPrefix("container ") ? String(verb.dropFirst(10)) : verb] {
            return FrontEndFailure(
                "VelocityLab runs containers in pods only, so 'docker \(verb)' is not there.", hint: instead)
        }
        return others[verb.split(separator: " ").first.map(String.init) ?? verb]
            ?? FrontEndFailure(
                lines: [
                    "docker: '\(verb)' is not a docker command that VelocityLab answers.",
                    "hint: `docker --help` lists those that it does.",
                ])
    }

    /// What is done to containers, and what does it to pods.
    private static let inPods = [
        "run": "kubectl run NAME --image=IMAGE", "create": "kubectl run NAME --image=IMAGE",
        "exec": "kubectl exec -it POD -- sh", "logs": "kubectl logs POD", "attach": "kubectl attach -it POD",
        "cp": "kubectl cp POD:PATH PATH", "stop": "kubectl delete pod POD, or: kubectl scale --replicas=0",
        "kill": "kubectl delete pod POD --grace-period=0 --force", "rm": "kubectl delete pod POD",
        "start": "kubectl scale --replicas=1", "restart": "kubectl rollout restart deployment NAME",
        "stats": "kubectl top pods --containers", "top": "kubectl exec POD -- ps", "port": "kubectl get services",
        "wait": "kubectl wait --for=condition=Ready pod/POD", "events": "kubectl get events --watch",
        "pause": "kubectl rollout pause deployment NAME", "unpause": "kubectl rollout resume deployment NAME",
        "inspect": "kubectl describe pod POD", "prune": "kubectl delete pod --field-selector=status.phase==Succeeded",
        "commit": "Write a Dockerfile: docker build -t NAME .",
    ]

    private static let others: [String: FrontEndFailure] = [
        "login": FrontEndFailure(
            "VelocityLab reads the logins that docker has kept in ~/.docker/config.json, and keeps none itself.",
            hint: "Pods have theirs from a Secret: kubectl create secret docker-registry NAME --docker-server=…"),
        "logout": FrontEndFailure(
            "VelocityLab keeps no logins: those that docker has kept are in ~/.docker/config.json."),
        "push": FrontEndFailure(
            "VelocityLab sends images nowhere: the cluster runs them from this machine, so 'docker push' is not there.",
            hint: "Name the image in a pod: kubectl run NAME --image=IMAGE"),
        "save": FrontEndFailure(
            "Images that are built here stand on this machine's own system, so 'docker save' is not there.",
            hint: "Build the Dockerfile on the other machine, too: docker build -t NAME ."),
        "network": FrontEndFailure(
            "Pods share the cluster's network, so 'docker network' is not there.",
            hint: "kubectl get services,networkpolicies"),
        "volume": FrontEndFailure(
            "Pods have the cluster's volumes, so 'docker volume' is not there.", hint: "kubectl get pvc,pv"),
        "compose": FrontEndFailure(
            "VelocityLab runs containers in pods only, so 'docker compose' is not there.",
            hint: "Write a Deployment and a Service for each of its services: kubectl apply -f DIR"),
    ]

    private func version(_ words: [String]) throws {
        let read = try FrontEndWords(words, [.value("format", "f")], usage: "docker version")
        let own: JSONValue = ["Version": .string(FrontEnd.version)]
        if let format = read["format"] {
            return try FormattedRows(columns: [], rows: [["Client": own, "Server": own]]).show(format)
        }
        Output.line("Client: VelocityLab\n Version:           \(FrontEnd.version)\n")
        Output.line("Server: VelocityLab\n Engine:\n  Version:          \(FrontEnd.version)")
    }

    private func info(_ words: [String]) throws {
        let read = try FrontEndWords(words, [.value("format", "f")], usage: "docker info")
        let home = try Machine.home()
        let state = ClusterProcess(home.cluster(EmbeddedCluster.defaultName)).state
        let count = try LocalImages.open().all.count
        if let format = read["format"] {
            let row: JSONValue = [
                "ServerVersion": .string(FrontEnd.version), "Images": JSONValue(count),
                "DockerRootDir": .string(home.images.path), "OSType": "linux",
            ]
            return try FormattedRows(columns: [], rows: [row]).show(format)
        }
        Output.line("Client: VelocityLab\n Version:    \(FrontEnd.version)\n")
        Output.line("Server:\n Images: \(count)\n Server Version: \(FrontEnd.version)")
        Output.line(
            " Runtimes: \(state?.level ?? "none: the cluster does not run")\n Images Root Dir: \(home.images.path)")
    }
}
