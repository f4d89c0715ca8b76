import APIServer
import Foundation
import KubeClient
import KubeModel
import LabTesting
import NIOCore
import Testing

@Suite("Streams over the wire", .timeLimit(.minutes(5))) struct StreamSessionTests {
    private static let exec = "/api/v1/namespaces/default/pods/web/exec"

    /// Runs an action against a server with a running pod `web`.
    private func withPod(
        _ agent: ProcessAgent = ProcessAgent(), containers: [String] = ["main"],
        _ action: @Sendable (_ port: Int, _ fixture: Fixture) async throws -> Void
    ) async throws {
        let admin = UserInfo(name: "admin", groups: ["system:masters"])
        try await withServer(tokens: ["secret": admin]) { fixture, _, port in
            try await fixture.makeRunningPod(containers: containers, agent: agent)
            try await action(port, fixture)
        }
    }

    private static func text(_ messages: [StreamClient.Message], channel: UInt8) -> String {
        String(
            decoding: messages.filter { $0.opcode == 2 && $0.bytes.first == channel }.flatMap { $0.bytes.dropFirst() },
            as: UTF8.self)
    }

    @Test("version 5: an empty message first, then output, the status without kind, and a close frame")
    func version5() async throws {
        try await withPod { port, _ in
            let messages = try await StreamClient.with(port: port) { client in
                let head = try await client.webSocket(
                    Self.exec + "?command=sh&command=-c&command=cat%3B+exit+3&stdin=1&stdout=1&stderr=1",
                    token: "secret", "v5.channel.k8s.io")
                #expect(head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
                #expect(head.contains("Sec-WebSocket-Protocol: v5.channel.k8s.io"))
                try await client.send(ClientFrame.frame(9, [1, 2]))
                try await client.send(ClientFrame.binary([0] + Array("hello".utf8)))
                try await client.send(ClientFrame.binary([255, 0]))
                return try await client.messages()
            }
            #expect(messages.first == .init(2, [1]))
            #expect(messages.contains(.init(10, [1, 2])))
            #expect(Self.text(messages, channel: 1) == "hello")
            let status = try JSONValue(parsing: Self.text(messages, channel: 3))
            #expect(status["status"] == "Failure")
            #expect(status["reason"] == "NonZeroExitCode")
            #expect(status["details"] == ["causes": [["reason": "ExitCode", "message": "3"]]])
            #expect(
                status["message"]?.string
                    == "command terminated with non-zero exit code: error executing command "
                    + "[sh -c cat; exit 3], exit code 3")
            #expect(messages.last == .init(8, [0x03, 0xE8]))
        }
    }

    @Test(
        "older protocols: success is a status from version 4 on, and nothing before",
        arguments: [
            ("v4.channel.k8s.io", #"{"metadata":{},"status":"Success"}"#), ("channel.k8s.io", ""), (nil, ""),
        ] as [(String?, String)])
    func olderProtocols(form: String?, status: String) async throws {
        try await withPod { port, _ in
            let messages = try await StreamClient.with(port: port) { client in
                _ = try await client.webSocket(
                    Self.exec + "?command=echo&command=hi&stdout=true&stderr=true", token: "secret", form)
                return try await client.messages()
            }
            #expect(Self.text(messages, channel: 1) == "hi\n")
            #expect(Self.text(messages, channel: 3) == status)
        }
    }

    @Test("Base64 channels carry text")
    func base64() async throws {
        try await withPod { port, _ in
            let messages = try await StreamClient.with(port: port) { client in
                _ = try await client.webSocket(
                    Self.exec + "?command=head&command=-c5&stdin=true&stdout=true", token: "secret",
                    "v4.base64.channel.k8s.io")
                try await client.send(ClientFrame.frame(1, Array("0aGVsbG8=".utf8)))
                return try await client.messages()
            }
            #expect(messages.contains(.init(1, Array("1aGVsbG8=".utf8))))
        }
    }

    @Test("the size of a terminal reaches the session")
    func resize() async throws {
        let agent = ProcessAgent()
        try await withPod(agent) { port, _ in
            try await StreamClient.with(port: port) { client in
                _ = try await client.webSocket(
                    Self.exec + "?command=cat&stdin=true&stdout=true&tty=true", token: "secret", "v5.channel.k8s.io")
                try await client.send(ClientFrame.binary([4] + Array(#"{"Width":80,"Height":24}"#.utf8) + [10]))
                try await client.send(ClientFrame.binary([255, 0]))
                _ = try await client.messages()
            }
            #expect(agent.sessions.first?.sizes == [[80, 24]])
        }
    }

    @Test(
        "a handshake that is refused is an ordinary answer",
        arguments: [
            ("exec?command=true&stdout=true", "nonsense.k8s.io", 403, "unable to upgrade"),
            (
                "exec?command=true&stdout=true&container=nosuch", "v5.channel.k8s.io", 400,
                "container nosuch is not valid for pod web"
            ),
            (
                "exec?command=true&stdout=true", "v5.channel.k8s.io", 400,
                "a container name must be specified for pod web, choose one of: [main side]"
            ),
            (
                "exec?command=true&container=main", "v5.channel.k8s.io", 400,
                "you must specify at least 1 of stdin, stdout, stderr"
            ),
            ("portforward", "v4.channel.k8s.io", 400, "query parameter \\\"ports\\\" is required"),
            ("portforward?ports=x", "v4.channel.k8s.io", 400, "unable to parse \\\"x\\\" as a port"),
        ])
    func refusedHandshakes(path: String, form: String, code: Int, message: String) async throws {
        try await withPod(containers: ["main", "side"]) { port, _ in
            let (head, body) = try await StreamClient.with(port: port) { client in
                let path =
                    path.contains("container") || !path.hasPrefix("exec") || code == 400
                    ? path : path + "&container=main"
                let head = try await client.webSocket(
                    "/api/v1/namespaces/default/pods/web/\(path)", token: "secret", form)
                return (head, String(decoding: try await client.readRest(), as: UTF8.self))
            }
            #expect(head.hasPrefix("HTTP/1.1 \(code) "))
            #expect(head.contains("application/json"))
            #expect(body.contains(message))
        }
    }

    @Test("without an upgrade nothing happens")
    func withoutUpgrade() async throws {
        try await withPod { port, fixture in
            let body = try await StreamClient.with(port: port) { client in
                let head = try await client.upgrade(
                    Self.exec + "?command=true&stdout=true", token: "secret", ["Connection: close"], method: "POST")
                #expect(head.hasPrefix("HTTP/1.1 400 "))
                return String(decoding: try await client.readRest(), as: UTF8.self)
            }
            #expect(body.contains("Upgrade request required"))
            _ = try await fixture.makePod("unbound")
            let unbound = try await StreamClient.with(port: port) { client in
                _ = try await client.webSocket(
                    "/api/v1/namespaces/default/pods/unbound/exec?command=true&stdout=true", token: "secret",
                    "v5.channel.k8s.io")
                return String(decoding: try await client.readRest(), as: UTF8.self)
            }
            #expect(unbound.contains("pod unbound does not have a host assigned"))
        }
    }

    private static let spdy = [
        "Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: v5.channel.k8s.io",
        "X-Stream-Protocol-Version: v4.channel.k8s.io", "Content-Length: 0",
    ]

    @Test("SPDY picks the newest stream protocol that servers have, and malformed frames end the connection")
    func malformedSPDY() async throws {
        let agent = ProcessAgent()
        try await withPod(agent) { port, _ in
            let rest = try await StreamClient.with(port: port) { client in
                let head = try await client.upgrade(
                    Self.exec + "?command=sleep&command=1000&stdout=true", token: "secret", Self.spdy, method: "POST")
                #expect(head.hasPrefix("HTTP/1.1 101 "))
                #expect(head.contains("X-Stream-Protocol-Version: v4.channel.k8s.io"))
                try await client.send([0x80, 3, 0, 1, 0, 0xFF, 0xFF, 0xFF])
                return try await client.readRest()
            }
            #expect(rest == [0x80, 3, 0, 7, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1])
            let session = try #require(agent.sessions.first)
            await session.waitUntilClosed()
            #expect(!session.isRunning)
        }
    }

    @Test("malformed WebSocket frames end the connection and the command")
    func malformedWebSocket() async throws {
        let agent = ProcessAgent()
        try await withPod(agent) { port, _ in
            let messages = try await StreamClient.with(port: port) { client in
                _ = try await client.webSocket(
                    Self.exec + "?command=sleep&command=1000&stdout=true", token: "secret", "v5.channel.k8s.io")
                try await client.send([0x82, 1, 0])
                return try await client.messages()
            }
            #expect(messages.last == .init(8, [0x03, 0xEA]))
            let session = try #require(agent.sessions.first)
            await session.waitUntilClosed()
            #expect(!session.isRunning)
        }
    }

    @Test("a malformed tunnel of port-forward is closed with both protocols' words")
    func malformedTunnel() async throws {
        try await withPod { port, _ in
            let messages = try await StreamClient.with(port: port) { client in
                _ = try await client.webSocket(
                    "/api/v1/namespaces/default/pods/web/portforward", token: "secret",
                    "SPDY/3.1+portforward.k8s.io")
                for byte: UInt8 in [0x80, 9, 0, 1, 0, 0, 0, 0] { try await client.send(ClientFrame.binary([byte])) }
                return try await client.messages()
            }
            #expect(messages.map(\.opcode) == [2, 8])
        }
    }

    @Test("who does not read his output stops the program, and nobody else")
    func backPressure() async throws {
        let agent = ProcessAgent()
        try await withPod(agent) { port, fixture in
            try await StreamClient.with(port: port) { client in
                _ = try await client.webSocket(
                    Self.exec + "?command=head&command=-c1G&command=/dev/zero&stdout=true", token: "secret",
                    "v5.channel.k8s.io")
                _ = try await client.nextMessage()
                for number in 0..<50 {
                    _ = try await fixture.makeConfigMap("c\(number)")
                    let head = try await StreamClient.with(port: port) { other in
                        try await other.upgrade("/readyz", token: "secret", ["Connection: close"])
                    }
                    #expect(head.hasPrefix("HTTP/1.1 200 "))
                }
                let session = try #require(agent.sessions.first)
                #expect(session.isRunning)
                // What is in sockets and buffers on the way, by far less than the whole.
                #expect(session.outputCount < 100_000_000)
            }
            let session = try #require(agent.sessions.first)
            await session.waitUntilClosed()
            #expect(!session.isRunning)
        }
    }

    @Test("port-forward over plain channels begins with the port's number on both")
    func plainPortForward() async throws {
        try await withBackend { connection in
            try await connection.executeThenClose { inbound, outbound in
                for try await bytes in inbound { try await outbound.write(bytes) }
            }
        } _: { backend in
            try await withPod { port, _ in
                try await StreamClient.with(port: port) { client in
                    let head = try await client.webSocket(
                        "/api/v1/namespaces/default/pods/web/portforward?ports=\(backend)", token: "secret",
                        "v4.channel.k8s.io")
                    #expect(head.hasPrefix("HTTP/1.1 101 "))
                    let number = [UInt8(backend & 0xFF), UInt8(backend >> 8)]
                    #expect(try await client.nextMessage() == .init(2, [0] + number))
                    #expect(try await client.nextMessage() == .init(2, [1] + number))
                    try await client.send(ClientFrame.binary([0] + Array("echo".utf8)))
                    #expect(try await client.nextMessage() == .init(2, [0] + Array("echo".utf8)))
                }
            }
        }
    }

    @Test("logs and watches come over WebSocket too")
    func logs() async throws {
        try await withPod { port, _ in
            let messages = try await StreamClient.with(port: port) { client in
                _ = try await client.webSocket(
                    "/api/v1/namespaces/default/pods/web/log?container=main", token: "secret", "binary.k8s.io")
                return try await client.messages()
            }
            #expect(messages == [.init(2, Array("a line of main\n".utf8)), .init(8, [0x03, 0xE8])])
            let event = try await StreamClient.with(port: port) { client in
                _ = try await client.webSocket(
                    "/api/v1/namespaces/default/pods?watch=true&resourceVersion=0", token: "secret", nil)
                return try await client.nextMessage()
            }
            let value = try JSONValue(parsing: event?.bytes ?? [])
            #expect(value["type"] == "ADDED")
            #expect(value[["object", "metadata", "name"]] == "web")
        }
    }

    @Test(
        "parameters of logs that cannot be",
        arguments: [
            (
                "tailLines=-1", 422,
                "PodLogOptions \\\"\\\" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0"
            ),
            (
                "limitBytes=0", 422,
                "PodLogOptions \\\"\\\" is invalid: limitBytes: Invalid value: 0: must be greater than 0"
            ),
            ("tailLines=x", 400, "strconv.ParseInt: parsing \\\"x\\\": invalid syntax"),
            ("sinceSeconds=99999999999999999999", 400, "value out of range"),
            ("sinceTime=yesterday", 400, "parsing time \\\"yesterday\\\""),
            ("container=nosuch", 400, "container nosuch is not valid for pod web"),
        ])
    func logParameters(query: String, code: Int, message: String) async throws {
        try await withPod { port, _ in
            let (head, body) = try await StreamClient.with(port: port) { client in
                let head = try await client.upgrade(
                    "/api/v1/namespaces/default/pods/web/log?\(query)", token: "secret", ["Connection: close"])
                return (head, String(decoding: try await client.readRest(), as: UTF8.self))
            }
            #expect(head.hasPrefix("HTTP/1.1 \(code) "))
            #expect(body.contains(message))
        }
    }
}
