import KubeClient
import KubeModel
import NIOCore

/// Port-forwarding over WebSocket channels: two for each port, for data and for errors, each one connection.
struct WebSocketPortForward: Sendable {
    let agent: any NodeAgent
    let pod: KubeObject
    let form: ChannelProtocol
    let ports: [Int]

    /// Reads the parameter `ports`, which may be repeated or hold a list.
    static func ports(_ query: Query) throws(Status) -> [Int] {
        let values = query.all("ports")
        guard !values.isEmpty else { throw .badRequest("query parameter \"ports\" is required") }
        var ports: [Int] = []
        for value in values {
            guard !value.isEmpty else { throw .badRequest("query parameter \"ports\" cannot be empty") }
            for part in value.split(separator: ",", omittingEmptySubsequences: false) {
                guard let port = UInt16(part) else { throw .badRequest("unable to parse \"\(value)\" as a port") }
                guard port > 0 else { throw .badRequest("port \"\(value)\" must be > 0") }
                ports.append(Int(port))
            }
        }
        guard ports.count <= 100 else { throw .badRequest("too many ports") }
        return ports
    }

    func run(_ reader: inout WireReader, _ writer: WireWriter) async {
        let inputs = ports.map { _ in Mailbox<ForwardedInput>(costMax: ForwardedConnection.inputBytesMax) }
        await withDiscardingTaskGroup { group in
            var channels = ChannelReader(form)
            do {
                for (index, port) in ports.enumerated() {
                    let number = [UInt8(port & 0xFF), UInt8(port >> 8)]
                    try await writer.write(form.encode(UInt8(index * 2), number))
                    try await writer.write(form.encode(UInt8(index * 2 + 1), number))
                    group.addTask { await forward(index, inputs[index], writer) }
                }
                reading: while let arrived = await reader.next() {
                    for event in try channels.receive(arrived) {
                        switch event {
                        case .data(let channel, let bytes):
                            guard channel % 2 == 0, inputs.indices.contains(Int(channel / 2)) else { continue }
                            await inputs[Int(channel / 2)].send(.bytes(bytes), cost: bytes.count, from: writer)
                        case .write(let bytes): try await writer.write(bytes)
                        case .end: continue
                        case .closed: break reading
                        }
                    }
                }
            } catch is StreamProtocolError {
                try? await writer.write(WebSocketFrame.close(WebSocketFrame.protocolError))
            } catch {
                // The client has gone.
            }
            for input in inputs { input.close() }
            group.cancelAll()
        }
    }

    private func forward(_ index: Int, _ input: Mailbox<ForwardedInput>, _ writer: WireWriter) async {
        let connection = ForwardedConnection(
            agent: agent, pod: pod, port: ports[index], eventLoop: writer.channel.eventLoop)
        let failure = await connection.run(input) { bytes in
            try await writer.write(form.encode(UInt8(index * 2), bytes))
        }
        if let failure { try? await writer.write(form.encode(UInt8(index * 2 + 1), Array(failure.utf8))) }
    }
}
