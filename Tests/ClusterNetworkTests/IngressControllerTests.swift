import ContainerRuntime
import FoundationEssentials
import KubeClient
import KubeModel
import LabTesting
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import ClusterNetwork

@Suite("Ingress controller", .timeLimit(.minutes(5)))
struct IngressControllerTests {
    private let cluster: MemoryCluster
    private let datapath = LoopbackDatapath()
    private var client: any ClusterClient { cluster.client }

    init() throws { cluster = try MemoryCluster() }

    private func withNetwork(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let network = ClusterNetwork(client: client, datapath: datapath, level: .sandbox)
        try await cluster.running([network]) {
            await network.waitUntilReady()
            try await body()
        }
    }

    private func createIngress(_ spec: JSONValue) async throws {
        var ingress = KubeObject(.ingresses, namespace: "default", name: "web")
        ingress.value["spec"] = spec
        _ = try await client.create(.ingresses, ingress)
    }

    private func waitForAddress() async throws {
        let isThere = try await client.waitFor(.ingresses, "web", in: "default", timeout: .seconds(20)) {
            $0?.value[["status", "loadBalancer", "ingress"]]?.array?.first?["ip"] == "127.0.0.1"
        }
        #expect(isThere)
    }

    private static let rule: JSONValue = [
        "host": "web.example",
        "http": [
            "paths": [
                ["path": "/", "pathType": "Prefix", "backend": ["service": ["name": "web", "port": ["number": 80]]]]
            ]
        ],
    ]

    @Test("nothing of it exists before the first Ingress, and it goes with the last one and the class")
    func life() async throws {
        let backend = try await HTTPBackend.start("one")
        datapath.route("10.244.0.2", 8080, to: backend.port)
        try await withNetwork {
            #expect(try await client.list(.ingressClasses, in: nil).items.isEmpty)
            #expect(datapath.hostPort(.tcp, "10.244.255.2", 80) == nil)
            try await createIngress(["rules": [Self.rule]])
            try await waitForAddress()
            let ingressClass = try await client.get(.ingressClasses, "nginx")
            #expect(ingressClass.annotations["ingressclass.kubernetes.io/is-default-class"] == "true")
            let service = try await client.get(.services, "ingress-nginx-controller", in: "ingress-nginx")
            #expect(KubeService(service).ports.allSatisfy { $0.nodePort != nil })
            let port = try #require(datapath.hostPort(.tcp, "10.244.255.2", 80))
            let question = "GET / HTTP/1.1\r\nHost: web.example\r\nConnection: close\r\n\r\n"
            #expect(try await ask(port, question).hasPrefix("HTTP/1.1 503 "))
            var web = KubeObject(.services, namespace: "default", name: "web")
            web.value["spec"] = ["ports": [["port": 80, "targetPort": 8080]]]
            _ = try await client.create(.services, web)
            let slice = Fixture.slice(
                of: "web", namespace: "default", ports: [["port": 8080]], endpoints: [Fixture.endpoint("10.244.0.2")])
            _ = try await client.create(.endpointSlices, slice)
            var answer = ""
            while !answer.hasPrefix("HTTP/1.1 200 ") { answer = try await ask(port, question) }
            #expect(answer.contains("X-Backend: one"))
            try await client.delete(.ingresses, namespace: "default", name: "web", options: DeleteOptions())
            try await client.delete(.ingressClasses, namespace: nil, name: "nginx", options: DeleteOptions())
            while (try? await RawConnection(port: port).close()) != nil {}
        }
        await backend.stop()
    }

    private func ask(_ port: Int, _ request: String) async throws -> String {
        let connection = try await RawConnection(port: port)
        try await connection.say(request)
        return try await connection.hear()
    }

    @Test("a Secret that cannot be used is told, and clients see the controller's own certificate until it can")
    func certificates() async throws {
        try await withNetwork {
            try await createIngress([
                "rules": [Self.rule], "tls": [["hosts": ["web.example"], "secretName": "web-tls"]],
            ])
            try await waitForAddress()
            let port = try #require(datapath.hostPort(.tcp, "10.244.255.2", 443))
            #expect(try await certificate(port, "web.example") == "Kubernetes Ingress Controller Fake Certificate")
            let events = try await client.watch(.events, namespace: "default", options: WatchOptions())
            for try await event in events where event.object?.value["reason"] == "CertificateUnavailable" { break }
            let made = try IngressCertificates.makePair(name: "web.example")
            var secret = KubeObject(.secrets, namespace: "default", name: "web-tls")
            secret.value["type"] = "kubernetes.io/tls"
            secret.value["data"] = [
                "tls.crt": .string(Data(made.certificate.utf8).base64EncodedString()),
                "tls.key": .string(Data(made.key.utf8).base64EncodedString()),
            ]
            _ = try await client.create(.secrets, secret)
            while try await certificate(port, "web.example") != "web.example" {}
            #expect(try await certificate(port, "other.example") == "Kubernetes Ingress Controller Fake Certificate")
        }
    }

    /// The common name in the certificate that a server shows to those who ask for `name`.
    private func certificate(_ port: Int, _ name: String) async throws -> String {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let context = try NIOSSLContext(configuration: configuration)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let seen = eventLoop.makePromise(of: String.self)
        let connecting = ClientBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = try NIOSSLClientHandler(
                        context: context, serverHostname: name,
                        customVerificationCallback: { chain, verified in
                            let subject = chain.first.map { String(describing: $0) } ?? ""
                            let name = subject.firstRange(of: "common_name=").map { subject[$0.upperBound...] } ?? ""
                            seen.succeed(String(name.prefix { $0 != ";" && $0 != "," }))
                            verified.succeed(.failed)
                        })
                    try channel.pipeline.syncOperations.addHandlers(handler, FailureHandler(seen: seen))
                }
            }
            .connect(host: "127.0.0.1", port: port)
        connecting.whenFailure { seen.fail($0) }
        let answer = try await seen.futureResult.get()
        try? await connecting.get().close()
        return answer
    }
}

/// A handshake that fails before there was a certificate is an answer too.
private final class FailureHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let seen: EventLoopPromise<String>

    init(seen: EventLoopPromise<String>) { self.seen = seen }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        seen.fail(error)
        context.close(promise: nil)
    }
}
