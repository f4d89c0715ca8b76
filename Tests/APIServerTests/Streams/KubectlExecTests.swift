import Foundation
import KubeClient
import KubeModel
import Testing

@Suite(
    "kubectl exec, attach and cp", .enabled(if: Kubectl.path != nil, "kubectl is not installed on this machine"),
    .timeLimit(.minutes(2))) struct KubectlExecTests
{
    static let forms = [
        ["KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "true"], ["KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false"],
    ]

    @Test("exec brings output, error output and the exit code", arguments: forms)
    func exec(form: [String: String]) async throws {
        try await withKubectl { kubectl, _, agent in
            let output = try await kubectl(
                "exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 3", environment: form)
            #expect(output.stdout == "out\n")
            #expect(output.stderr == "err\ncommand terminated with exit code 3\n")
            #expect(output.code == 3)
            for session in agent.sessions { await session.waitUntilClosed() }
        }
    }

    @Test("input arrives whole and ends", arguments: forms)
    func input(form: [String: String]) async throws {
        try await withKubectl { kubectl, _, _ in
            let output = try await kubectl.script(
                "head -c 3000000 /dev/urandom > in; kubectl exec -i web -- cat < in > out; cmp in out && wc -c < out",
                environment: form)
            #expect(output.stdout == "3000000\n")
            #expect(output.stderr == "")
        }
    }

    @Test("what cannot be done is said", arguments: forms)
    func refusals(form: [String: String]) async throws {
        try await withKubectl(containers: ["main", "gone"]) { kubectl, _, _ in
            let missing = try await kubectl("exec", "web", "-c", "main", "--", "nosuchprogram", environment: form)
            #expect(missing.code == 1)
            #expect(
                missing.stderr.contains(
                    "error: Internal error occurred: error executing command in container: executable file not found"))
            let gone = try await kubectl("exec", "web", "-c", "gone", "--", "true", environment: form)
            #expect(gone.stderr.contains("unable to upgrade connection: container not found (\"gone\")"))
            let nobody = try await kubectl("exec", "web", "-c", "nosuch", "--", "true", environment: form)
            #expect(nobody.stderr.contains("container nosuch is not valid for pod web"))
        }
    }

    @Test("cp copies both ways", arguments: forms)
    func copy(form: [String: String]) async throws {
        try await withKubectl { kubectl, _, _ in
            let output = try await kubectl.script(
                """
                mkdir -p here there
                head -c 1000000 /dev/urandom > here/data; echo text > here/text
                kubectl cp here web:$HOME/there/copy && kubectl cp web:$HOME/there/copy back >/dev/null
                cmp here/data back/data && cat back/text
                """, environment: form)
            #expect(output.stdout == "text\n")
            #expect(output.stderr == "")
        }
    }

    @Test("attach joins the process", arguments: forms)
    func attach(form: [String: String]) async throws {
        try await withKubectl { kubectl, _, _ in
            let output = try await kubectl.script("echo hello | kubectl attach -i web", environment: form)
            #expect(output.stdout == "hello\n")
            #expect(output.code == 0)
        }
    }

    @Test("a client that is killed leaves nothing running", arguments: forms)
    func vanishing(form: [String: String]) async throws {
        try await withKubectl { kubectl, _, agent in
            let output = try await kubectl.script(
                """
                coproc F { exec kubectl exec web -- sh -c 'echo started; exec sleep 1000'; }
                read -r line <&"${F[0]}"; echo "$line"; kill -9 $F_PID
                """, environment: form)
            #expect(output.stdout == "started\n")
            let session = try #require(agent.sessions.first)
            await session.waitUntilClosed()
            #expect(!session.isRunning)
        }
    }

    @Test("a client that is killed while nobody reads its input leaves nothing running", arguments: forms)
    func vanishingWriter(form: [String: String]) async throws {
        try await withKubectl { kubectl, _, agent in
            let output = try await kubectl.script(
                """
                coproc F { exec kubectl exec -i web -- sh -c 'echo started; exec sleep 1000' < /dev/zero; }
                read -r line <&"${F[0]}"; echo "$line"
                # Full is the way when the client has not been able to write for a while.
                until [ "$before" = "$(grep wchar /proc/$F_PID/io)" ]; do
                    before=$(grep wchar /proc/$F_PID/io); read -r -t 0.3 <&"${F[0]}"
                done
                kill -9 $F_PID
                """, environment: form)
            #expect(output.stdout == "started\n")
            let session = try #require(agent.sessions.first)
            await session.waitUntilClosed()
            #expect(!session.isRunning)
        }
    }
}
