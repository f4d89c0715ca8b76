import APIServer
import Foundation
import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite(
    "With the real kubectl", .enabled(if: Kubectl.path != nil, "kubectl is not installed on this machine"),
    .timeLimit(.minutes(5))) struct KubectlTests
{
    private func withKubectl(_ action: @Sendable (Kubectl, Fixture) async throws -> Void) async throws {
        try await withServer { fixture, kubeconfig, _ in
            let kubectl = try Kubectl(kubeconfig: kubeconfig)
            defer { kubectl.remove() }
            try await action(kubectl, fixture)
        }
    }

    private static func manifest(replicas: String = "replicas: 2", value: String = "1") -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, labels: {app: web}}
        spec:
          \(replicas)
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              containers:
              - {name: main, image: "nginx:1.25", env: [{name: A, value: "\(value)"}]}
        """
    }

    @Test("apply creates, sees no change, changes, and refuses unknown fields")
    func apply() async throws {
        try await withKubectl { kubectl, fixture in
            let file = try kubectl.write("web.yaml", Self.manifest())
            #expect(try await kubectl("apply", "-f", file).stdout == "deployment.apps/web created\n")
            #expect(try await kubectl("apply", "-f", file).stdout == "deployment.apps/web unchanged\n")
            let changed = try kubectl.write("changed.yaml", Self.manifest(value: "2"))
            let diff = try await kubectl("diff", "-f", changed)
            #expect(diff.code == 1)
            #expect(diff.stdout.contains("+          value: \"2\""))
            #expect(try await kubectl("apply", "-f", changed).stdout == "deployment.apps/web configured\n")
            let stored = try await fixture.client.get(.deployments, "web", in: "default")
            #expect(stored.generation == 2)
            let typo = try kubectl.write("typo.yaml", Self.manifest(replicas: "replicaz: 2"))
            let refused = try await kubectl("apply", "-f", typo)
            #expect(refused.code == 1)
            #expect(
                refused.stderr.hasPrefix(
                    "The request is invalid: patch: Invalid value: \"map[metadata:map[annotations:"))
            #expect(refused.stderr.hasSuffix(": strict decoding error: unknown field \"spec.replicaz\"\n"))
            let applied = try await kubectl("apply", "--server-side", "-f", file)
            #expect(applied.stdout == "deployment.apps/web serverside-applied\n")
        }
    }

    @Test("create sends protobuf and is understood; the errors read as in a real cluster")
    func create() async throws {
        try await withKubectl { kubectl, fixture in
            #expect(try await kubectl("create", "namespace", "team").stdout == "namespace/team created\n")
            #expect(
                try await kubectl("create", "namespace", "team").stderr
                    == "Error from server (AlreadyExists): namespaces \"team\" already exists\n")
            _ = try await kubectl("create", "configmap", "lit", "--from-literal=a=b")
            let stored = try await fixture.client.get(.configMaps, "lit", in: "default")
            #expect(stored.value["data"] == ["a": "b"])
            let node = ["create", "service", "nodeport", "np", "--tcp=80:8080", "--node-port=30080"]
            #expect(try await kubectl(node[0], node[1], node[2], node[3], node[4], node[5]).code == 0)
            #expect(
                try await kubectl(node[0], node[1], node[2], "clash", node[4], node[5]).stderr
                    == "error: failed to create NodePort service: Service \"clash\" is invalid: "
                    + "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated\n")
            #expect(
                try await kubectl("get", "pod", "nosuch").stderr
                    == "Error from server (NotFound): pods \"nosuch\" not found\n")
            let patch = #"[{"op":"remove","path":"/data/NOPE"}]"#
            #expect(
                try await kubectl("patch", "configmap", "lit", "--type=json", "-p", patch).stderr
                    == "The request is invalid: the server rejected our request due to an error in our request\n")
        }
    }

    @Test("scale, label, patch, get, describe, explain and delete work")
    func everydayCommands() async throws {
        try await withKubectl { kubectl, fixture in
            _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web"))
            #expect(
                try await kubectl("scale", "deploy", "web", "--replicas=5").stdout == "deployment.apps/web scaled\n")
            #expect(try await kubectl("label", "deploy", "web", "tier=fe").stdout == "deployment.apps/web labeled\n")
            let spec = #"{"spec":{"minReadySeconds":1}}"#
            #expect(try await kubectl("patch", "deploy", "web", "-p", spec).stdout == "deployment.apps/web patched\n")
            let table = try await kubectl("get", "deploy", "-l", "tier=fe", "--no-headers").stdout
            #expect(table.split(separator: " ").prefix(2) == ["web", "0/5"])
            #expect(
                try await kubectl("describe", "deploy", "web").stdout.contains("StrategyType:           RollingUpdate"))
            #expect(
                try await kubectl("explain", "deployment.spec.replicas").stdout.contains("FIELD: replicas <integer>"))
            #expect(try await kubectl("delete", "deploy", "web").stdout == "deployment.apps \"web\" deleted\n")
        }
    }

    @Test("get -w prints a line for every change")
    func watch() async throws {
        try await withKubectl { kubectl, fixture in
            _ = try await fixture.makeConfigMap("a")
            // The reader leaves after the second line, and kubectl ends because nobody reads on.
            let script = try kubectl.write(
                "watch.sh",
                """
                kubectl get cm -w --no-headers | {
                    read -r first rest; kubectl create cm b >/dev/null
                    read -r second rest; echo $first $second
                    exec <&-; kubectl delete cm b >/dev/null
                }
                """)
            let output = try await kubectl(script, program: "/bin/bash")
            #expect(output.stdout == "a b\n")
        }
    }
}
