import KubeModel
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

@testable import ContainerRuntime

/// A registry on a free port of 127.0.0.1 with one image, whose layers lie elsewhere.
///
/// It gives `team/web` to everybody with a token, `team/basic` to `u` with the password `p`, and `team/private` to those with a
/// token that is for `u`, or for the identity `i`.
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

    private func answer(
        _ head: HTTPRequestHead, _ form: [UInt8]
    ) -> (status: HTTPResponseStatus, headers: HTTPHeaders, body: [UInt8]) {
        asked.withLock { $0.append(head.uri) }
        let host = head.headers.first(name: "host") ?? ""
        let name = head.uri.split(separator: "/").last.map(String.init) ?? ""
        let shown = head.headers.first(name: "authorization")
        if head.uri.hasPrefix("/token") { return token(head, form) }
        let blob = Digest(name).flatMap { digest in content.withLock { $0.blobs[digest] } }
        // Where layers lie nobody may see the token.
        if head.uri.hasPrefix("/elsewhere/") {
            return blob.map { (head.headers.contains(name: "authorization") ? .forbidden : .ok, [:], $0) } ?? (
                .notFound, [:], []
            )
        }
        let parts = head.uri.split(separator: "/").map(String.init)
        guard parts.count == 5 else { return (.notFound, [:], []) }
        let repository = parts[1...2].joined(separator: "/")
        let wanted = ["team/web": "Bearer t", "team/basic": Self.login, "team/private": "Bearer p"][repository]
        guard shown == wanted else {
            let challenge =
                repository == "team/basic"
                ? #"Basic realm="here""#
                : #"Bearer realm="http://\#(host)/token",service="here",scope="repository:\#(repository):pull""#
                    + (shown == nil ? "" : #",error="insufficient_scope""#)
            return (.unauthorized, ["WWW-Authenticate": challenge], [])
        }
        if parts[3] == "manifests" {
            let tagged = content.withLock { content in content.tags[name].flatMap { content.blobs[$0] } }
            return (tagged ?? blob).map { (.ok, [:], $0) } ?? (.notFound, [:], [])
        }
        guard parts[3] == "blobs", blob != nil else { return (.notFound, [:], []) }
        let other = host.replacing("127.0.0.1", with: "localhost")
        return (.temporaryRedirect, ["Location": "http://\(other)/elsewhere/\(name)"], [])
    }

    private static let login = "Basic dTpw"

    /// A token for what it is asked with: a login, a form with an identity, or nothing.
    private func token(_ head: HTTPRequestHead, _ form: [UInt8]) -> (HTTPResponseStatus, HTTPHeaders, [UInt8]) {
        let isIdentity = head.method == .POST && String(decoding: form, as: UTF8.self).hasSuffix("&refresh_token=i")
        switch (head.headers.first(name: "authorization"), isIdentity) {
        case (nil, false) where head.method == .GET: return (.ok, [:], Array(#"{"token":"t"}"#.utf8))
        case (Self.login, _), (nil, true): return (.ok, [:], Array(#"{"access_token":"p"}"#.utf8))
        default: return (.unauthorized, [:], [])
        }
    }

    private final class Answers: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let registry: FakeRegistry

        init(_ registry: FakeRegistry) { self.registry = registry }

        private var head: HTTPRequestHead?
        private var form: [UInt8] = []

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body(let bytes): form += Array(bytes.readableBytesView)
            case .end:
                guard let head else { return }
                var (status, headers, body) = registry.answer(head, form)
                headers.add(name: "Content-Length", value: "\(body.count)")
                context.write(
                    wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
