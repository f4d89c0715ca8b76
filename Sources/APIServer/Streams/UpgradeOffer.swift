import NIOCore
import NIOHTTP1

/// What a client offers to go over to: WebSocket with its sub-protocols, or SPDY with its stream protocols.
enum UpgradeOffer: Equatable {
    case webSocket(key: String, protocols: [String])
    case spdy(protocols: [String])

    /// Reads the headers of a request; nil if it does not ask for one of the two.
    init?(_ request: APIRequest) {
        guard Self.words(request.values(of: "connection")).contains("upgrade") else { return nil }
        let wanted = Self.words(request.values(of: "upgrade"))
        if wanted.contains("websocket"), let key = request.values(of: "sec-websocket-key").first {
            guard request.method == "GET" else { return nil }
            self = .webSocket(key: key, protocols: Self.items(request.values(of: "sec-websocket-protocol")))
        } else if wanted.contains("spdy/3.1") {
            self = .spdy(protocols: Self.items(request.values(of: "x-stream-protocol-version")))
        } else {
            return nil
        }
    }

    /// Whether the parser of the connection has stopped, because another protocol may follow this request.
    static func isUpgrade(_ head: HTTPRequestHead) -> Bool {
        head.headers.contains(name: "upgrade") && words(head.headers["connection"]).contains("upgrade")
    }

    private static func items(_ values: [String]) -> [String] {
        values.flatMap { $0.split(separator: ",") }.map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
    }

    private static func words(_ values: [String]) -> [String] { items(values).map { $0.lowercased() } }
}
