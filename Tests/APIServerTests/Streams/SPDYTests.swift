import LabTesting
import NIOCore
import Testing

@testable import APIServer

@Suite("SPDY/3.1") struct SPDYTests {
    private static func open(_ id: UInt32, _ headers: SPDYHeaders, _ writer: inout SPDYHeaderWriter) -> [UInt8] {
        let block = writer.write(headers)
        var buffer = ByteBuffer()
        buffer.writeInteger(0x8003_0001 as UInt32)
        buffer.writeInteger(UInt32(block.count + 10))
        buffer.writeInteger(id)
        buffer.writeInteger(0 as UInt32)
        buffer.writeInteger(0 as UInt16)
        return Array(buffer.readableBytesView) + block
    }

    private static func bytes(_ buffer: ByteBuffer) -> [UInt8] { Array(buffer.readableBytesView) }

    /// What a connection says of some bytes, in words.
    private static func events(_ connection: inout SPDYConnection, _ bytes: some Sequence<UInt8>) throws -> [String] {
        connection.feed(ByteBuffer(bytes: bytes))
        var texts: [String] = []
        while let event = try connection.next() {
            switch event {
            case .opened(let id, let headers):
                texts.append("open \(id) " + headers.map { "\($0.name)=\($0.value)" }.joined(separator: ","))
            case .data(let id, let bytes, let isLast):
                texts.append("data \(id) \(String(decoding: bytes, as: UTF8.self))\(isLast ? " end" : "")")
            case .reset(let id): texts.append("reset \(id)")
            case .write(let buffer): texts.append("write \(Self.bytes(buffer))")
            case .goAway: texts.append("go away")
            }
        }
        return texts
    }

    private static func conversation() -> [UInt8] {
        var writer = SPDYHeaderWriter()
        return open(1, [("streamType", "error"), ("port", "80")], &writer)
            + open(3, [("streamtype", "data"), ("port", "80")], &writer)
            + bytes(SPDYFrame.encodeData(3, Array("hello".utf8)))
            + bytes(SPDYFrame.encodePing(1)) + bytes(SPDYFrame.encodePing(2))
            + [0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0]
            + bytes(SPDYFrame.encodeData(3, Array("bye".utf8), isLast: true))
            + bytes(SPDYFrame.encodeData(3, Array("too late".utf8)))
            + bytes(SPDYFrame.encodeReset(1, .cancel))
            + bytes(SPDYFrame.encodeGoAway(lastStream: 0, reason: 0))
    }

    @Test("the dictionary is the one that clients have")
    func dictionary() {
        #expect(SPDYDictionary.bytes.count == 1423)
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in SPDYDictionary.bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        #expect(b << 16 | a == 0xE3C6_A7C2)
    }

    @Test("streams are opened, carry bytes, end; pings are echoed; what is late is dropped")
    func frames() throws {
        var connection = SPDYConnection()
        let texts = try Self.events(&connection, Self.conversation())
        #expect(
            texts == [
                "open 1 streamtype=error,port=80", "open 3 streamtype=data,port=80", "data 3 hello",
                "write [128, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1]", "data 3 bye end", "reset 1", "go away",
            ])
    }

    @Test("frames mean the same however the bytes are cut", arguments: 1...20)
    func cuts(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var connection = SPDYConnection()
        var rest = Self.conversation()[...]
        var texts: [String] = []
        while !rest.isEmpty {
            let count = Int.random(in: 1...12, using: &random)
            texts += try Self.events(&connection, rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        // Data is handed out as it comes; put together it is the same.
        let data = texts.filter { $0.hasPrefix("data") }.map { $0.dropFirst(7) }.joined()
        #expect(data.filter { $0 != " " } == "hellobyeend")
        #expect(texts.filter { !$0.hasPrefix("data") }.count == 5)
    }

    @Test("many headers follow each other in one compressed stream")
    func headers() throws {
        var writer = SPDYHeaderWriter()
        let reader = SPDYHeaderReader()
        for number in 0..<50 {
            let headers = [(name: "requestid", value: "\(number)"), ("streamtype", "data")]
            let read = try reader.read(writer.write(headers))
            #expect(read.elementsEqual(headers, by: ==))
        }
    }

    private static func word(_ number: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(number >> $0 & 0xFF) } }

    /// A block that unpacks to far more than it is long.
    private static var bomb: [UInt8] {
        var writer = SPDYHeaderWriter()
        return open(1, [("a", String(repeating: "x", count: 20_000))], &writer)
    }

    private static var outOfOrder: [UInt8] {
        var writer = SPDYHeaderWriter()
        return open(5, [], &writer) + open(3, [], &writer)
    }

    @Test(
        "what is no SPDY ends the connection",
        arguments: [
            ("another version", [0x80, 2, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1]),
            ("a control frame of 16 MB", [0x80, 3, 0, 1, 0, 0xFF, 0xFF, 0xFF]),
            ("headers that are not packed", [0x80, 3, 0, 1, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
            ("a stream frame without a number", [0x80, 3, 0, 1, 0, 0, 0, 2, 0, 0]),
            ("a ping of two bytes", [0x80, 3, 0, 6, 0, 0, 0, 2, 0, 0]),
            ("an even stream number", [0x80, 3, 0, 1, 0, 0, 0, 10] + word(2) + [0, 0, 0, 0, 0, 0]),
            ("a header bomb", bomb), ("stream numbers out of order", outOfOrder),
        ] as [(String, [UInt8])])
    func malformed(name: String, bytes: [UInt8]) {
        var connection = SPDYConnection()
        #expect(throws: StreamProtocolError.self) { try Self.events(&connection, bytes) }
    }

    @Test("any bytes are either understood or refused", arguments: 1...60)
    func noise(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var bytes = Self.conversation()
        for _ in 0...Int.random(in: 0...6, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0...2, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: place)
            default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
            }
        }
        var connection = SPDYConnection()
        // Reaching the end is what is tested: no trap, no endless loop.
        _ = try? Self.events(&connection, bytes)
    }

    @Test("port-forward streams are paired by request, and old clients' by number")
    func pairs() {
        var pairs = StreamPairs()
        func headers(_ type: String, _ port: String, _ request: String?) -> SPDYHeaders {
            [("streamtype", type), ("port", port)] + (request.map { [("requestid", $0)] } ?? [])
        }
        #expect(pairs.add(1, headers("error", "80", "0")) == .taken(isData: false, nil))
        #expect(pairs.add(3, headers("error", "81", "1")) == .taken(isData: false, nil))
        #expect(pairs.add(5, headers("data", "81", "1")) == .taken(isData: true, .init(port: 81, error: 3, data: 5)))
        #expect(pairs.add(7, headers("error", "80", "0")) == .refused)
        #expect(pairs.add(9, headers("data", "80", "0")) == .taken(isData: true, .init(port: 80, error: 1, data: 9)))
        #expect(pairs.add(11, headers("error", "82", nil)) == .taken(isData: false, nil))
        #expect(pairs.add(13, headers("data", "82", nil)) == .taken(isData: true, .init(port: 82, error: 11, data: 13)))
        #expect(pairs.add(15, headers("data", "0", "2")) == .refused)
        #expect(pairs.add(17, headers("stdin", "80", "3")) == .refused)
    }
}
