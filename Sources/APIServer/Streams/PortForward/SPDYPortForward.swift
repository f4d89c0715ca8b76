import KubeClient
import KubeModel
import NIOCore
import Synchronization

/// Port-forwarding over SPDY, plain or inside a WebSocket: any number of connections, each a pair of streams.
struct SPDYPortForward: Sendable {
    let agent: any NodeAgent
    let pod: KubeObject
    let isTunnelled: Bool

    static let spdyProtocol = "portforward.k8s.io"
    static let tunnelProtocol = "SPDY/3.1+portforward.k8s.io"

    /// Writes frames, one piece at a time, wrapped if they travel inside a WebSocket.
    private struct Frames: Sendable {
        let writer: WireWriter
        let isTunnelled: Bool

        func write(_ bytes: ByteBuffer) async throws {
            try await writer.write(isTunnelled ? WebSocketFrame.binary(Array(bytes.readableBytesView)) : bytes)
        }
    }

    /// Streams that are over, for the one who keeps the list of them.
    private final class Finished: Sendable {
        private let streams = Mutex<[UInt32]>([])

        func add(_ pair: StreamPairs.Pair) { streams.withLock { $0 += [pair.error, pair.data] } }

        func take() -> [UInt32] {
            streams.withLock { streams in
                defer { streams = [] }
                return streams
            }
        }
    }

    func run(_ reader: inout WireReader, _ writer: WireWriter) async {
        let frames = Frames(writer: writer, isTunnelled: isTunnelled)
        let finished = Finished()
        await withDiscardingTaskGroup { group in
            var tunnel = WebSocketParser()
            var connection = SPDYConnection()
            var pairs = StreamPairs()
            var inputs: [UInt32: Mailbox<ForwardedInput>] = [:]
            do {
                reading: while let arrived = await reader.next() {
                    for id in finished.take() {
                        connection.forget(id)
                        inputs[id] = nil
                    }
                    if isTunnelled {
                        guard try await unwrap(arrived, &tunnel, into: &connection, writer) else { break reading }
                    } else {
                        connection.feed(arrived)
                    }
                    while let event = try connection.next() {
                        switch event {
                        case .opened(let id, let headers):
                            guard case .taken(let isData, let pair) = pairs.add(id, headers) else {
                                try await frames.write(connection.refuse(id))
                                continue
                            }
                            if isData { inputs[id] = Mailbox(costMax: ForwardedConnection.inputBytesMax) }
                            try await frames.write(connection.accept(id))
                            if let pair, let input = inputs[pair.data] {
                                group.addTask {
                                    await forward(pair, input, frames)
                                    finished.add(pair)
                                }
                            }
                        case .data(let id, let bytes, let isLast):
                            if !bytes.isEmpty {
                                await inputs[id]?.send(.bytes(bytes), cost: bytes.count, from: writer)
                            }
                            if isLast { await inputs[id]?.send(.end, cost: 0) }
                        case .reset(let id): await inputs[id]?.send(.reset, cost: 0)
                        case .write(let bytes): try await frames.write(bytes)
                        case .goAway: continue
                        }
                    }
                }
            } catch is StreamProtocolError {
                try? await frames.write(SPDYFrame.encodeGoAway(lastStream: connection.lastStream, reason: 1))
                if isTunnelled { try? await writer.write(WebSocketFrame.close(WebSocketFrame.protocolError)) }
            } catch {
                // The client has gone.
            }
            for input in inputs.values { input.close() }
            group.cancelAll()
        }
    }

    /// Takes the bytes out of WebSocket frames, whose borders mean nothing here.
    ///
    /// - Returns: Whether the WebSocket stays open.
    private func unwrap(
        _ arrived: ByteBuffer, _ tunnel: inout WebSocketParser, into connection: inout SPDYConnection,
        _ writer: WireWriter
    ) async throws -> Bool {
        tunnel.feed(arrived)
        while let event = try tunnel.next() {
            switch event {
            case .piece(let piece): connection.feed(ByteBuffer(bytes: piece.bytes))
            case .ping(let bytes): try await writer.write(WebSocketFrame.pong(bytes))
            case .pong: continue
            case .close(let code):
                try await writer.write(WebSocketFrame.close(code ?? WebSocketFrame.normal))
                return false
            }
        }
        return true
    }

    private func forward(
        _ pair: StreamPairs.Pair, _ input: Mailbox<ForwardedInput>, _ frames: Frames
    ) async {
        let connection = ForwardedConnection(
            agent: agent, pod: pod, port: pair.port, eventLoop: frames.writer.channel.eventLoop)
        let failure = await connection.run(input) { bytes in
            try await frames.write(SPDYFrame.encodeData(pair.data, bytes))
        }
        let text = failure.map { Array($0.utf8) } ?? []
        try? await frames.write(SPDYFrame.encodeData(pair.data, [], isLast: true))
        try? await frames.write(SPDYFrame.encodeData(pair.error, text, isLast: true))
    }
}
