import KubeModel
import NIOCore
import NIOHTTP1

/// One connection: its requests in turn, each answered before the next is looked at.
struct HTTPConnection: Sendable {
    typealias Channel = NIOAsyncChannel<CollectedRequest, HTTPServerResponsePart>

    let channel: Channel
    let pipeline: RequestPipeline
    let authenticator: Authenticator

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
    }

    private func serveRequests() async {
        try? await channel.executeThenClose { inbound, outbound in
            for try await request in inbound {
                let isOpen = try await answer(request, outbound)
                if !isOpen { return }
            }
        }
    }

    /// - Returns: Whether the connection stays open.
    private func answer(
        _ request: CollectedRequest, _ outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
    ) async throws -> Bool {
        let response: APIResponse
        if request.isTooLarge {
            response = .refusal(.tooLarge(bytesMax: RequestBody.bytesMax))
        } else {
            response = await pipeline.respond(to: makeRequest(request))
        }
        // What is left of a body cannot be told from a next request.
        let keepsOpen = request.head.isKeepAlive && request.isComplete
        var head = HTTPResponseHead(
            version: request.head.version, status: HTTPResponseStatus(statusCode: response.code))
        for (name, value) in response.headers { head.headers.add(name: name, value: value) }
        if !keepsOpen { head.headers.add(name: "Connection", value: "close") }
        switch response.body {
        case .bytes(let bytes):
            head.headers.add(name: "Content-Length", value: "\(bytes.count)")
            var parts: [HTTPServerResponsePart] = [.head(head)]
            if request.head.method != .HEAD, !bytes.isEmpty {
                parts.append(.body(.byteBuffer(ByteBuffer(bytes: bytes))))
            }
            parts.append(.end(nil))
            try await outbound.write(contentsOf: parts)
        case .stream(let stream):
            try await outbound.write(.head(head))
            for try await piece in stream where !piece.isEmpty {
                // Suspends while the client does not read; nothing piles up meanwhile.
                try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: piece))))
            }
            try Task.checkCancellation()
            try await outbound.write(.end(nil))
        }
        return keepsOpen
    }

    private func makeRequest(_ request: CollectedRequest) -> APIRequest {
        let headers = request.head.headers
        let accepted = headers["accept"]
        var made = APIRequest(
            request.head.method.rawValue, request.head.uri,
            accept: accepted.isEmpty ? nil : accepted.joined(separator: ","),
            contentType: headers.first(name: "content-type"), ifNoneMatch: headers.first(name: "if-none-match"),
            body: request.body,
            user: authenticator.user(
                authorization: headers.first(name: "authorization"), certificateUser: request.certificateUser))
        made.origin.userAgent = headers.first(name: "user-agent") ?? ""
        made.impersonation = Impersonation(headers: headers)
        return made
    }
}
