import ContainerRuntime
import Testing

@testable import ClusterNetwork

@Suite("DNS messages", .timeLimit(.minutes(5)))
struct DNSCodecTests {
    /// A question with id 0x1234, recursion desired, and optionally an EDNS record.
    static func packet(_ name: String, type: UInt16, edns: UInt16? = nil, flags: UInt16 = 0x0100) -> [UInt8] {
        var bytes: [UInt8] = [
            0x12, 0x34, UInt8(flags >> 8), UInt8(flags & 0xFF), 0, 1, 0, 0, 0, 0, 0, edns == nil ? 0 : 1,
        ]
        for label in name.split(separator: ".") {
            bytes.append(UInt8(label.utf8.count))
            bytes += label.utf8
        }
        bytes += [0, UInt8(type >> 8), UInt8(type & 0xFF), 0, 1]
        if let edns { bytes += [0, 0, 41, UInt8(edns >> 8), UInt8(edns & 0xFF), 0, 0, 0, 0, 0, 0] }
        return bytes
    }

    private func zone(pods: Int = 0) throws -> DNSZone {
        DNSZone(
            domain: try #require(DNSName("cluster.local")),
            services: [
                Fixture.service("web", clusterIP: "10.96.0.50", ports: []),
                Fixture.service("all", clusterIP: "None", ports: []),
            ],
            slices: [
                Fixture.slice(
                    of: "all", ports: [], endpoints: (0..<pods).map { Fixture.endpoint("10.244.0.\($0 + 2)") })
            ])
    }

    @Test("a question and its answer, byte for byte")
    func bytes() throws {
        let answer = try zone().respond(
            to: Self.packet("WeB.shop.svc.cluster.local", type: 1), isStream: false, rotation: 0)
        let expected: [[UInt8]] = [
            [0x12, 0x34, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0],
            [3] + Array("WeB".utf8) + [4] + Array("shop".utf8) + [3] + Array("svc".utf8),
            [7] + Array("cluster".utf8) + [5] + Array("local".utf8) + [0], [0, 1, 0, 1],
            [0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 96, 0, 50],
        ]
        #expect(answer == expected.flatMap { $0 })
    }

    @Test("EDNS is answered with EDNS, and never otherwise", arguments: [nil, 512, 1232, 4096] as [UInt16?])
    func edns(size: UInt16?) throws {
        let query = try DNSQuery(parsing: Self.packet("web.shop.svc.cluster.local", type: 28, edns: size))
        #expect(query.hasEDNS == (size != nil))
        #expect(query.udpSizeMax == Int(size ?? 512))
        let answer = DNSResponse.bytes(for: query, DNSAnswer(), sizeMax: 512)
        #expect(answer[11] == (size == nil ? 0 : 1))
        #expect(answer.suffix(11) == [0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0] || size == nil)
    }

    @Test(
        "of an answer that is too long for the packet comes what fits, and it says so; over TCP it is whole",
        arguments: [(10, nil, false), (100, nil, true), (100, 4096, false)] as [(Int, UInt16?, Bool)])
    func truncation(pods: Int, edns: UInt16?, isTruncated: Bool) throws {
        let zone = try zone(pods: pods)
        let packet = Self.packet("all.shop.svc.cluster.local", type: 1, edns: edns)
        let answer = try #require(zone.respond(to: packet, isStream: false, rotation: 0))
        #expect((answer[2] & 0x02 != 0) == isTruncated)
        // Header and question take 44 bytes, each address 16.
        #expect(Int(answer[7]) == (isTruncated ? 29 : pods))
        #expect(!isTruncated || answer.count == 44 + 29 * 16)
        let whole = try #require(zone.respond(to: packet, isStream: true, rotation: 0))
        #expect(whole[2] & 0x02 == 0 && Int(whole[7]) == pods)
    }

    @Test(
        "what is no proper question is refused or ignored",
        arguments: [
            ([], nil),
            (Array(repeating: 0, count: 11), nil),
            // A response, not a question.
            (packet("web", type: 1, flags: 0x8180), nil),
            // Another opcode.
            (packet("web", type: 1, flags: 0x2900), 4),
            // No question, or two.
            ([0x12, 0x34, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1),
            ([0x12, 0x34, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0] + packet("web", type: 1).dropFirst(12), 1),
            // A label that is longer than the packet, a reserved label type, a name without end.
            ([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63, 97], 1),
            ([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0, 1, 0, 1], 1),
            ([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97], 1),
            // Pointers to themselves, forwards, into the header.
            ([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12, 0, 1, 0, 1], 1),
            ([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 20, 0, 1, 0, 1, 0, 0, 0, 0], 1),
            ([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 1, 0, 1], 1),
            ([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0], 1),
            // Ends after the name.
            ([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1], 1),
            // Promises a further record that is not there.
            (packet("web", type: 1).prefix(11) + [1] + packet("web", type: 1).dropFirst(12), 1),
        ] as [([UInt8], UInt8?)])
    func malformed(packet: [UInt8], code: UInt8?) throws {
        let answer = try zone().respond(to: packet, isStream: false, rotation: 0)
        guard let code else {
            #expect(answer == nil)
            return
        }
        #expect(answer?.count == 12)
        #expect(answer.map { Array($0.prefix(3)) } == [0x12, 0x34, 0x81])
        #expect(answer.map { $0[3] & 0x0F } == code)
    }

    @Test("a name longer than 255 bytes is refused, however it is spelled")
    func longName() throws {
        let label = String(repeating: "a", count: 63)
        let long = Self.packet([label, label, label, label].joined(separator: "."), type: 1)
        #expect(throws: DNSQuery.Failure.refused(id: 0x1234, isRecursionDesired: true, code: .formatError)) {
            try DNSQuery(parsing: long)
        }
        #expect(DNSName([label, label, label, label].joined(separator: ".")) == nil)
    }

    @Test("other classes are refused")
    func chaos() throws {
        var packet = Self.packet("version.bind", type: 16)
        packet[packet.count - 1] = 3
        let answer = try #require(try zone().respond(to: packet, isStream: false, rotation: 0))
        #expect(answer[3] & 0x0F == 5)
    }

    @Test("no packet, cut anywhere or with bytes changed, is too much", arguments: [1, 2, 3, 4])
    func damaged(seed: UInt64) throws {
        let zone = try zone(pods: 3)
        let packet = Self.packet("all.shop.svc.cluster.local", type: 1, edns: 1232)
        var generator = SplitMix(state: seed)
        for length in 0...packet.count {
            _ = zone.respond(to: Array(packet.prefix(length)), isStream: false, rotation: length)
        }
        for _ in 0..<5000 {
            var damaged = packet
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            if let answer = zone.respond(to: damaged, isStream: false, rotation: 0) {
                #expect(answer.count >= 12 && answer.count <= 4096)
                #expect(answer[0..<2] == damaged[0..<2])
            }
        }
    }
}

/// A small seeded generator.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
