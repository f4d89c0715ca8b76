import Testing

@testable import KubeClient

@Suite("A call of the health service", .timeLimit(.minutes(5))) struct HealthExchangeTests {
    private typealias Outcome = HealthExchange.Outcome

    private let settings = HealthExchange.frame(4, 0, stream: 0, [])

    private func headers(_ fields: [(name: String, value: String)], ends: Bool = false) -> [UInt8] {
        HealthExchange.frame(1, ends ? 5 : 4, stream: 1, [0x88] + HeaderBlock.encode(fields))
    }

    private func outcome(_ bytes: [UInt8]) -> Outcome? {
        var exchange = HealthExchange()
        return exchange.receive(bytes).outcome
    }

    @Test("the request is HTTP/2's preface, settings, the head and one message")
    func request() {
        let bytes = HealthExchange.request(host: "10.0.0.1:5000", service: "db")
        let head = HeaderBlock.encode([
            (":method", "POST"), (":scheme", "http"), (":path", "/grpc.health.v1.Health/Check"),
            (":authority", "10.0.0.1:5000"), ("content-type", "application/grpc"), ("te", "trailers"),
            ("user-agent", "kube-probe/1.32"),
        ])
        #expect(
            bytes
                == Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + settings
                + HealthExchange.frame(1, 4, stream: 1, head)
                + HealthExchange.frame(0, 1, stream: 1, [0, 0, 0, 0, 4, 0x0A, 2, 0x64, 0x62]))
    }

    @Test(
        "the answer is the status in the message",
        arguments: [([0x08, 1], 1), ([0x08, 2], 2), ([], 0)] as [([UInt8], Int)])
    func serving(message: [UInt8], status: Int) {
        let body: [UInt8] = [0, 0, 0, 0, UInt8(message.count)] + message
        let bytes =
            settings + headers([("content-type", "application/grpc")]) + HealthExchange.frame(0, 0, stream: 1, body)
            + headers([("grpc-status", "0")], ends: true)
        #expect(outcome(bytes) == .serving(status))
        // However the bytes are cut.
        var exchange = HealthExchange()
        let outcomes = bytes.compactMap { exchange.receive([$0]).outcome }
        #expect(outcomes == [.serving(status)])
    }

    @Test("a call that fails says so in its trailers, and why")
    func failed() {
        let bytes = settings + headers([("grpc-status", "5"), ("grpc-message", "unknown%20service")], ends: true)
        #expect(outcome(bytes) == .failed(code: 5, message: "unknown service"))
    }

    @Test("settings and pings are acknowledged")
    func acknowledgements() {
        var exchange = HealthExchange()
        #expect(!exchange.isConnected)
        #expect(exchange.receive(settings).answer == HealthExchange.frame(4, 1, stream: 0, []))
        #expect(exchange.isConnected)
        let ping = HealthExchange.frame(6, 0, stream: 0, [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(exchange.receive(ping).answer == HealthExchange.frame(6, 1, stream: 0, [1, 2, 3, 4, 5, 6, 7, 8]))
        #expect(exchange.receive(settings + HealthExchange.frame(7, 0, stream: 0, [])).outcome == .broken)
    }

    @Test("what is no HTTP/2 is broken", arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "+OK Redis ready\r\n"])
    func broken(text: String) { #expect(outcome(Array(text.utf8)) == .broken) }

    @Test("a header block that is cut off is broken")
    func cutBlock() {
        #expect(HeaderBlock([0x00, 0x05, 0x61]) == nil)
        #expect(HeaderBlock([0x40]) == nil)
    }

    @Test("text in headers may be in Huffman's code (RFC 7541, C.4.1)")
    func huffman() {
        let code: [UInt8] = [0xF1, 0xE3, 0xC2, 0xE5, 0xF2, 0x3A, 0x6B, 0xA0, 0xAB, 0x90, 0xF4, 0xFF]
        #expect(String(decoding: HuffmanCode.decode(code), as: UTF8.self) == "www.example.com")
        #expect(HeaderBlock([0x40, 0x01, 0x61, 0x8C] + code)?.fields == ["a": "www.example.com"])
    }
}
