import Foundation
import KubeClient
import KubeModel
import LabTesting
import NIOCore
import Testing

@Suite(
    "kubectl port-forward", .enabled(if: Kubectl.path != nil, "kubectl is not installed on this machine"),
    .timeLimit(.minutes(2))) struct KubectlPortForwardTests
{
    static let forms = [
        ["KUBECTL_PORT_FORWARD_WEBSOCKETS": "true"], ["KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"],
    ]

    /// Answers every request with a body of so many bytes and closes.
    private static func answer(
        _ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>, count: Int
    ) async throws {
        try await connection.executeThenClose { inbound, outbound in
            for try await _ in inbound { break }
            let head = "HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\nConnection: close\r\n\r\n"
            try await outbound.write(ByteBuffer(string: head))
            for _ in 0..<(count / 1000) {
                try await outbound.write(ByteBuffer(repeating: UInt8(ascii: "x"), count: 1000))
            }
        }
    }

    /// Forwards to `port` and runs `script` with the local port as `$LOCAL`.
    private func forward(
        to port: Int, _ kubectl: Kubectl, _ form: [String: String], _ script: String
    ) async throws -> Kubectl.Output {
        try await kubectl.script(
            """
            coproc F { exec kubectl port-forward pod/web :\(port) 2>forward-errors; }
            forward=$F_PID
            read -r line <&"${F[0]}"; LOCAL=${line#*:}; LOCAL=${LOCAL%% *}
            \(script)
            kill $forward 2>/dev/null; wait $forward 2>/dev/null
            cat forward-errors >&2
            """, environment: form)
    }

    @Test("bytes go both ways, on one connection and on many at once", arguments: forms)
    func forward(form: [String: String]) async throws {
        try await withBackend {
            try await Self.answer($0, count: 500_000)
        } _: { port in
            try await withKubectl { kubectl, _, _ in
                let output = try await forward(
                    to: port, kubectl, form,
                    """
                    curl -s http://127.0.0.1:$LOCAL/ | wc -c
                    for i in 1 2 3 4 5 6 7 8; do curl -s http://127.0.0.1:$LOCAL/$i | wc -c & pids="$pids $!"; done
                    wait $pids
                    """)
                #expect(output.stdout == String(repeating: "500000\n", count: 9))
                #expect(output.stderr == "")
            }
        }
    }

    @Test("a port that nobody listens on is reported in the words of Kubernetes", arguments: forms)
    func refused(form: [String: String]) async throws {
        let unheard = try UnheardPort()
        let port = unheard.number
        try await withKubectl { kubectl, fixture, _ in
            let pod = try await fixture.client.get(.pods, "web", in: "default")
            let output = try await forward(
                to: port, kubectl, form, "curl -s http://127.0.0.1:$LOCAL/; echo curl $?; wait $forward")
            #expect(output.stdout == "curl 52\n")
            #expect(
                output.stderr.contains(
                    "-> \(port): error forwarding port \(port) to pod \(pod.uid), uid : connection refused"))
        }
        _ = consume unheard
    }
}
