import Foundation
import Testing

@Suite("minikube, kind and docker", .timeLimit(.minutes(2))) struct FrontEndTests {
    @Test("the course's commands run in the lab shell as they are printed")
    func lessons() async throws {
        try await Program.inNewHome { program async throws in
            try program.write("app/Dockerfile", "FROM busybox\nCOPY note.txt /note.txt\nCMD [\"cat\", \"/note.txt\"]\n")
            try program.write("app/note.txt", "hello\n")
            #expect(try await program.run("cluster", "up", "--pace", "instant", "--port", "0").code == 0)
            let lines = """
                set -e
                cd "$HOME"
                minikube version
                minikube start --driver=docker --cpus=2 --memory=4g
                kubectl create service nodeport web --tcp=80:8080
                kubectl create deployment web --image=web:1.0
                kubectl rollout status deployment/web --timeout=30s
                EXTERNAL_URL=$(minikube service web --url -n default)
                curl -s $EXTERNAL_URL/health
                kubectl run lines --image=busybox --command -- sh -c '
                sleep 60'
                kubectl wait pod/lines --for=condition=Ready --timeout=30s
                docker ps
                eval $(minikube docker-env)
                docker build -t task-tracker:v1 ./app
                docker images | grep task-tracker
                kind create cluster --name velocitytech
                kubectl cluster-info --context kind-velocitytech
                kind get clusters
                minikube stop
                minikube status || echo "stopped: $?"
                minikube start
                minikube delete
                exit 5
                """
            let result = try await program.start(
                Program.velocity, ["shell", "week06"], input: lines, variables: ["SHELL": "/bin/sh"])
            #expect(result.code == 5, "\(result.output)\n\(result.errors)")
            for text in [
                "minikube version: v", "🏄  Done!", "   \"sh -c \\nsleep 60\"   ", "\"status\":\"healthy\"",
                "task-tracker   v1    ",
                "Kubernetes control plane is running at https://127.0.0.1:", "velocitytech\n", "🛑  1 node stopped.",
                "host: Stopped", "stopped: 7", "💀  Removed all traces of the \"minikube\" cluster.",
            ] { #expect(result.output.contains(text), "no '\(text)' in:\n\(result.output)") }
            #expect(result.errors.contains("VelocityLab answers in place of minikube"))
            #expect(try await program.run("cluster", "status").code == 1)
        }
    }

    @Test(
        "what cannot be is refused with a sentence and an exit code",
        arguments: [
            ("minikube status", 85, "Profile \"minikube\" not found."),
            ("minikube ip", 85, "To start a cluster, run: \"minikube start\""),
            ("minikube start --nodes 30", 14, "--nodes asks for 30 nodes, and VelocityLab's cluster has 1 to 9."),
            ("minikube start --drivre=docker", 1, "Error: unknown flag: --drivre=docker"),
            ("minikube start --driver", 1, "Error: flag needs an argument: --driver"),
            ("minikube frobnicate", 1, "unknown command \"frobnicate\""),
            ("minikube -p Bad_Name status", 14, "'Bad_Name' is not a valid profile name"),
            ("kind create cluster --name A/B", 1, "'A/B' is not a valid cluster name"),
            ("kind get nodes", 1, "no nodes found for cluster \"kind\""), ("kind frob", 1, "unknown command \"frob\""),
            ("kind get clusters --frob", 1, "Error: unknown flag: --frob"),
            ("docker build -t web:9", 1, "requires exactly 1 argument"),
            ("docker build -t web:9 /nosuch-folder", 1, "'/nosuch-folder' cannot be opened"),
            ("docker rmi nosuch", 1, "No such image: nosuch"),
            ("docker tag nosuch other", 1, "No image 'nosuch:latest'"),
            ("docker run nginx", 1, "VelocityLab runs containers in pods only"),
            ("docker container prune", 1, "hint: kubectl delete pod"),
            ("docker stop web", 1, "hint: kubectl delete pod POD, or: kubectl scale --replicas=0"),
            ("docker push web", 1, "VelocityLab sends images nowhere"),
            ("docker pull 127.0.0.1:1/web:1", 1, "'127.0.0.1:1/web:1' cannot be fetched"),
            ("docker inspect nginx", 1, "'nginx' is built in"), ("docker ps -aqx", 1, "unknown flag: -aqx"),
            ("docker images -f label=x", 1, "There are: reference=…, dangling=…."),
            ("docker build --platform linux/none .", 1, "this machine builds for linux/"),
            ("minikube ssh", 1, "VelocityLab's node is this machine"),
            ("minikube node add", 1, "minikube start --nodes 3"),
            ("minikube dashboard --url", 85, "Profile \"minikube\" not found."),
            ("minikube config get cpus", 1, "specified key could not be found in config"),
            ("docker frob", 1, "'frob' is not a docker command"), ("docker images --frob", 1, "unknown flag: --frob"),
        ])
    func refusals(line: String, code: Int32, message: String) async throws {
        try await Program.inNewHome { program async throws in
            let result = try await program.start(Program.velocity, line.split(separator: " ").map(String.init))
            #expect(result.code == code)
            #expect(result.errors.contains(message), "\(result.errors)")
            let tool = line.prefix { $0 != " " }
            #expect(result.errors.hasPrefix("VelocityLab answers in place of \(tool)"))
            #expect(result.output.isEmpty, "\(result.output)")
        }
    }

    @Test("images are shown, named, inspected and removed as docker does, without a cluster")
    func images() async throws {
        try await Program.inNewHome { program async throws in
            try program.write("app/Dockerfile", "FROM scratch\nCOPY page /\nCMD [\"/page\"]\n")
            try program.write("app/page", "hello")
            func docker(_ line: String) async throws -> (output: String, errors: String) {
                let result = try await program.start(
                    Program.velocity, ["docker"] + line.split(separator: " ").map(String.init))
                #expect(result.code == 0, "\(line): \(result.errors)")
                return (result.output, result.errors)
            }
            let built = try await docker("build -qt page:1 app")
            #expect(built.output.hasPrefix("sha256:") && !built.errors.contains("FROM"))
            let id = try await docker("images -aq").output.split(separator: "\n").map(String.init)
            #expect(id.count == 1 && built.output.hasPrefix("sha256:\(id[0])"))
            _ = try await docker("tag \(id[0]) other:2")
            let table = try await program.run("docker", "images", "--format", "table {{.Repository}}\\t{{.Tag}}")
            #expect(table.output == "REPOSITORY   TAG\nother        2\npage         1\n")
            #expect(try await docker("images --format {{.Repository}}:{{.Tag}}").output == "other:2\npage:1\n")
            #expect(try await docker("images -f reference=page --format {{.Tag}}").output == "1\n")
            #expect(
                try await docker("inspect -f {{.Config.Cmd}}{{.RepoTags}}{{.None}} \(id[0])").output
                    == "[/page][other:2 page:1]<no value>\n")
            #expect(try await docker("pull web:1.0").output == "Status: Image is up to date for web:1.0\n")
            let refused = try await program.run("docker", "rmi", id[0])
            #expect(refused.code == 1 && refused.errors.contains("has several names: other:2, page:1."))
            #expect(try await docker("rmi -f \(id[0])").output == "Untagged: other:2\nUntagged: page:1\n")
            #expect(try await docker("image prune -af").output == "Total reclaimed space: 5 B\n")
        }
    }

    @Test("kind's contexts carry its names, and all its clusters go at once")
    func kinds() async throws {
        try await Program.inNewHome { program async throws in
            try program.write("kind.yaml", "nodes:\n- role: control-plane\n  extraPortMappings: []\n")
            let file = program.home + "/kind.yaml"
            #expect(try await program.run("cluster", "up", "--pace", "instant", "--port", "0").code == 0)
            for name in ["one", "two"] {
                let made = try await program.run("kind", "create", "cluster", "--name", name, "--config", file)
                #expect(made.code == 0 && made.errors.contains("Without effect here: extraPortMappings in \(file)."))
            }
            let kubeconfig = try await program.run("kind", "get", "kubeconfig", "--name", "two").output
            #expect(kubeconfig.contains("current-context: kind-two\n") && kubeconfig.contains("- name: kind-two\n"))
            try program.write("two", kubeconfig)
            let nodes = try await program.kubectl(["--kubeconfig", program.home + "/two", "get", "nodes", "-o", "name"])
            #expect(nodes.output.hasPrefix("node/"), "\(nodes.errors)")
            #expect(try await program.run("kind", "load", "docker-image", "web:1.0", "--name", "one").code == 0)
            let logs = try await program.run("kind", "export", "logs", program.home + "/logs", "--name", "one")
            #expect(logs.code == 0 && FileManager.default.fileExists(atPath: program.home + "/logs/audit.log"))
            #expect(try await program.run("kind", "delete", "clusters", "--all").code == 0)
            #expect(try await program.run("kind", "get", "clusters").output.isEmpty)
            #expect(try await program.run("cluster", "status").code == 1)
        }
    }

    @Test("a minikube profile is a cluster of its own, with a context of that name, and all go at once")
    func profiles() async throws {
        try await Program.inNewHome { program async throws in
            #expect(try await program.run("cluster", "up", "two", "--pace", "instant", "--port", "0").code == 0)
            #expect(try await program.run("minikube", "start", "-p", "two").code == 0)
            let contexts = try await program.run(
                "minikube", "-p", "two", "kubectl", "--", "config", "get-contexts", "-o", "name")
            #expect(contexts.output.contains("two\n") && !contexts.output.contains("minikube"), "\(contexts)")
            let nodes = try await program.run("minikube", "-p", "two", "kubectl", "--", "--context=two", "get", "nodes")
            #expect(nodes.code == 0, "\(nodes.errors)")
            #expect(try await program.run("minikube", "-p", "two", "node", "list").output == "velocity\t127.0.0.1\n")
            let deleted = try await program.run("minikube", "delete", "--all")
            #expect(deleted.output.hasSuffix("🔥  Successfully deleted all profiles\n"))
            #expect(try await program.run("cluster", "list").output.split(separator: "\n").count == 1)
        }
    }

    @Test("a Service that nobody outside can reach, or nobody answers, is said to be so")
    func services() async throws {
        try await Program.inNewHome { program async throws in
            #expect(try await program.run("cluster", "up", "--pace", "instant", "--port", "0").code == 0)
            #expect(try await program.run("minikube", "start").code == 0)
            for words in [
                ["create", "service", "nodeport", "empty", "--tcp=80"],
                ["create", "service", "clusterip", "inner", "--tcp=80"],
            ] { #expect(try await program.kubectl(words).code == 0) }
            let cases = [
                ("nosuch", Int32(115), "Service 'nosuch' was not found in 'default' namespace."),
                ("inner", 110, "service default/inner has no node port"),
                ("empty", 119, "no running pod for service empty found"),
            ]
            for (name, code, message) in cases {
                let result = try await program.run("minikube", "service", name, "--url")
                #expect(result.code == code && result.errors.contains(message), "\(result.errors)")
            }
            let nodes = try await program.run("minikube", "kubectl", "--", "get", "nodes")
            let profiles = try await program.run("minikube", "profile", "list")
            let version = try #require(nodes.output.split(whereSeparator: \.isWhitespace).last)
            #expect(profiles.output.contains(" \(version) "), "\(profiles.output)")
            #expect(try await program.run("minikube", "addons", "enable", "metrics-server").code == 0)
            #expect(try await program.run("minikube", "addons", "enable", "nosuch").code == 10)
            #expect(
                try await program.run("minikube", "addons", "enable", "ingress").output.contains("addon is enabled"))
            let controller = try await program.kubectl([
                "get", "service", "ingress-nginx-controller", "-n", "ingress-nginx",
            ])
            #expect(controller.code == 0, "\(controller.errors)")
        }
    }

    @Test("on a real cluster the real tool is run, with every word, and its exit code is kept")
    func realTool() async throws {
        try await Program.inNewHome { program async throws in
            try program.write("tools/minikube", "#!/bin/sh\necho \"real: $*\"\nexit 9\n")
            let tool = program.home + "/tools/minikube"
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: tool)
            let config =
                "apiVersion: v1\nkind: Config\ncontexts:\n- {name: mine, context: {cluster: c, user: u}}\n"
                + "clusters:\n- {name: c, cluster: {server: \"https://127.0.0.1:1\"}}\nusers:\n- {name: u, user: {}}\n"
            try program.write("config", config)
            let path = program.home + "/tools:/usr/bin:/bin"
            let words = ["shell", "week06", "--kubeconfig", program.home + "/config", "--context"]
            let result = try await program.start(
                Program.velocity, words + ["mine"], input: "minikube status --frob 'a b'\nkind get clusters\n",
                variables: ["SHELL": "/bin/sh", "PATH": path])
            #expect(result.output == "real: status --frob a b\n")
            #expect(result.errors.contains("This lab shell works on a real cluster, and kind is not installed."))
            #expect(result.code == 127)
            let unknown = try await program.start(Program.velocity, words + ["other"], variables: ["PATH": path])
            #expect(
                unknown.code == 1
                    && unknown.errors.contains("There is no context 'other'.\nhint: Known contexts: mine."))
        }
    }
}
