import KubeModel
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

@testable import ContainerRuntime

/// A registry on a free port of 127.0.0.1 with one image, which it gives to those with a token; its layers lie elsewhere.
final class FakeRegistry: Sendable {
    struct Content: Sendable {
        var tags: [String: Digest] = [:]
        var blobs: [Digest: [UInt8]] = [:]

        mutating func add(_ bytes: [UInt8]) -> Digest {
            let digest = Digest(of: bytes)
            blobs[digest] = bytes
            return digest
        }

        /// An index with an image for this machine; returns the digest of the index.
        @discardableResult
        mutating func addImage(_ tag: String, layers: [[UInt8]], packing: ([UInt8]) -> [UInt8]) -> Digest {
            let config = add(Archives.config(["Cmd": ["/bin/app"]], layers: layers))
            let packed = layers.map { JSONValue.string(add(packing($0)).description) }
            let manifest: JSONValue = [
                "schemaVersion": 2, "config": ["digest": .string(config.description)],
                "layers": .array(packed.map { ["digest": $0] }),
            ]
            let own = add(Array(manifest.text.utf8))
            let index: JSONValue = [
                "schemaVersion": 2,
                "manifests": [
                    ["digest": .string(own.description), "platform": ["os": "linux", "architecture": "s390x"]],
                    [
                        "digest": .string(own.description),
                        "platform": ["os": "linux", "architecture": .string(ImageConfig.machine)],
                    ],
                ],
            ]
            let digest = add(Array(index.text.utf8))
            tags[tag] = digest
            return digest
        }
    }

    let content = Mutex(Content())
    private let asked = Mutex<[String]>([])

    /// The paths that were asked for since the last time.
    func takeQuestions() -> [String] {
        asked.withLock { asked in
            defer { asked = [] }
            return asked
        }
    }

    /// Runs `body` with the registry's name: `127.0.0.1:PORT`.
    static func run(_ body: (FakeRegistry, String) async throws -> Void) async throws {
        let registry = FakeRegistry()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Answers(registry))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do { try await body(registry, "127.0.0.1:\(channel.localAddress?.port ?? 0)") } catch {
            try? await channel.close()
            throw error
        }
        try? await channel.close()
    }

    private func answer(_ head: HTTPRequestHead) -> (status: HTTPResponseStatus, headers: HTTPHeaders, body: [UInt8]) {
        asked.withLock { $0.append(head.uri) }
        let host = head.headers.first(name: "host") ?? ""
        let name = head.uri.split(separator: "/").last.map(String.init) ?? ""
        if head.uri == "/token?service=here&scope=repository:team/web:pull" {
            return (.ok, [:], Array(#"{"token":"t"}"#.utf8))
        }
        let blob = Digest(name).flatMap { digest in content.withLock { $0.blobs[digest] } }
        // Where layers lie nobody may see the token.
        if head.uri.hasPrefix("/elsewhere/") {
            return blob.map { (head.headers.contains(name: "authorization") ? .forbidden : .ok, [:], $0) } ?? (
                .notFound, [:], []
            )
        }
        guard head.headers.first(name: "authorization") == "Bearer t", !head.uri.hasPrefix("/v2/secret/") else {
            let challenge = #"Bearer realm="http://\#(host)/token",service="here",scope="repository:team/web:pull""#
            return (.unauthorized, ["WWW-Authenticate": challenge], [])
        }
        if head.uri.hasPrefix("/v2/team/web/manifests/") {
            let tagged = content.withLock { content in content.tags[name].flatMap { content.blobs[$0] } }
            return (tagged ?? blob).map { (.ok, [:], $0) } ?? (.notFound, [:], [])
        }
        guard head.uri.hasPrefix("/v2/team/web/blobs/"), blob != nil else { return (.notFound, [:], []) }
        let other = host.replacing("127.0.0.1", with: "localhost")
        return (.temporaryRedirect, ["Location": "http://\(other)/elsewhere/\(name)"], [])
    }

    private final class Answers: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let registry: FakeRegistry

        init(_ registry: FakeRegistry) { self.registry = registry }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            var (status, headers, body) = registry.answer(head)
            headers.add(name: "Content-Length", value: "\(body.count)")
            context.write(
                wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
