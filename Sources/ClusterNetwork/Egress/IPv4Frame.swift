import ContainerRuntime

/// An IPv4 packet in a frame of Ethernet, as it leaves the cluster's network (RFC 791).
struct IPv4Frame: Equatable, Sendable {
    /// Who sent the frame: where answers go.
    var link: [UInt8]
    var source: IPv4Address
    var destination: IPv4Address
    /// 17 is UDP.
    var transport: UInt8
    /// The packet as it was, with its header.
    var packet: [UInt8]
    var headerLength: Int

    private static let linkHeaderLength = 14

    /// Nil for what is no whole IPv4 packet; pieces of one the kernel has put together before.
    init?(_ bytes: [UInt8]) {
        let packet = bytes.dropFirst(Self.linkHeaderLength)
        guard bytes.count >= Self.linkHeaderLength + 20, bytes[12] == 8, bytes[13] == 0 else { return nil }
        func byte(_ index: Int) -> UInt8 { packet[packet.startIndex + index] }
        func address(_ index: Int) -> IPv4Address {
            IPv4Address(byte(index), byte(index + 1), byte(index + 2), byte(index + 3))
        }
        headerLength = Int(byte(0) & 15) * 4
        let length = Int(byte(2)) << 8 | Int(byte(3))
        let isPiece = (byte(6) & 0x3F, byte(7)) != (0, 0)
        guard byte(0) >> 4 == 4, headerLength >= 20, length >= headerLength, packet.count >= length, !isPiece else {
            return nil
        }
        link = Array(bytes[6..<12])
        transport = byte(9)
        source = address(12)
        destination = address(16)
        self.packet = Array(packet.prefix(length))
    }

    /// Ports and data of a UDP packet (RFC 768); nil for any other.
    var datagram: (sourcePort: Int, destinationPort: Int, data: ArraySlice<UInt8>)? {
        let body = packet[headerLength...]
        guard transport == 17, body.count >= 8 else { return nil }
        func number(_ index: Int) -> Int { Int(body[headerLength + index]) << 8 | Int(body[headerLength + index + 1]) }
        let length = number(4)
        guard length >= 8, length <= body.count else { return nil }
        return (number(0), number(2), body[(headerLength + 8)..<(headerLength + length)])
    }

    /// A frame with an answer to this packet's datagram: from where that went to where it came from.
    ///
    /// - Parameter number: Tells its pieces from those of others, should it come in some; of each answer another one.
    func answer(_ data: some Collection<UInt8>, number: UInt16) -> [UInt8]? {
        guard let ports = datagram, data.count <= 65_507 else { return nil }
        // Without a checksum, which UDP may do without: the way is all in one machine.
        let header = [ports.destinationPort, ports.sourcePort, 8 + data.count, 0].flatMap(Self.bigEndian)
        return frame(transport: 17, header + data, number: number)
    }

    /// What a ping asks; nil for any other packet.
    var echo: ICMPEcho? {
        guard transport == 1, let echo = ICMPEcho(packet[headerLength...]), echo.kind == .request else { return nil }
        return echo
    }

    /// A frame with the answer to this packet's ping.
    func answer(_ echo: ICMPEcho, number: UInt16) -> [UInt8] { frame(transport: 1, echo.bytes, number: number) }

    /// Why a packet did not arrive: code of "destination unreachable" (RFC 792, RFC 1812).
    enum Refusal: UInt8 {
        /// Nobody listens there.
        case port = 3
        /// It may not go there.
        case prohibited = 13
    }

    /// A frame that says why this packet did not arrive; Linux tells the program that sent it.
    func refused(_ refusal: Refusal) -> [UInt8] {
        var body: [UInt8] = [3, refusal.rawValue, 0, 0, 0, 0, 0, 0] + packet.prefix(headerLength + 8)
        body.replaceSubrange(2..<4, with: Self.bigEndian(Self.checksum(body)))
        return frame(transport: 1, body, number: 0)
    }

    private func frame(transport: UInt8, _ body: [UInt8], number: UInt16) -> [UInt8] {
        var header: [UInt8] = [0x45, 0] + Self.bigEndian(20 + body.count) + Self.bigEndian(Int(number))
        header += [0, 0, 64, transport, 0, 0] + destination.bytes + source.bytes
        header.replaceSubrange(10..<12, with: Self.bigEndian(Self.checksum(header)))
        return link + [2, 0, 0, 0, 0, 1, 8, 0] + header + body
    }

    static func bigEndian(_ value: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
    }

    /// The complement of the sum in ones' complement arithmetic (RFC 1071).
    static func checksum(_ bytes: [UInt8]) -> Int {
        var sum = 0
        for (index, byte) in bytes.enumerated() { sum += index.isMultiple(of: 2) ? Int(byte) << 8 : Int(byte) }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        return ~sum & 0xFFFF
    }
}
