import KubeModel
import NIOCore
import NIOHTTP1

/// One connection: its requests in turn, each answered before the next is looked at.
struct HTTPConnection: Sendable {
    typealias Channel = NIOAsyncChannel<HTTPInput, HTTPOutput>

    let channel: Channel
    let pipeline: RequestPipeline
    let authenticator: Authenticator
    let watches: WatchLoop
    let spareMemory: SpareMemory
    /// There is no room for this one: its request is refused, so that its client knows why and comes again.
    let isOneTooMany: Bool

    /// Takes over a connection that was accepted and has not been read from.
    ///
    /// Not before there is a task that serves it: NIO ends the program when an asynchronous channel is let go of unserved,
    /// as happens to those that were accepted while the server stops.
    static func take(_ channel: any NIOCore.Channel) async throws -> Channel {
        try await channel.eventLoop.submit {
            guard channel.isActive else { throw ChannelError.alreadyClosed }
            let taken = try Channel(
                wrappingChannelSynchronously: channel,
                configuration: .init(backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2)))
            channel.setOption(.autoRead, value: true).whenFailure { _ in channel.close(promise: nil) }
            return taken
        }.get()
    }

    /// About what a connection needs, and gives back.
    private static let bytesUsed = 48 * 1024
    /// About how many times the room of its body a request needs while it is worked on.
    private static let workFactor = 8

    /// Serves until the client goes, asks to close, or the task is cancelled.
    ///
    /// What goes wrong on the wire ends here.
    func serve() async {
        let closed = channel.channel.closeFuture
        await withTaskGroup(of: Void.self) { group in
            // A client that leaves in the middle of an answer, of a watch above all, ends the work on it.
            group.addTask { try? await closed.get() }
            group.addTask { await serveRequests() }
            await group.next()
            group.cancelAll()
            // Without this the first child would wait for a connection that nobody closes.
            channel.channel.close(promise: nil)
        }
        spareMemory.note(Self.bytesUsed)
    }

    private func serveRequests() async {
        try? await channel.executeThenClose { inbound, outbound in
            var inputs = inbound.makeAsyncIterator()
            while let input = try await inputs.next(isolation: #isolation) {
                // Plain bytes follow an upgrade only, and then somebody else reads them.
                guard case .request(let request) = input else { return }
                switch try await answer(request, outbound) {
                case .staysOpen: continue
                case .closes: return
                case .becomes(let upgrade, let response):
                    var reader = WireReader(inputs)
                    await upgrade.run(&reader, WireWriter(outbound: outbound, channel: channel.channel))
                    response.request?.finish()
                    return
                }
            }
        }
    }

    /// What becomes of the connection after an answer.
    private enum Next {
        case staysOpen, closes
        /// What the audit journal has begun with the answer ends when the other protocol is over.
        case becomes(ConnectionUpgrade, APIResponse)
    }

    private func answer(
        _ request: CollectedRequest, _ outbound: NIOAsyncChannelOutboundWriter<HTTPOutput>
    ) async throws -> Next {
        let asked = makeRequest(request)
        var response: APIResponse
        if let refusal = isOneTooMany ? .tooManyRequests : request.refusal {
            response = .refusal(refusal)
        } else if asked.query["watch"] != nil {
            // A task keeps the room that its calls once took; a watch would keep it for an hour. A child takes its own with it.
            async let made = pipeline.respond(to: asked)
            response = await made
        } else {
            response = await pipeline.respond(to: asked)
        }
        var isUpgraded = false
        defer { if !isUpgraded { response.request?.finish() } }
        AnswerShape(request.head, path: asked.path, query: asked.query).apply(to: &response)
        // What is left of a body cannot be told from a next request, and what follows a refused upgrade is not parsed.
        let keepsOpen =
            request.head.isKeepAlive && request.isComplete && !isOneTooMany && !UpgradeOffer.isUpgrade(request.head)
        var head = HTTPResponseHead(
            version: request.head.version, status: HTTPResponseStatus(statusCode: response.code))
        for (name, value) in response.headers { head.headers.add(name: name, value: value) }
        if !keepsOpen, response.code != 101 { head.headers.add(name: "Connection", value: "close") }
        switch response.body {
        case .bytes(let bytes):
            if !head.headers.contains(name: "content-length") {
                head.headers.add(name: "Content-Length", value: "\(bytes.count)")
            }
            var parts: [HTTPOutput] = [.part(.head(head))]
            if request.head.method != .HEAD, !bytes.isEmpty {
                parts.append(.part(.body(.byteBuffer(ByteBuffer(bytes: bytes)))))
            }
            parts.append(.part(.end(nil)))
            try await outbound.write(contentsOf: parts)
            spareMemory.note(bytes.count + request.body.count * Self.workFactor)
        case .pieces(let pieces):
            try await outbound.write(.part(.head(head)))
            let maker = PieceMaker(pieces)
            var next = request.head.method == .HEAD ? nil : await maker.next()
            while let piece = next {
                // The next piece is made while this one is sent, and not on the loop that sends it.
                async let following = withTaskExecutorPreference(globalConcurrentExecutor) { await maker.next() }
                if !piece.isEmpty { try await outbound.write(.part(.body(.byteBuffer(ByteBuffer(bytes: piece))))) }
                spareMemory.note(piece.count)
                next = await following
            }
            try await outbound.write(.part(.end(nil)))
        case .watch(let watch):
            try await outbound.write(.part(.head(head)))
            let version = request.head.version
            if watch.cursor.needsConversion {
                try await watch.run { try await outbound.write(.part(.body(.byteBuffer($0)))) }
                try Task.checkCancellation()
                try await outbound.write(.part(.end(nil)))
                break
            }
            await watches.serve(watch, on: channel.channel, isChunked: version.major == 1 && version.minor >= 1)
            try Task.checkCancellation()
            try await outbound.write(.part(.end(nil)))
        case .stream(let stream):
            try await outbound.write(.part(.head(head)))
            for try await piece in stream where !piece.isEmpty {
                // Suspends while the client does not read; nothing piles up meanwhile.
                try await outbound.write(.part(.body(.byteBuffer(ByteBuffer(bytes: piece)))))
            }
            try Task.checkCancellation()
            try await outbound.write(.part(.end(nil)))
        case .upgrade(let upgrade):
            for (name, value) in upgrade.headers { head.headers.add(name: name, value: value) }
            // A client that has gone is found by whoever reads from it.
            try? await outbound.write(.upgrade(head))
            isUpgraded = true
            return .becomes(upgrade, response)
        }
        return keepsOpen ? .staysOpen : .closes
    }

    private func makeRequest(_ request: CollectedRequest) -> APIRequest {
        let headers = request.head.headers
        let accepted = headers["accept"]
        var made = APIRequest(
            request.head.method.rawValue, request.head.uri,
            accept: accepted.isEmpty ? nil : accepted.joined(separator: ","),
            contentType: headers.first(name: "content-type"), ifNoneMatch: headers.first(name: "if-none-match"),
            body: request.body, headers: headers.map { ($0.name, $0.value) },
            user: authenticator.user(
                authorization: headers.first(name: "authorization"), certificateUser: request.certificateUser))
        made.origin.userAgent = headers.first(name: "user-agent") ?? ""
        made.eventLoop = channel.channel.eventLoop
        made.impersonation = Impersonation(headers: headers)
        return made
    }
}
