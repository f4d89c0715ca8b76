import KubeModel
import NIOCore
import NIOHTTP1
import NIOPosix

/// One request to a program in a pod, and its answer.
struct ProxyExchange: Sendable {
    let request: APIRequest
    let path: ProxyPath
    let upgrade: String?

    private typealias Connection = BackendConnection<HTTPClientResponsePart>

    private var eventLoop: any EventLoop { request.eventLoop ?? NIOSingletons.posixEventLoopGroup.any() }

    private var host: String? { ProxyHeaders.value("host", in: request.headers) }

    private var head: HTTPRequestHead {
        let query = request.uri.drop { $0 != "?" }
        let headers = ProxyHeaders.request(
            request.headers, path: path, bodyCount: request.body.count, upgrade: upgrade)
        return HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: path.rest + query,
            headers: HTTPHeaders(headers.map { ($0.name, $0.value) }))
    }

    /// Takes the socket over, sends the request, and answers as soon as the head of the answer is there.
    func run(_ descriptor: Int32, tls: OutgoingTLS?) async throws -> APIResponse {
        let connection = try await Connection.adopt(
            descriptor, eventLoop, tls: tls
        ) { try $0.addHTTPClientHandlers() }
        var parts: [HTTPClientRequestPart] = [.head(head)]
        if !request.body.isEmpty { parts.append(.body(.byteBuffer(ByteBuffer(bytes: request.body)))) }
        try await connection.write(parts + [.end(nil)])
        guard case .head(let answer) = try await connection.next() else { throw Status.unreachable("EOF") }
        let headers = answer.headers.map { (name: $0.name, value: $0.value) }
        var response = APIResponse(
            code: Int(answer.status.code), headers: ProxyHeaders.response(headers, path: path, host: host),
            body: .bytes([]))
        guard request.method != "HEAD" else { return response }
        let type = MediaType(ProxyHeaders.value("content-type", in: headers) ?? "")
        if type.name == "text/html", ProxyHeaders.value("content-encoding", in: headers) ?? "" == "" {
            return try await page(response, connection)
        }
        response.body = .stream(
            AsyncThrowingStream {
                guard case .body(let bytes) = try await connection.next() else { return nil }
                return Array(bytes.readableBytesView)
            })
        return response
    }

    /// A page is read whole, because its links are changed; one that is too large is passed on as it is.
    private func page(_ response: APIResponse, _ connection: Connection) async throws -> APIResponse {
        var response = response
        var page: [UInt8] = []
        while case .body(let bytes) = try await connection.next() {
            page += bytes.readableBytesView
            guard page.count <= PageLinks.pageBytesMax else {
                let start = OnceOnly(page)
                response.body = .stream(
                    AsyncThrowingStream {
                        if let start = start.take() { return start }
                        guard case .body(let bytes) = try await connection.next() else { return nil }
                        return Array(bytes.readableBytesView)
                    })
                return response
            }
        }
        let host = host
        response.headers.removeAll { $0.name.lowercased() == "content-length" }
        response.body = .bytes(PageLinks.rewrite(page) { ProxyHeaders.link($0, path: path, host: host) })
        return response
    }

    // MARK: Other protocols

    private typealias RawConnection = BackendConnection<ByteBuffer>

    private static let headBytesMax = 64 * 1024

    /// Lets the program in the pod decide whether the connection goes over to another protocol, and carries that.
    func runUpgrade(_ descriptor: Int32, tls: OutgoingTLS?) async throws -> APIResponse {
        let connection = try await RawConnection.adopt(
            descriptor, eventLoop, tls: tls)
        var text = "\(head.method.rawValue) \(head.uri) HTTP/1.1\r\n"
        for (name, value) in head.headers { text += "\(name): \(value)\r\n" }
        try await connection.write([ByteBuffer(string: text + "\r\n")])
        var bytes: [UInt8] = []
        var answer = RawAnswer(bytes)
        while answer == nil {
            guard bytes.count <= Self.headBytesMax, let more = try await connection.next() else {
                throw Status.unreachable("EOF")
            }
            bytes += more.readableBytesView
            answer = RawAnswer(bytes)
        }
        guard let answer else { throw Status.unreachable("EOF") }
        guard answer.code == 101 else {
            let rest = OnceOnly(answer.rest)
            return APIResponse(
                code: answer.code, headers: ProxyHeaders.response(answer.headers, path: path, host: host),
                body: .stream(
                    AsyncThrowingStream {
                        if let rest = rest.take() { return rest }
                        return try await connection.next().map { Array($0.readableBytesView) }
                    }))
        }
        return .upgrade(
            ConnectionUpgrade(headers: answer.headers) { reader, writer in
                await Self.relay(connection, answer.rest, &reader, writer)
            })
    }

    private static func relay(
        _ connection: RawConnection, _ start: [UInt8], _ reader: inout WireReader, _ writer: WireWriter
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    if !start.isEmpty { try await writer.write(ByteBuffer(bytes: start)) }
                    while let bytes = try await connection.next() { try await writer.write(bytes) }
                } catch {
                    // One of the two has gone.
                }
                writer.close()
            }
            while let bytes = await reader.next() {
                guard (try? await connection.write([bytes])) != nil else { break }
            }
            connection.close()
            group.cancelAll()
        }
    }
}

/// The head of an answer that may be followed by another protocol.
struct RawAnswer: Equatable {
    let code: Int
    let headers: [(name: String, value: String)]
    let rest: [UInt8]

    static func == (left: RawAnswer, right: RawAnswer) -> Bool {
        left.code == right.code && left.rest == right.rest && left.headers.elementsEqual(right.headers, by: ==)
    }

    /// Nil as long as the head is not whole.
    init?(_ bytes: [UInt8]) {
        let mark = Array("\r\n\r\n".utf8)
        guard bytes.count >= mark.count,
            let end = (0...(bytes.count - mark.count)).first(where: { bytes[$0..<($0 + 4)].elementsEqual(mark) })
        else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        code = words.count > 1 ? Int(words[1]) ?? 502 : 502
        headers = lines.dropFirst().compactMap { line in
            let sides = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2 else { return nil }
            return (String(sides[0]), String(sides[1].drop { $0 == " " }))
        }
        rest = Array(bytes[(end + 4)...])
    }
}
